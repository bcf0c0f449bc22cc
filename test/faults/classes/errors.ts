import { NAMESPACES } from '../../../kube/builtin.ts';
import type { CallFault, LineFault, StreamFault } from '../../../simulator/apiserver/faults.ts';
import type { LinkCall, LinkHooks } from '../../../simulator/link.ts';
import type { FaultClass, Point } from '../point.ts';
import { compareRuns, type Fault, OVERSEER, type Run, tellScenario } from '../run.ts';
import { findScenario } from '../scenarios/index.ts';
import { DAY_MS } from '../story.ts';
import { tellCalmly } from './calm.ts';

const REASONS: Readonly<Record<string, string>> = {
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

export const ERRORS = [
  ...Object.keys(REASONS),
  'reset-before',
  'reset-after',
  'stall',
  'half-open',
  'truncated',
  'bad-json',
] as const;

/** `page`: a page of a list but the first. `patch` and `update` go beyond what `targets` asks. */
export const CALLS = [
  'get',
  'list',
  'page',
  'watch',
  'create',
  'apply',
  'status',
  'patch',
  'update',
  'delete',
  'lease',
] as const;
type Call = (typeof CALLS)[number];

/** Between them these send every call. */
const TOLD: readonly string[] = ['tree', 'delete', 'members', 'breaker', 'restart', 'tenantremoval', 'access'];
/** Told with more namespaces than a page holds, and with a Lease. */
const CROWDED = 'desktop';
const CROWD = 520;

const MINUTE_MS = 60_000;
/**
 * A leader has to renew within 10 s of the last time, and tries every 2 s: between its last try before and its first one after there is less than that. Beyond it
 * giving up is right, which `leaders` tries.
 */
const LEASE_MS = 5_000;

/**
 * One error answers every call of one sort by the operator, for a minute from before each step; or, where the first such call of the story comes later, as a sweep after its
 * grace does, for a minute from that. Within a minute of its end all is as without
 * it, nobody gave up, and meanwhile effort was bounded (I6).
 */
export const errors: FaultClass = {
  name: 'errors',
  title: 'every call of one sort fails in one way for a minute',
  table: { rows: CALLS, columns: ERRORS },
  async enumerate(scenario, seed) {
    if (scenario === CROWDED) return cells(scenario, seed, ['page', 'lease']);
    if (!TOLD.includes(scenario)) return [];
    const { writes, verbs } = await tellCalmly(scenario, seed);
    const sent = new Set<Call>(['list']);
    // A mute watch is found out at its renewal, so those are told with the intervals of production, which cost too much over days.
    if (findScenario(scenario).steps.every(({ thenMs = 0 }) => thenMs < DAY_MS)) sent.add('watch');
    if (verbs.has('get')) sent.add('get');
    for (const write of writes) sent.add(write.startsWith('apply status') ? 'status' : (write.split(' ')[0] as Call));
    return cells(
      scenario,
      seed,
      CALLS.filter((call) => sent.has(call)),
    );
  },
  async tryPoint({ scenario, seed, at }, count) {
    const [error = '', call = ''] = at.split(':');
    const calm = await tellCalmly(scenario, seed);
    let hits = 0;
    const hit = (): void => {
      hits += 1;
      count(at);
    };
    const fault = buildFault(error, call as Call, { hit, hits: () => hits });
    const result = await tellScenario(findScenario(scenario), seed, fault);
    const unhit = hits > 0 ? [] : [`no ${call} was sent while it would have failed`];
    const expected = scenario === CROWDED ? withoutCrowd : (run: typeof result) => run;
    return [...unhit, ...result.findings, ...compareRuns(calm, expected(result))];
  },
};

function cells(scenario: string, seed: number, calls: readonly Call[]): readonly Point[] {
  return calls.flatMap((call) => ERRORS.map((error) => ({ class: 'errors', scenario, seed, at: `${error}:${call}` })));
}

function withoutCrowd<R extends { readonly state: ReadonlyMap<string, unknown> }>(run: R): R {
  const state = new Map([...run.state].filter(([id]) => !id.includes('crowd-')));
  return { ...run, state };
}

type Tally = { hit(): void; hits(): number };

function buildFault(error: string, call: Call, { hit, hits }: Tally): Fault {
  const lastingMs = call === 'lease' ? LEASE_MS : MINUTE_MS;
  let endedAtMs = 0;
  let steps = 0;
  return {
    ...(call === 'lease' ? { operator: { leaderElection: true } } : {}),
    ...(call === 'watch' ? { world: { intervals: 'production' } } : {}),
    ...(call === 'page' ? { arm: gatherCrowd } : {}),
    beforeAct: (run) => {
      const { world } = run;
      steps += 1;
      const step = steps;
      const end = (): void => {
        if (step === steps) run.setHooks({});
      };
      let isLate = false;
      const strike = (): void => {
        hit();
        if (isLate) world.scheduler.schedule(OVERSEER, lastingMs, end);
        isLate = false;
      };
      run.setHooks(call === 'watch' ? buildWatchHooks(error, strike) : buildCallHooks(error, call, strike));
      if (call === 'watch') for (const { link } of world.running('operator')) link.breakStreams();
      // By itself, because an act may wait for what the error holds up.
      endedAtMs = world.nowMs() + lastingMs;
      world.scheduler.schedule(OVERSEER, lastingMs, () => {
        if (hits() > 0) end();
        else isLate = true;
      });
      // Lists are sent at a start.
      if (call === 'list' || call === 'page') run.replaceOperator(0);
    },
    afterAct: ({ world }) => world.runTo(endedAtMs),
    afterRest: (run, index) => {
      if (run.scenario.steps[index]?.thenMs !== undefined) return;
      const lateMs = run.lastWriteMs() - endedAtMs;
      if (lateMs > MINUTE_MS)
        run.report(`the last write came ${Math.round(lateMs / 1_000)} s after the error had ended`);
    },
    clear: (run) => {
      steps += 1;
      run.setHooks({});
    },
  };
}

async function gatherCrowd({ world }: Run): Promise<void> {
  for (let at = 0; at < CROWD; at += 1) {
    await world.admin.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `crowd-${at}` } });
  }
  await world.runUntilQuiet({ what: 'the crowd is there' });
}

