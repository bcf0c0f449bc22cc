import type { Timer } from '../kube/clock.ts';
import { TaskHeap } from './taskheap.ts';

/** Tasks of one owner, such as a simulated process, that can be dropped together. */
export type TaskGroup = { readonly name: string };

/**
 * - `done`: the condition holds.
 * - `time`: the time is reached, and later tasks are waiting.
 * - `empty`: nothing is scheduled any more. With a condition that does not hold this is an error: whatever would make it hold waits
 *   for something that this scheduler does not see.
 */
export type RunEnd = 'done' | 'time' | 'empty';

export type RunOptions = {
  /** By {@link Scheduler.elapsedMs}; time stands there afterwards. Absent: without end. */
  readonly untilMs?: number | undefined;
  /** Asked before the first task and after each, when all promises that could go on have. */
  readonly until?: (() => boolean) | undefined;
};

/**
 * Virtual time. Whatever takes time in a simulated world is a task here: timers, messages, I/O. Tasks run one at a time in order of
 * time, then of scheduling; between two of them every promise job runs to its end; then time jumps to the next. So the
 * order of everything is decided by what was scheduled, and by nothing else.
 */
export type Scheduler = {
  /** Milliseconds since the simulation began; may have a fraction. */
  elapsedMs(): number;
  /** Milliseconds since the epoch, whole ones, as a machine's clock gives them. */
  nowMs(): number;
  /** Runs `fn` once `afterMs` from now; 0 is after what is scheduled for this instant already. */
  schedule(group: TaskGroup, afterMs: number, fn: () => void): Timer;
  /** Drops everything that a group has scheduled. */
  drop(group: TaskGroup): void;
  /** Runs tasks until `options` say so. Rejects with what a task throws, and on an instant that never ends. One run at a time. */
  run(options: RunOptions): Promise<RunEnd>;
  /** Tasks that ran so far. */
  events(): number;
  /** Tasks that are waiting. */
  pending(): number;
  /** When the next task is due, by {@link elapsedMs}. */
  nextAtMs(): number | undefined;
};

export type SchedulerOptions = {
  readonly startMs: number;
  /** So many tasks at one instant are taken for a loop. Default 1 000 000. */
  readonly maxTasksAtOnce?: number | undefined;
  /** Told of each task before it runs. */
  readonly onTask?: ((group: TaskGroup) => void) | undefined;
};

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { startMs, maxTasksAtOnce = 1_000_000, onTask } = options;
  const heap = new TaskHeap();
  let elapsedMs = 0;
  let events = 0;
  let atOnce = 0;
  let running = false;

  /** Runs the next task when it is due by `untilMs`; false when there is none. */
  const runNext = (untilMs: number): boolean => {
    const task = heap.peek();
    if (task === undefined || task.atMs > untilMs) return false;
    heap.shift();
    if (task.atMs > elapsedMs) {
      elapsedMs = task.atMs;
      atOnce = 0;
    }
    atOnce += 1;
    if (atOnce > maxTasksAtOnce) {
      throw new Error(
        `${atOnce} tasks ran at one instant (${new Date(startMs + elapsedMs).toISOString()}), the last of ${task.group.name}: a loop without time`,
      );
    }
    events += 1;
    onTask?.(task.group);
    task.run();
    return true;
  };

  const scheduler: Scheduler = {
    elapsedMs: () => elapsedMs,
    nowMs: () => startMs + Math.floor(elapsedMs),
    schedule: (group, afterMs, fn) => {
      if (!(afterMs >= 0 && afterMs < Number.POSITIVE_INFINITY)) throw new RangeError(`${afterMs} ms is no delay`);
      return heap.push(group, elapsedMs + afterMs, fn);
    },
    drop: (group) => heap.drop(group),
    events: () => events,
    pending: () => heap.size,
    nextAtMs: () => heap.peek()?.atMs,
    run: async ({ untilMs = Number.POSITIVE_INFINITY, until }) => {
      if (running) throw new Error('the scheduler is running already');
      running = true;
      try {
        await runTasks(() => until?.() !== true && runNext(untilMs));
      } finally {
        running = false;
      }
      if (until?.() === true) return 'done';
      if (Number.isFinite(untilMs)) elapsedMs = Math.max(elapsedMs, untilMs);
      if (heap.peek() !== undefined) return 'time';
      if (until !== undefined && !Number.isFinite(untilMs)) {
        throw new Error(
          'nothing is scheduled, and what is waited for has not happened: something waits for real I/O or for ever',
        );
      }
      return 'empty';
    },
  };
  return scheduler;
}

/**
 * Calls `step` until it returns false, each time after all promise jobs of the time before have run. Node runs a tick only when no promise job is
 * left, and a promise job that asks for a tick is itself the last of those that are waiting or is followed by more, which all run first:
 * so a step a tick is exact, and costs a quarter of a turn of the event loop. Such a turn is taken now and then, so that signals and output go on.
 */
function runTasks(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let steps = 0;
    const next = (): void => {
      let goesOn = false;
      try {
        goesOn = step();
      } catch (error) {
        reject(error);
        return;
      }
      steps += 1;
      if (!goesOn) resolve();
      else if (steps % STEPS_A_TURN === 0) setImmediate(next);
      else queueMicrotask(afterJobs);
    };
    const afterJobs = (): void => process.nextTick(next);
    setImmediate(next);
  });
}

const STEPS_A_TURN = 1024;
