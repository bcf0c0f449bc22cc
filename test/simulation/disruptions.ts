import type { MemoryFault } from '../../git/memory/remote.ts';
import type { LinkCall, LinkHooks } from '../../simulator/link.ts';
import type { SeededRandom } from '../../simulator/random.ts';
import type { Step } from '../../simulator/scenario/steps.ts';
import type { World } from './contract.ts';
import { PERSON } from './repository.ts';

/** Trouble that lasts for a while. */
export type Disruptions = {
  /** Begins what the step says; false when it is no trouble of this kind. */
  begin(step: Step): boolean;
  /** Ends all of it now; guests that hang answer again. */
  endAll(): void;
};

type Trouble = { readonly hooks: LinkHooks; readonly end: () => void };
type CallFault = NonNullable<ReturnType<NonNullable<LinkHooks['onCall']>>>;

const GROUP = { name: 'trouble' };
const INSTANCES = 'virtualmachineinstances.kubevirt.io';

export function createDisruptions(world: World, random: SeededRandom): Disruptions {
  const active = new Set<Trouble>();
  const asked = <K extends 'onCall' | 'onLine' | 'onStream'>(name: K): LinkHooks[K] => {
    const some = [...active].map(({ hooks }) => hooks[name]).filter((hook) => hook !== undefined);
    if (some.length === 0) return undefined;
    const ask = (about: never): unknown => {
      for (const hook of some) {
        const fault = (hook as (about: never) => unknown)(about);
        if (fault !== undefined) return fault;
      }
      return undefined;
    };
    return ask as LinkHooks[K];
  };
  const install = (): void => {
    world.setHooks(
      Object.fromEntries((['onCall', 'onLine', 'onStream'] as const).map((name) => [name, asked(name)])) as LinkHooks,
    );
  };
  const begin = (forMs: number, hooks: LinkHooks, atEnd: () => void = () => {}): void => {
    const trouble: Trouble = {
      hooks,
      end: () => {
        timer.cancel();
        if (!active.delete(trouble)) return;
        install();
        atEnd();
      },
    };
    const timer = world.scheduler.schedule(GROUP, forMs, trouble.end);
    active.add(trouble);
    install();
  };
  const breakStreams = (role?: string): void => {
    for (const name of ['operator', 'source', 'flux', 'kubevirt', 'controllers'] as const) {
      if (role === undefined || role === name) for (const { link } of world.running(name)) link.breakStreams();
    }
  };

  return {
    begin(step) {
      switch (step.type) {
        case 'api-errors':
          begin(step.forMs, { onCall: (call) => (random.chance(step.share) ? drawFault(random, call) : undefined) });
          return true;
        case 'api-latency':
          world.setLatency({ minMs: 1, maxMs: step.maxMs });
          begin(step.forMs, {}, () => world.setLatency());
          return true;
        case 'api-down':
          begin(step.forMs, { onCall: () => ({ type: 'unsent' }), onStream: () => ({ type: 'unsent' }) });
          breakStreams();
          return true;
        case 'drop-lines': {
          const isTheirs = (process: string): boolean => process.startsWith(`${step.role}/`);
          const onLine: LinkHooks['onLine'] = ({ process }) =>
            isTheirs(process) && random.chance(step.share) ? { type: 'blackhole' } : undefined;
          begin(step.forMs, { onLine }, () => breakStreams(step.role));
          return true;
        }
        case 'partition': {
          const { role, silent } = step;
          const fault = silent ? ({ type: 'stall', when: 'before' } as const) : ({ type: 'unsent' } as const);
          const hook = ({ process }: { readonly process: string }) =>
            process.startsWith(`${role}/`) ? fault : undefined;
          const onLine: LinkHooks['onLine'] = ({ process }) =>
            process.startsWith(`${role}/`) ? { type: 'blackhole' } : undefined;
          begin(step.forMs, { onCall: hook, onStream: hook, onLine }, () => breakStreams(role));
          if (!silent) breakStreams(role);
          return true;
        }
        case 'repository-unreachable':
          world.repository.setReachable(false);
          begin(step.forMs, {}, () => world.repository.setReachable(true));
          return true;
        case 'push-errors': {
          const { engine } = world;
          const end = engine?.onPoint((point) => {
            if (point === 'before push' && random.chance(step.share)) engine.remote.fail(drawPushFault(random, world));
          });
          begin(step.forMs, {}, end);
          return true;
        }
        case 'kill-writer': {
          const end = world.engine?.onPoint((point) => {
            if (point !== step.at) return;
            end?.();
            world.kill('writer');
            world.scheduler.schedule(GROUP, step.downMs, () => {
              if (world.running('writer').length === 0) world.start('writer');
            });
          });
          begin(step.forMs, {}, end);
          return true;
        }
        case 'break-watches':
          breakStreams();
          return true;
        case 'compact':
          world.compact();
          breakStreams();
          return true;
        default:
          return false;
      }
    },
    endAll() {
      for (const trouble of [...active]) trouble.end();
      for (const { metadata } of world.list(INSTANCES))
        world.setGuestAnswers(`${metadata.namespace}/${metadata.name}`, true);
    },
  };
}

/** Any of the ways in which a call can fail. */
function drawFault(random: SeededRandom, { isWrite }: LinkCall): CallFault {
  const when = random.pick(['before', 'after'] as const);
  return random.pick<CallFault>([
    { type: 'refuse', when: 'before', code: 500, reason: 'InternalError' },
    { type: 'refuse', when: 'before', code: 503, reason: 'ServiceUnavailable' },
    { type: 'refuse', when: 'before', code: 429, reason: 'TooManyRequests', retryAfterSeconds: random.integer(1, 5) },
    { type: 'refuse', when, code: 504, reason: 'Timeout' },
    ...(isWrite ? ([{ type: 'refuse', when: 'before', code: 409, reason: 'Conflict' }] as const) : []),
    { type: 'unsent' },
    { type: 'reset', when },
    { type: 'stall', when },
    { type: 'truncate', bytes: 20 },
    { type: 'delay', ms: random.integer(10, 5_000) },
  ]);
}

/** Any of the ways in which a push can go wrong. */
function drawPushFault(random: SeededRandom, { nowMs }: World): MemoryFault {
  const type = random.pick(['race', 'race', 'lost', 'dropped', 'refused', 'unreachable'] as const);
  if (type !== 'race') return { call: 'push', type };
  const files = new Map([['NOTES.md', `Seen ${new Date(nowMs()).toISOString()}\n`]]);
  const commit = { author: PERSON, committer: PERSON, atMs: nowMs(), message: 'Take a note', files };
  return { call: 'push', type, commit };
}