function buildCallHooks(error: string, call: Call, hit: () => void): LinkHooks {
  const fault = buildCallFault(error);
  return {
    onCall: (sent) => {
      if (!sent.process.startsWith('operator/') || sortOf(sent) !== call) return undefined;
      hit();
      return fault;
    },
  };
}

function sortOf({ path, verb }: LinkCall): Call {
  if (path.includes('/leases')) return 'lease';
  if (verb === 'list') return path.includes('continue=') ? 'page' : 'list';
  return /\/status(\?|$)/.test(path) ? 'status' : (verb as Call);
}

function buildCallFault(error: string): CallFault {
  const reason = REASONS[error];
  if (reason !== undefined) return buildRefusal(error, reason);
  switch (error) {
    case 'reset-before':
      return { type: 'reset', when: 'before' };
    case 'reset-after':
      return { type: 'reset', when: 'after' };
    case 'stall':
      return { type: 'stall', when: 'before' };
    case 'half-open':
      return { type: 'stall', when: 'after' };
    case 'truncated':
      return { type: 'truncate', bytes: 40 };
    case 'bad-json':
      return { type: 'truncate', bytes: 1 };
    default:
      throw new RangeError(`${error} is no error of the matrix; there are ${ERRORS.join(', ')}`);
  }
}

function buildRefusal(error: string, reason: string): Extract<CallFault, { readonly type: 'refuse' }> {
  const retry = error === '429' ? { retryAfterSeconds: 1 } : {};
  return { type: 'refuse', when: 'before', code: Number(error), reason, ...retry };
}

/** Refusals answer the request that begins a watch, and stand in the place of lines; the rest happens to lines. `hit` hears of what went wrong. */
function buildWatchHooks(error: string, hit: () => void): LinkHooks {
  let opened = 0;
  const strike = <F>(process: string, choose: () => F | undefined): F | undefined => {
    const fault = process.startsWith('operator/') ? choose() : undefined;
    if (fault !== undefined) hit();
    return fault;
  };
  return {
    onStream: ({ process }) =>
      strike(process, () => {
        opened += 1;
        return buildStreamFault(error, opened);
      }),
    onLine: ({ process, text }) => strike(process, () => buildLineFault(error, text)),
  };
}

/** Every second time a watch that is refused begins, and an ERROR line comes where the first change would. */
function buildStreamFault(error: string, opened: number): StreamFault | undefined {
  if (error === 'reset-before') return { type: 'reset', when: 'before' };
  if (error === 'stall') return { type: 'stall', when: 'before' };
  const reason = REASONS[error];
  return reason === undefined || opened % 2 === 0 ? undefined : buildRefusal(error, reason);
}

function buildLineFault(error: string, text: string): LineFault | undefined {
  const reason = REASONS[error];
  if (reason !== undefined) return { type: 'garbage', text: renderErrorLine(Number(error), reason) };
  if (error === 'reset-after') return { type: 'reset' };
  if (error === 'half-open') return { type: 'blackhole' };
  if (error === 'truncated') return { type: 'tear', bytes: text.length >> 1 };
  return error === 'bad-json' ? { type: 'garbage', text: '{"type":"ADDED","object":{"metadata":' } : undefined;
}

function renderErrorLine(code: number, reason: string): string {
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason };
  return JSON.stringify({ type: 'ERROR', object: { ...status, message: 'a fault was asked for' } });
}
