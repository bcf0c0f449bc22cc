import type { Migration } from './migrations.ts';

/** An API key; of its secret only a salted hash. An empty `scope` is the provider's, above all tenants. */
export type ApiKeysTable = {
  id: string;
  name: string;
  salt: string;
  hash: string;
  maker: string;
  scope: string;
  role: string;
  created_at: Date;
  expires_at: Date;
  last_used_at: Date | null;
  revoked_at: Date | null;
  revoked_by: string | null;
};

/** That a key was used on a day (UTC) from an address; empty where a day had more addresses than are kept apart. `scope` is the key's. */
export type KeyUsesTable = {
  key: string;
  day: string;
  address: string;
  scope: string;
  first_at: Date;
  last_at: Date;
};

/** A link that shows a desktop's password once; used ones stay, as the record of who saw it. */
export type PasswordLinksTable = {
  hash: string;
  namespace: string;
  desktop: string;
  maker: string;
  maker_groups: string;
  maker_key: string | null;
  created_at: Date;
  expires_at: Date;
  burnt_at: Date | null;
  burnt_from: string | null;
};

/** Random bytes that all replicas have to have in common, in base64. */
export type SharedSecretsTable = { name: string; value: string };

/** A right to sign up below a seller; of its code only a hash. */
export type InvitationsTable = {
  id: string;
  hash: string;
  namespace: string;
  path: string;
  plan: string;
  maker: string;
  maker_groups: string;
  max_uses: number;
  admits: number;
  window_hours: number;
  created_at: Date;
  expires_at: Date;
  revoked_at: Date | null;
  revoked_by: string | null;
};

/** A place that somebody took with an invitation; `change_id` is what came of it. */
export type SignupsTable = { invitation: string; subject: string; at: Date; change_id: string | null };

export type ApiTables = {
  readonly invitations: InvitationsTable;
  readonly signups: SignupsTable;
  readonly api_keys: ApiKeysTable;
  readonly key_uses: KeyUsesTable;
  readonly password_links: PasswordLinksTable;
  readonly shared_secrets: SharedSecretsTable;
};

export const API_MIGRATION: Migration = {
  name: 'keys and links of the API',
  statements: [
    `CREATE TABLE api_keys (
      id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{20}$'),
      name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
      salt text NOT NULL CHECK (length(salt) = 32),
      hash text NOT NULL CHECK (length(hash) = 64),
      maker text NOT NULL CHECK (length(maker) BETWEEN 1 AND 512),
      scope text NOT NULL CHECK (length(scope) <= 1024),
      role text NOT NULL CHECK (role IN ('Owner', 'Admin', 'Developer', 'Viewer', 'Billing')),
      created_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL,
      last_used_at timestamptz,
      revoked_at timestamptz
    )`,
    'CREATE INDEX api_keys_of_scope ON api_keys (scope, created_at) WHERE revoked_at IS NULL',
    'CREATE INDEX api_keys_of_maker ON api_keys (maker) WHERE revoked_at IS NULL',
    `CREATE TABLE password_links (
      hash text PRIMARY KEY CHECK (length(hash) = 64),
      namespace text NOT NULL CHECK (length(namespace) BETWEEN 1 AND 63),
      desktop text NOT NULL CHECK (length(desktop) BETWEEN 1 AND 253),
      maker text NOT NULL CHECK (length(maker) BETWEEN 1 AND 512),
      maker_groups text NOT NULL CHECK (length(maker_groups) <= 1048576),
      maker_key text,
      created_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL,
      burnt_at timestamptz,
      burnt_from text CHECK (length(burnt_from) <= 64)
    )`,
    'CREATE INDEX password_links_used ON password_links (namespace, burnt_at DESC) WHERE burnt_at IS NOT NULL',
    `CREATE TABLE invitations (
      id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{20}$'),
      hash text NOT NULL UNIQUE CHECK (length(hash) = 64),
      namespace text NOT NULL CHECK (length(namespace) BETWEEN 1 AND 63),
      path text NOT NULL CHECK (length(path) <= 1024),
      plan text NOT NULL CHECK (length(plan) BETWEEN 1 AND 63),
      maker text NOT NULL CHECK (length(maker) BETWEEN 1 AND 512),
      maker_groups text NOT NULL CHECK (length(maker_groups) <= 1048576),
      max_uses integer NOT NULL CHECK (max_uses > 0),
      admits integer NOT NULL CHECK (admits > 0),
      window_hours integer NOT NULL CHECK (window_hours > 0),
      created_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL,
      revoked_at timestamptz
    )`,
    'CREATE INDEX invitations_of_seller ON invitations (namespace, created_at) WHERE revoked_at IS NULL',
    `CREATE TABLE signups (
      invitation text NOT NULL REFERENCES invitations (id),
      subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 512),
      at timestamptz NOT NULL,
      change_id text,
      PRIMARY KEY (invitation, subject)
    )`,
    `CREATE TABLE shared_secrets (
      name text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
      value text NOT NULL CHECK (length(value) <= 256)
    )`,
  ],
};

export const AUDIT_MIGRATION: Migration = {
  name: 'uses of keys, and who revoked',
  statements: [
    'ALTER TABLE api_keys ADD COLUMN revoked_by text CHECK (length(revoked_by) <= 1024)',
    'ALTER TABLE invitations ADD COLUMN revoked_by text CHECK (length(revoked_by) <= 1024)',
    `CREATE TABLE key_uses (
      key text NOT NULL REFERENCES api_keys (id),
      day text NOT NULL CHECK (day ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'),
      address text NOT NULL CHECK (length(address) <= 64),
      scope text NOT NULL CHECK (length(scope) <= 1024),
      first_at timestamptz NOT NULL,
      last_at timestamptz NOT NULL,
      PRIMARY KEY (key, day, address)
    )`,
    'CREATE INDEX key_uses_of_scope ON key_uses (scope, first_at DESC)',
    'CREATE INDEX api_keys_made ON api_keys (scope, created_at DESC)',
    'CREATE INDEX api_keys_revoked ON api_keys (scope, revoked_at DESC) WHERE revoked_at IS NOT NULL',
    'CREATE INDEX invitations_made ON invitations (namespace, created_at DESC)',
    'CREATE INDEX invitations_revoked ON invitations (namespace, revoked_at DESC) WHERE revoked_at IS NOT NULL',
  ],
};
