import { createSeededRandom } from '../random.ts';
import { createAgenda } from './agenda.ts';
import { FAULTS, restoreRepository } from './faults.ts';
import { expectDesktop, expectTenant, type FleetTenant } from './fleet.ts';
import { DEEDS } from './people.ts';
import type { Action, Expectation, FaultKind, Step } from './steps.ts';
import { confirm, DAY_MS, type Deed, HOUR_MS, type Story, type Told } from './story.ts';
import { orderPriceList, orderTenant } from './tenants.ts';

export type ScenarioOptions = {
  readonly seed: number;
  readonly days: number;
  readonly tenants: number;
  /** Of each customer, to begin with. */
  readonly desktops: number;
  readonly faults: readonly FaultKind[];
  /** The world's begin, milliseconds since the epoch. */
  readonly startMs: number;
  /** What people do and what goes wrong on a day, on the average, once all is ordered. Default: more on few days. */
  readonly deedsADay?: number | undefined;
  readonly faultsADay?: number | undefined;
};

export type Planner = {
  /** The next action; undefined when the time is over. */
  next(): Action | undefined;
  /** What must hold once everything that was told so far has settled. */
  expectations(): readonly Expectation[];
  /** The branch as people mean it to be. */
  files(): ReadonlyMap<string, string>;
};

/**
 * Invents what people do and what goes wrong, in order of time, from the seed alone: it never looks at the world, so that the first n actions are the
 * same whatever became of them.
 */
export function createPlanner(options: ScenarioOptions): Planner {
  const random = createSeededRandom(options.seed).fork('scenario');
  const agenda = createAgenda<Entry>();
  let nowMs = 0;
  let behindUntilMs = 0;
  const story: Story = {
    random,
    tenants: [],
    files: new Map(),
    startMs: options.startMs,
    nowMs: () => nowMs,
    isCaughtUp: () => nowMs >= behindUntilMs,
    later: (afterMs, deed, possible) => agenda.add(nowMs + afterMs, { deed, possible, tries: 0 }),
  };
  planOrders(options, story, (atMs, deed) => agenda.add(atMs, { deed, possible: undefined, tries: 0 }));
  planRoutine(options, story, (atMs, deed) => agenda.add(atMs, { deed, possible: undefined, tries: 0 }));
  const endMs = options.days * DAY_MS;
  return {
    next() {
      for (let entry = agenda.take(); entry !== undefined && entry.atMs <= endMs; entry = agenda.take()) {
        nowMs = entry.atMs;
        const { deed, possible, tries } = entry.thing;
        if (possible?.() === false) {
          if (tries < MAX_TRIES) agenda.add(nowMs + TRY_AGAIN_MS, { deed, possible, tries: tries + 1 });
          continue;
        }
        const told = deed(story);
        if (told === undefined) continue;
        behindUntilMs = Math.max(behindUntilMs, nowMs + delayOf(told.step));
        return { atMs: nowMs, ...told };
      }
      return undefined;
    },
    expectations: () =>
      story.tenants.flatMap((tenant) => [expectTenant(tenant), ...tenant.desktops.map((one) => expectDesktop(one))]),
    files: () => story.files,
  };
}

/** For how long a step may keep what is pushed from being applied. */
function delayOf(step: Step): number {
  if (step.type === 'kill') return step.downMs + HOUR_MS;
  if (step.type === 'kill-writer') return step.forMs + step.downMs + HOUR_MS;
  if ('forMs' in step) return step.forMs + HOUR_MS;
  if (step.type === 'commit') return Object.values(step.changes).includes(null) ? HOUR_MS : 0;
  return MISHAPS.has(step.type) ? 3 * HOUR_MS : 0;
}

const MISHAPS: ReadonlySet<Step['type']> = new Set(['force-push', 'empty-repository', 'remove-branch']);

type Entry = { readonly deed: Deed; readonly possible: (() => boolean) | undefined; readonly tries: number };
type Add = (atMs: number, deed: Deed) => void;

const TRY_AGAIN_MS = 3 * HOUR_MS;
const MAX_TRIES = 200;

/** The price list first, resellers next, then everybody else over the first tenth of the time, at most two days. */
function planOrders({ days, tenants, desktops }: ScenarioOptions, story: Story, add: Add): void {
  const spanMs = Math.min(2 * DAY_MS, (days * DAY_MS) / 10);
  add(0, () => orderPriceList(story, undefined));
  const resellers: FleetTenant[] = [];
  const resellerCount = tenants < 4 ? 0 : Math.ceil(tenants / 10);
  for (let i = 0; i < tenants; i++) {
    const isReseller = i < resellerCount;
    const atMs = Math.round(60_000 + (spanMs * (i + 0.5 * story.random.next())) / tenants);
    add(atMs, () => {
      const sellers = isReseller ? resellers.filter(({ parent }) => parent === undefined).slice(0, 2) : resellers;
      const parent =
        sellers.length > 0 && story.random.chance(isReseller ? 0.3 : 0.6) ? story.random.pick(sellers) : undefined;
      const told = orderTenant(
        story,
        parent,
        `${NAMES[i % NAMES.length]}${i + 1}`,
        isReseller ? 'Reseller' : 'Customer',
        isReseller ? 0 : desktops,
      );
      const ordered = story.tenants.at(-1);
      if (isReseller && ordered !== undefined) resellers.push(ordered);
      return told;
    });
  }
}

const NAMES = ['acme', 'bolt', 'coral', 'delta', 'ember', 'fjord', 'grove', 'harbor', 'iris', 'juno'];

function planRoutine(options: ScenarioOptions, story: Story, add: Add): void {
  const { days, tenants, desktops, faults } = options;
  const size = tenants * (1 + desktops);
  const few = days <= 14;
  const { deedsADay = few ? Math.max(20, size / 4) : Math.max(1, size / 130), faultsADay = few ? 15 : 0.3 } = options;
  const beginMs = Math.min(2 * DAY_MS, (days * DAY_MS) / 10) + HOUR_MS / 2;
  const total = DEEDS.reduce((sum, [weight]) => sum + weight, 0);
  const repeat = (name: string, aDay: number, pick: () => Deed): void => {
    const random = story.random.fork(name);
    const again = (atMs: number): void => {
      const nextMs = Math.round(atMs - (Math.log(1 - random.next()) * DAY_MS) / aDay);
      add(nextMs, (now) => {
        again(nextMs);
        return pick()(now);
      });
    };
    if (aDay > 0) again(beginMs);
  };
  repeat('deeds', deedsADay, () => {
    let left = story.random.next() * total;
    for (const [weight, deed] of DEEDS) {
      left -= weight;
      if (left < 0) return deed;
    }
    return confirm;
  });
  if (faults.length > 0) repeat('faults', faultsADay, () => FAULTS[story.random.pick(faults)]);
  planCheckpoints(days, add);
}

/** Now and then everything must have come true: a fixed number of times, whatever the length. */
function planCheckpoints(days: number, add: Add): void {
  const every = Math.max(0.5, Math.min(7, days / 6));
  for (let day = every; day < days; day += every) {
    const atMs = Math.round(day * DAY_MS);
    add(atMs - 1, () => restoreRepository());
    add(atMs, (): Told => ({ what: 'everything must have come true', step: { type: 'checkpoint' } }));
  }
}
