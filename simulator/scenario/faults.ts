import { type FaultKind, type KillableRole, type Step, WRITER_POINTS } from './steps.ts';
import { type Deed, HOUR_MS, isUp, MINUTE_MS, type Story, type Told } from './story.ts';

/** What goes wrong without anybody's doing, by kind. */
export const FAULTS: Readonly<Record<FaultKind, Deed>> = {
  'kill-operator': kill('operator'),
  'kill-source': kill('source'),
  'kill-flux': kill('flux'),
  'kill-kubevirt': kill('kubevirt'),
  'kill-controllers': kill('controllers'),
  'api-errors': ({ random }) => {
    const forMs = random.integer(1, 20) * MINUTE_MS;
    const share = random.pick([0.02, 0.2, 0.6]);
    const what = `for ${minutes(forMs)}, ${Math.round(share * 100)} % of the API server's calls fail`;
    return { what, step: { type: 'api-errors', share, forMs } };
  },
  'api-latency': ({ random }) => {
    const forMs = random.integer(5, 60) * MINUTE_MS;
    const maxMs = random.pick([200, 2_000, 8_000]);
    return {
      what: `for ${minutes(forMs)}, messages take up to ${maxMs} ms`,
      step: { type: 'api-latency', maxMs, forMs },
    };
  },
  'api-down': ({ random }) => {
    const forMs = random.integer(1, 30) * MINUTE_MS;
    return { what: `the API server is down for ${minutes(forMs)}`, step: { type: 'api-down', forMs } };
  },
  watches: (story) => {
    if (story.random.chance(0.5)) return { what: 'all watches break', step: { type: 'break-watches' } };
    const role = story.random.pick(['operator', 'source'] as const);
    const share = story.random.pick([0.05, 0.5, 1]);
    const forMs = story.random.integer(1, 10) * MINUTE_MS;
    const what = `for ${minutes(forMs)}, ${share * 100} % of what the ${role} watches never arrives; then its watches break`;
    return { what, step: { type: 'drop-lines', role, share, forMs } };
  },
  compaction: () => ({ what: 'the API server forgets its history', step: { type: 'compact' } }),
  partition: ({ random }) => {
    const role = random.pick(['operator', 'source'] as const);
    const silent = random.chance(0.5);
    const forMs = random.integer(1, 40) * MINUTE_MS;
    const how = silent ? 'in silence' : 'refused';
    const what = `the ${role} is cut off the API server for ${minutes(forMs)}, ${how}`;
    return { what, step: { type: 'partition', role, silent, forMs } };
  },
  repository: ({ random }) => {
    const forMs = random.integer(5, 300) * MINUTE_MS;
    const what = `the repository cannot be reached for ${minutes(forMs)}`;
    return { what, step: { type: 'repository-unreachable', forMs } };
  },
  'force-push': (story) => {
    // What goes and comes back is started again.
    for (const tenant of story.tenants) {
      if (tenant.broken) tenant.astray = true;
      for (const desktop of tenant.desktops) if (desktop.guestDown) desktop.guestDown = 'maybe';
    }
    const back = story.random.integer(1, 3);
    const what = `the branch goes back by ${back === 1 ? 'a commit' : `${back} commits`}`;
    return mishap(story, what, { type: 'force-push', back });
  },
  emptied: (story) => mishap(story, 'a commit empties the repository', { type: 'empty-repository' }),
  'branch-gone': (story) => mishap(story, 'somebody deletes the branch', { type: 'remove-branch' }),
  'push-errors': ({ random }) => {
    const forMs = random.integer(10, 240) * MINUTE_MS;
    const share = random.pick([0.2, 0.6, 0.9]);
    const what = `for ${minutes(forMs)}, ${Math.round(share * 100)} % of the writer's pushes go wrong`;
    return { what, step: { type: 'push-errors', share, forMs } };
  },
  'kill-writer': ({ random }) => {
    const at = random.pick(WRITER_POINTS);
    const downMs = random.pick([0, random.integer(1, 30) * 1_000, random.integer(1, 30) * MINUTE_MS]);
    const forMs = 4 * HOUR_MS;
    const what = `the writer dies ${at.replace(' ', ' a ')} that comes soon, and is back after ${minutes(downMs)}`;
    return { what, step: { type: 'kill-writer', at, downMs, forMs } };
  },
  'node-loss': ({ random }) => {
    const node = random.pick(['node-1', 'node-2', 'node-3']);
    return { what: `${node} is lost, and the guests on it crash`, step: { type: 'lose-node', node } };
  },
  guest: (story) => {
    const up = story.tenants
      .flatMap(({ desktops }) => desktops)
      .filter((one) => one.present && !one.refused && isUp(one));
    if (up.length === 0) return undefined;
    const desktop = story.random.pick(up);
    const { tenant, name } = desktop;
    const key = { namespace: tenant.namespace, name };
    const title = `the guest of desktop ${tenant.path}/${name}`;
    if (story.random.chance(0.5)) return { what: `${title} crashes`, step: { type: 'guest', key, does: 'crash' } };
    story.later(story.random.integer(5, 600) * MINUTE_MS, () => {
      return { what: `${title} answers again`, step: { type: 'guest', key, does: 'answer' } };
    });
    return { what: `${title} hangs`, step: { type: 'guest', key, does: 'hang' } };
  },
};

/** Mends what {@link FAULTS} does to the branch. */
export function restoreRepository(): Told {
  return { what: 'the branch is again what everybody pushed', step: { type: 'restore-repository' } };
}

function mishap(story: Story, what: string, step: Step): Told {
  story.later(story.random.integer(5, 90) * MINUTE_MS, restoreRepository);
  return { what, step };
}

function kill(role: KillableRole): Deed {
  return ({ random }) => {
    const downMs = random.pick([0, random.integer(1, 60) * 1_000, (random.integer(1, 6) * HOUR_MS) / 6]);
    return { what: `the ${role} is killed, and back after ${minutes(downMs)}`, step: { type: 'kill', role, downMs } };
  };
}

function minutes(ms: number): string {
  return ms < 2 * MINUTE_MS ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / MINUTE_MS)} min`;
}
