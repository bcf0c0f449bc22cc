import { API_MIGRATION, AUDIT_MIGRATION } from './apitables.ts';
import { WEBHOOK_MIGRATION } from './webhooktables.ts';

/** One step of the schema. Steps are never edited after a release; a program and the one before it work on either side of a step. */
export type Migration = { readonly name: string; readonly statements: readonly string[] };

const STATES =
  "'Accepted', 'Proposed', 'Committed', 'Applied', 'Ready', 'Held', 'Failed', 'Conflict', 'Rejected', 'Superseded', 'Gone'";
const OPEN = "'Accepted', 'Proposed', 'Committed', 'Applied', 'Held'";

/** In order; a database's version is how many of them it has. */
export const MIGRATIONS: readonly Migration[] = [
  {
    name: 'journal of changes',
    statements: [
      `CREATE TABLE changes (
        sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id text NOT NULL UNIQUE CHECK (id ~ '^I[0-9a-f]{40}$'),
        repository text NOT NULL CHECK (length(repository) BETWEEN 1 AND 253),
        kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 63),
        namespace text NOT NULL CHECK (length(namespace) BETWEEN 1 AND 63),
        name text NOT NULL CHECK (length(name) BETWEEN 1 AND 253),
        intent json NOT NULL CHECK (octet_length(intent::text) <= 1048576),
        mode text NOT NULL CHECK (mode IN ('Commit', 'PullRequest')),
        author_subject text NOT NULL CHECK (length(author_subject) BETWEEN 1 AND 512),
        author_name text NOT NULL CHECK (length(author_name) BETWEEN 1 AND 256),
        author_email text NOT NULL CHECK (length(author_email) BETWEEN 1 AND 320),
        request_id text NOT NULL CHECK (length(request_id) BETWEEN 1 AND 128),
        state text NOT NULL DEFAULT 'Accepted' CHECK (state IN (${STATES})),
        reason text CHECK (length(reason) BETWEEN 1 AND 64),
        message text CHECK (length(message) <= 32768),
        differences json CHECK (octet_length(differences::text) <= 1048576),
        commit_id text CHECK (commit_id ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
        pull_request_number integer CHECK (pull_request_number > 0),
        pull_request_url text CHECK (length(pull_request_url) <= 2048),
        accepted_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      )`,
      `CREATE INDEX changes_open_of_repository ON changes (repository, state, sequence) WHERE state IN (${OPEN})`,
      `CREATE INDEX changes_open ON changes (sequence DESC) WHERE state IN (${OPEN})`,
      `CREATE INDEX changes_open_of_target ON changes (namespace, kind, name, sequence) WHERE state IN (${OPEN})`,
      'CREATE INDEX changes_newest_of_namespace ON changes (namespace, sequence DESC)',
      `CREATE INDEX changes_ended ON changes (updated_at) WHERE state NOT IN (${OPEN})`,
      `CREATE TABLE idempotency_keys (
        subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 512),
        key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
        digest text NOT NULL CHECK (length(digest) BETWEEN 1 AND 128),
        change_id text NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (subject, key)
      )`,
      'CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at)',
      `CREATE TABLE leases (
        repository text PRIMARY KEY CHECK (length(repository) BETWEEN 1 AND 253),
        holder text NOT NULL CHECK (length(holder) BETWEEN 1 AND 253),
        epoch bigint NOT NULL,
        until timestamptz NOT NULL,
        settled text CHECK (settled ~ '^([0-9a-f]{40}|[0-9a-f]{64})$')
      )`,
    ],
  },
  API_MIGRATION,
  WEBHOOK_MIGRATION,
  {
    name: 'traces of changes',
    statements: [
      "ALTER TABLE changes ADD COLUMN traceparent text CHECK (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$')",
    ],
  },
  AUDIT_MIGRATION,
];
