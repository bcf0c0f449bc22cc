import type { Generated } from 'kysely';
import type { Migration } from './migrations.ts';

/** Where a tenant wants to hear of its events. `tenant_id` is the identity and not the name: a name may go to somebody else. */
export type WebhookEndpointsTable = {
  id: string;
  tenant_id: string;
  url: string;
  description: string;
  events: string[];
  /** Can be read, because both sides sign with it; empty once the endpoint was removed. */
  secret: string;
  previous_secret: string | null;
  previous_until: Date | null;
  maker: string;
  created_at: Date;
  /** Nothing that happened before is told: when it was made, enabled or given other events. */
  since: Date;
  last_success_at: Date | null;
  disabled_at: Date | null;
  disabled_reason: string | null;
  removed_at: Date | null;
  removed_by: string | null;
};

/** One event on its way to one endpoint: written before it is sent. `claim` is who sends it at the moment, until `next_at`. */
export type WebhookDeliveriesTable = {
  sequence: Generated<bigint>;
  endpoint: string;
  event: string;
  type: string;
  body: string;
  state: string;
  attempts: number;
  occurred_at: Date;
  /** When its first attempt was due; anew when it is replayed. */
  started_at: Date;
  next_at: Date;
  claim: string | null;
  ended_at: Date | null;
};

/** What came of sending a delivery once. `status` is absent where no answer came. */
export type WebhookAttemptsTable = {
  sequence: Generated<bigint>;
  delivery: bigint;
  at: Date;
  duration_ms: number;
  status: number | null;
  problem: string | null;
};

export type WebhookTables = {
  readonly webhook_endpoints: WebhookEndpointsTable;
  readonly webhook_deliveries: WebhookDeliveriesTable;
  readonly webhook_attempts: WebhookAttemptsTable;
};

export const WEBHOOK_MIGRATION: Migration = {
  name: 'outgoing webhooks',
  statements: [
    `CREATE TABLE webhook_endpoints (
      id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{20}$'),
      tenant_id text NOT NULL CHECK (length(tenant_id) BETWEEN 1 AND 253),
      url text NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
      description text NOT NULL CHECK (length(description) <= 256),
      events text[] NOT NULL CHECK (cardinality(events) BETWEEN 1 AND 32),
      secret text NOT NULL CHECK (length(secret) <= 128),
      previous_secret text CHECK (length(previous_secret) <= 128),
      previous_until timestamptz,
      maker text NOT NULL CHECK (length(maker) BETWEEN 1 AND 512),
      created_at timestamptz NOT NULL,
      since timestamptz NOT NULL,
      last_success_at timestamptz,
      disabled_at timestamptz,
      disabled_reason text CHECK (length(disabled_reason) <= 512),
      removed_at timestamptz,
      removed_by text CHECK (length(removed_by) <= 512)
    )`,
    'CREATE INDEX webhook_endpoints_of_tenant ON webhook_endpoints (tenant_id, created_at) WHERE removed_at IS NULL',
    `CREATE TABLE webhook_deliveries (
      sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      endpoint text NOT NULL REFERENCES webhook_endpoints (id),
      event text NOT NULL CHECK (event ~ '^msg_[0-9a-f]{32}$'),
      type text NOT NULL CHECK (length(type) BETWEEN 1 AND 64),
      body text NOT NULL CHECK (octet_length(body) <= 65536),
      state text NOT NULL DEFAULT 'Pending' CHECK (state IN ('Pending', 'Delivered', 'Dead')),
      attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
      occurred_at timestamptz NOT NULL,
      started_at timestamptz NOT NULL,
      next_at timestamptz NOT NULL,
      claim text CHECK (length(claim) <= 64),
      ended_at timestamptz,
      UNIQUE (endpoint, event)
    )`,
    "CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint, next_at) WHERE state = 'Pending'",
    "CREATE INDEX webhook_deliveries_next ON webhook_deliveries (next_at) WHERE state = 'Pending'",
    'CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (endpoint, sequence DESC)',
    'CREATE INDEX webhook_deliveries_oldest ON webhook_deliveries (started_at)',
    `CREATE TABLE webhook_attempts (
      sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      delivery bigint NOT NULL REFERENCES webhook_deliveries (sequence) ON DELETE CASCADE,
      at timestamptz NOT NULL,
      duration_ms integer NOT NULL CHECK (duration_ms >= 0),
      status integer CHECK (status BETWEEN 100 AND 999),
      problem text CHECK (length(problem) <= 512)
    )`,
    'CREATE INDEX webhook_attempts_of_delivery ON webhook_attempts (delivery, sequence DESC)',
  ],
};
