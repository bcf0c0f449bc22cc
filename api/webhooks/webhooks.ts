import type { Logger } from 'pino';
import type { Journal } from '../../gitops/journal.ts';
import type { Clock, Random } from '../../kube/clock.ts';
import type { Metrics } from '../../kube/metrics.ts';
import type { Store } from '../../store/store.ts';
import type { RunningCaches } from '../caches.ts';
import type { ApiConfig } from '../config.ts';
import type { Tree } from '../tree.ts';
import { startObserver } from './observer.ts';
import { createOutbox } from './outbox.ts';
import { createPost } from './post.ts';
import { startSender } from './sender.ts';

export type WebhooksDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly store: Store;
  readonly journal: Journal;
  /** The API's own, which somebody else starts. */
  readonly caches: RunningCaches;
  readonly tree: Tree;
};

/** Tells tenants what happens in their subtrees. Every replica of the API runs it: each event is written down once, and each message sent by one at a time. */
export function startWebhooks(deps: WebhooksDeps, config: ApiConfig): { stop(): Promise<void> } {
  const outbox = createOutbox(deps.store);
  const sender = startSender({ ...deps, outbox, post: createPost(deps, config.webhooks) });
  const observer = startObserver({ ...deps, outbox });
  return {
    stop: async () => {
      await Promise.all([observer.stop(), sender.stop()]);
    },
  };
}
