import { createVirtualClock, type VirtualClock } from './clock.ts';
import type { SeededRandom } from './random.ts';
import type { Scheduler, TaskGroup } from './scheduler.ts';

/**
 * What one simulated operating-system process has of the world. After `kill` nothing that runs inside can have an effect any more: its
 * timers are gone and new ones never fire, and whatever was made with {@link VirtualProcess.onKill} (connections) is cut.
 * Promises that nobody can settle any more are left to the garbage collector, as the kernel takes back memory.
 */
export type VirtualProcess = TaskGroup & {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  isAlive(): boolean;
  /** As `kill -9`: no signal reaches the code inside. */
  kill(): void;
  /** Calls `cut` when the process is killed, at once when it is dead already. */
  onKill(cut: () => void): void;
};

export function createVirtualProcess(
  deps: { readonly scheduler: Scheduler; readonly random: SeededRandom },
  name: string,
): VirtualProcess {
  const cuts: (() => void)[] = [];
  const group: TaskGroup = { name };
  let alive = true;
  const process: VirtualProcess = {
    name,
    clock: createVirtualClock(deps.scheduler, group, () => alive),
    random: deps.random.fork(name),
    isAlive: () => alive,
    kill: () => {
      if (!alive) return;
      alive = false;
      deps.scheduler.drop(group);
      for (const cut of cuts.splice(0)) cut();
    },
    onKill: (cut) => {
      if (alive) cuts.push(cut);
      else cut();
    },
  };
  return process;
}
