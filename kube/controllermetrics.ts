import type { Clock } from './clock.ts';
import type { Metrics } from './metrics.ts';
import type { Priority, WorkItem, Workqueue } from './workqueue.ts';

export type ControllerMetrics = {
  added(priority: Priority): void;
  /** Returns what has to be called with the outcome. */
  started(item: WorkItem): (result: 'success' | 'error' | 'terminal' | 'requeue_after') => void;
  retried(): void;
  observeQueue(queue: Workqueue): void;
};

/** controller-runtime's and client-go's names, so that dashboards made for them work. */
export function createControllerMetrics(
  metrics: Metrics | undefined,
  clock: Clock,
  controller: string,
  workers: number,
): ControllerMetrics {
  if (metrics === undefined) return SILENT;
  const own = (name: string, help: string) => metrics.counter(name, help, ['controller']).labels(controller);
  const reconciles = metrics.counter('controller_runtime_reconcile_total', 'Reconciliations by result.', [
    'controller',
    'result',
  ]);
  const results = {
    success: reconciles.labels(controller, 'success'),
    error: reconciles.labels(controller, 'error'),
    requeue: reconciles.labels(controller, 'requeue'),
    requeue_after: reconciles.labels(controller, 'requeue_after'),
  };
  const errors = own('controller_runtime_reconcile_errors_total', 'Reconciliations that failed.');
  const terminal = own('controller_runtime_terminal_reconcile_errors_total', 'Reconciliations that failed for good.');
  const seconds = metrics
    .histogram('controller_runtime_reconcile_time_seconds', 'Length of a reconciliation.', RECONCILE_BUCKETS, [
      'controller',
    ])
    .labels(controller);
  const active = metrics
    .gauge('controller_runtime_active_workers', 'Workers that reconcile now.', ['controller'])
    .labels(controller);
  metrics
    .gauge('controller_runtime_max_concurrent_reconciles', 'Workers.', ['controller'])
    .labels(controller)
    .set(workers);
  const queue = createQueueMetrics(metrics, clock, controller);

  return {
    added: queue.added,
    retried: queue.retried,
    observeQueue: queue.observe,
    started: (item) => {
      const startMs = clock.monotonic();
      const done = queue.taken(item, startMs);
      active.add(1);
      return (result) => {
        const durationMs = clock.monotonic() - startMs;
        active.add(-1);
        done(durationMs);
        seconds.observe(durationMs / 1000);
        results[result === 'terminal' ? 'error' : result].inc();
        if (result === 'error' || result === 'terminal') errors.inc();
        if (result === 'terminal') terminal.inc();
      };
    },
  };
}

function createQueueMetrics(metrics: Metrics, clock: Clock, name: string) {
  const labels = ['name', 'controller'];
  const adds = metrics.counter('workqueue_adds_total', 'Keys that became ready.', labels).labels(name, name);
  const depth = metrics.gauge('workqueue_depth', 'Keys that are ready.', [...labels, 'priority']);
  const depths = { fresh: depth.labels(name, name, '0'), resync: depth.labels(name, name, '-100') };
  const delayed = metrics.gauge('workqueue_delayed', 'Keys that wait for their time.', labels).labels(name, name);
  const retries = metrics
    .counter('workqueue_retries_total', 'Keys that came back after a failure.', labels)
    .labels(name, name);
  const waits = metrics
    .histogram('workqueue_queue_duration_seconds', 'How long a key waits.', QUEUE_BUCKETS, labels)
    .labels(name, name);
  const works = metrics
    .histogram('workqueue_work_duration_seconds', 'How long a key is worked on.', QUEUE_BUCKETS, labels)
    .labels(name, name);
  const unfinished = metrics
    .gauge('workqueue_unfinished_work_seconds', 'Sum of the running work so far.', labels)
    .labels(name, name);
  const longest = metrics
    .gauge('workqueue_longest_running_processor_seconds', 'The longest running work so far.', labels)
    .labels(name, name);
  const starts = new Set<{ readonly startMs: number }>();

  return {
    added: (_: Priority): void => adds.inc(),
    retried: (): void => retries.inc(),
    taken: (item: WorkItem, startMs: number) => {
      const one = { startMs };
      starts.add(one);
      waits.observe((startMs - item.readyAtMs) / 1000);
      return (durationMs: number): void => {
        starts.delete(one);
        works.observe(durationMs / 1000);
      };
    },
    observe: (queue: Workqueue): void => {
      metrics.onCollect(() => {
        const nowMs = clock.monotonic();
        let sumMs = 0;
        let maxMs = 0;
        for (const { startMs } of starts) {
          sumMs += nowMs - startMs;
          maxMs = Math.max(maxMs, nowMs - startMs);
        }
        unfinished.set(sumMs / 1000);
        longest.set(maxMs / 1000);
        depths.fresh.set(queue.depth('fresh'));
        depths.resync.set(queue.depth('resync'));
        delayed.set(queue.counts().delayed);
      });
    },
  };
}

const SILENT: ControllerMetrics = {
  added: () => {},
  started: () => () => {},
  retried: () => {},
  observeQueue: () => {},
};

const RECONCILE_BUCKETS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2,
  2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
const QUEUE_BUCKETS: readonly number[] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000];
