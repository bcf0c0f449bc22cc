import type { Metrics } from '../kube/metrics.ts';

/** The fleet source's own figures. Labels are closed sets; no folder or tenant is a label value. */
export type SourceMetrics = ReturnType<typeof createSourceMetrics>;

export function createSourceMetrics(metrics: Metrics) {
  const folders = metrics.gauge('sublet_source_folders', 'Tenant folders by state of their artifact.', ['state']);
  const revisions = metrics.counter(
    'sublet_source_revisions_total',
    'Passes over a revision of the fleet repository, by result.',
    ['result'],
  );
  const fetches = metrics.counter(
    'sublet_source_fetches_total',
    'Fetches of our own from the fleet repository, by result.',
    ['result'],
  );
  const requests = metrics.counter(
    'sublet_source_http_requests_total',
    'Answers of the archive server, by status code.',
    ['code'],
  );
  return {
    foldersPublished: folders.labels('published'),
    foldersHeld: folders.labels('held'),
    revisionHeld: metrics.gauge('sublet_source_revision_held', '1 while a whole revision waits for a person.').labels(),
    strays: metrics
      .gauge('sublet_source_strays', 'Files and folders of the environment that belong to no namespace.')
      .labels(),
    archivesLost: metrics
      .gauge('sublet_source_archives_lost', 'Accepted archives that are gone and cannot be rebuilt.')
      .labels(),
    archivesRebuilt: metrics
      .counter('sublet_source_archives_rebuilt_total', 'Archives that were gone and were made again.')
      .labels(),
    writes: metrics.counter('sublet_source_writes_total', 'Writes to the API server.').labels(),
    passSeconds: metrics
      .histogram(
        'sublet_source_pass_duration_seconds',
        'From looking at a revision to everything published.',
        [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60],
      )
      .labels(),
    countRevision: (result: 'published' | 'unchanged' | 'held' | 'refused') => revisions.labels(result).inc(),
    countFetch: (result: 'fetched' | 'declined' | 'failed') => fetches.labels(result).inc(),
    countRequest: (code: number) => requests.labels(String(code)).inc(),
  };
}
