import type { VirtualClock } from '../../simulator/clock.ts';
import { ROLES, type Role, type RunningRole, type World } from './contract.ts';
import type { Passage } from './passage.ts';
import { type Surroundings, startRole } from './roles.ts';

export type ProcessDeps = {
  readonly around: Omit<Surroundings, 'isServed' | 'onFailure'>;
  readonly passage: Passage;
  /** Of what starts processes again that gave up. */
  readonly clock: VirtualClock;
};

export type Processes = Pick<World, 'start' | 'running' | 'kill' | 'restart' | 'startAll'> & {
  /** Kills all. */
  close(): void;
};

/** The processes of a world; a role may have several. */
export function createProcesses({ around, passage, clock }: ProcessDeps): Processes {
  const { flux = true, restartMs } = around.options;
  const roles: RunningRole[] = [];
  const starts = new Map<Role, number>();
  const surroundings: Surroundings = {
    ...around,
    isServed: () => processes.running('source').length > 0,
    onFailure: (role) => {
      if (restartMs === undefined) return;
      clock.setTimeout(() => {
        if (processes.running(role).length === 0) processes.start(role);
      }, restartMs);
    },
  };
  const untilEnded = (one: RunningRole): Promise<void> =>
    passage.runUntil(() => !one.process.isAlive(), { what: `${one.name} has ended after SIGTERM` });
  const processes: Processes = {
    start(role, settings = {}) {
      const number = (starts.get(role) ?? 0) + 1;
      starts.set(role, number);
      const started = startRole(surroundings, role, number, settings, untilEnded);
      for (let at = roles.length - 1; at >= 0; at--) if (roles[at]?.process.isAlive() === false) roles.splice(at, 1);
      roles.push(started);
      return started;
    },
    running: (role) => roles.filter((one) => one.role === role && one.process.isAlive()),
    kill(role) {
      for (const one of processes.running(role)) one.kill();
    },
    restart(role) {
      processes.kill(role);
      return processes.start(role);
    },
    async startAll() {
      const isWanted: Partial<Record<Role, boolean>> = { flux, source: flux, writer: around.engine !== undefined };
      const wanted = ROLES.filter((role) => isWanted[role] !== false);
      for (const role of wanted) if (processes.running(role).length === 0) processes.start(role);
      const all = wanted.map((role) => processes.running(role));
      const areReady = (): boolean => all.every((some) => some.some((one) => one.isReady()));
      await passage.runUntil(areReady, { what: 'every role is ready' });
    },
    close() {
      for (const one of roles) one.kill();
    },
  };
  return processes;
}
