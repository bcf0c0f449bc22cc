import type { Generated } from 'kysely';
import type { ApiTables } from './apitables.ts';
import type { WebhookTables } from './webhooktables.ts';

/** The tables as the newest migration leaves them; a column is named as in the database. */
export type Tables = ApiTables &
  WebhookTables & {
    readonly changes: ChangesTable;
    readonly idempotency_keys: IdempotencyKeysTable;
    readonly leases: LeasesTable;
  };

/** One change of a repository, from acceptance to its end. `json` and not `jsonb`: the order of members is the author's. */
export type ChangesTable = {
  sequence: Generated<bigint>;
  id: string;
  repository: string;
  kind: string;
  namespace: string;
  name: string;
  intent: unknown;
  mode: string;
  author_subject: string;
  author_name: string;
  author_email: string;
  request_id: string;
  traceparent: string | null;
  state: string;
  reason: string | null;
  message: string | null;
  differences: unknown;
  commit_id: string | null;
  pull_request_number: number | null;
  pull_request_url: string | null;
  accepted_at: Generated<Date>;
  updated_at: Generated<Date>;
};

/** A request that was answered, so that its repetition gets the same answer. */
export type IdempotencyKeysTable = {
  subject: string;
  key: string;
  digest: string;
  change_id: string;
  expires_at: Date;
};

/** Who may write a repository. `settled` is the newest commit up to which every change is written down. */
export type LeasesTable = {
  repository: string;
  holder: string;
  epoch: bigint;
  until: Date;
  settled: string | null;
};
