import type { Logger } from 'pino';
import type { Repository } from '../../git/repository.ts';
import { type Journal, OPEN_STATES, type Outcome } from '../../gitops/journal.ts';
import type { Clock, Timer } from '../../kube/clock.ts';
import { renderError } from '../../kube/errors.ts';
import type { Metrics } from '../../kube/metrics.ts';

/** Seconds; a push to a forge far away takes a few. */
const PUSH_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const REFRESH_MS = 15_000;

/** The journal, which counts the changes that this process moved, by the state that they came to. */
export function measureJournal(journal: Journal, metrics: Metrics): Journal {
  const moved = metrics.counter('sublet_changes_moved_total', 'Changes that this process brought to a state.', [
    'state',
  ]);
  const count = ({ state }: Outcome): void => moved.labels(state).inc();
  const counting: Pick<Journal, 'accept' | 'record' | 'advance'> = {
    accept: async (change, key) => {
      const result = await journal.accept(change, key);
      if (result.type === 'accepted') count(result.change);
      return result;
    },
    record: async (lease, outcomes, settled) => {
      const next = await journal.record(lease, outcomes, settled);
      for (const outcome of outcomes.values()) count(outcome);
      return next;
    },
    advance: async (moves) => {
      const ids = await journal.advance(moves);
      for (const [id, { outcome }] of moves) if (ids.has(id)) count(outcome);
      return ids;
    },
  };
  return new Proxy(journal, {
    get: (inner, name) => {
      const member: unknown = Reflect.get(counting, name) ?? Reflect.get(inner, name);
      return typeof member === 'function' ? member.bind(inner) : member;
    },
  });
}

/** The repository, which counts and times its pushes. */
export function measureRepository(repository: Repository, clock: Clock, metrics: Metrics): Repository {
  const pushes = metrics.counter('sublet_git_pushes_total', 'Pushes to repositories, by what came of them.', [
    'result',
  ]);
  const seconds = metrics
    .histogram('sublet_git_push_duration_seconds', 'Time until a remote answered a push.', PUSH_BUCKETS)
    .labels();
  return {
    ...repository,
    push: async (commit, expected, options) => {
      const startedAtMs = clock.monotonic();
      let result = 'failed';
      try {
        const answer = await repository.push(commit, expected, options);
        result = answer.type === 'rejected' && answer.stale ? 'stale' : answer.type;
        return answer;
      } finally {
        pushes.labels(result).inc();
        seconds.observe((clock.monotonic() - startedAtMs) / 1_000);
      }
    },
  };
}

/**
 * Says how many changes are on their way and how old the oldest is, by state: `Accepted` waits for the writer, `Proposed` for people, the others for the cluster. Every
 * process says it of all, as the journal had it within the last 15 s. Gives the way to stop.
 */
export function showBacklog({
  journal,
  clock,
  log,
  metrics,
}: {
  journal: Journal;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
}): () => Promise<void> {
  const open = metrics.gauge('sublet_changes_open', 'Changes that have not ended, of all processes.', ['state']);
  const oldest = metrics.gauge(
    'sublet_changes_open_oldest_age_seconds',
    'Time since the oldest change in the state was accepted; 0 when there is none.',
    ['state'],
  );
  let backlog: Awaited<ReturnType<Journal['backlog']>> = new Map();
  let timer: Timer | undefined;
  let stopped = false;
  const stopShowing = metrics.onCollect(() => {
    for (const state of OPEN_STATES) {
      const found = backlog.get(state);
      open.labels(state).set(found?.changes ?? 0);
      oldest.labels(state).set(found === undefined ? 0 : Math.max(0, clock.now() - found.oldestAtMs) / 1_000);
    }
  });
  const read = async (): Promise<void> => {
    try {
      backlog = await journal.backlog();
    } catch (error) {
      log.warn({ err: renderError(error) }, 'the journal does not say how much is on its way');
    }
    if (stopped) return;
    timer = clock.setTimeout(() => {
      reading = read();
    }, REFRESH_MS);
  };
  let reading = read();
  return async () => {
    stopped = true;
    clock.clearTimeout(timer);
    stopShowing();
    await reading;
  };
}
