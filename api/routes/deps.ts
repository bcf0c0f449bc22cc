import type { Logger } from 'pino';
import type { Journal } from '../../gitops/journal.ts';
import type { Client } from '../../kube/client.ts';
import type { Clock, Random } from '../../kube/clock.ts';
import type { Caches } from '../caches.ts';
import type { CommitLog } from '../commits.ts';
import type { ApiConfig } from '../config.ts';
import type { Cursors } from '../cursor.ts';
import type { InvitationRecords } from '../records/invitations.ts';
import type { KeyRecords } from '../records/keys.ts';
import type { LinkRecords } from '../records/links.ts';
import type { Telemetry } from '../telemetry.ts';
import type { Tree } from '../tree.ts';
import type { Endpoints } from '../webhooks/endpoints.ts';
import type { Outbox } from '../webhooks/outbox.ts';

/** What the routes work with. */
export type RoutesDeps = {
  readonly caches: Caches;
  readonly tree: Tree;
  readonly journal: Journal;
  readonly keys: KeyRecords;
  readonly links: LinkRecords;
  readonly invitations: InvitationRecords;
  readonly endpoints: Endpoints;
  readonly outbox: Outbox;
  /** Absent where nobody collects traces. */
  readonly telemetry?: Telemetry | undefined;
  /** Absent where this process has no git. */
  readonly commits?: CommitLog | undefined;
  /** For the two things that no cache holds: a desktop's Secret, and Events. */
  readonly client: Pick<Client, 'get' | 'list'>;
  readonly cursors: Cursors;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly config: ApiConfig;
};
