import { type RawBuilder, sql } from 'kysely';
import type { Clock } from '../../../kube/clock.ts';
import type { Store } from '../../../store/store.ts';
import {
  type Accepted,
  type Change,
  type ChangeState,
  type Journal,
  type Lease,
  LeaseLost,
  type NewChange,
  OPEN_STATES,
} from '../../journal.ts';
import { checkChange, checkKey, clampMost, fitOutcome, KEY_LIFE_MS } from './bounds.ts';
import { type ChangeRow, toChange, toOutcomeRow } from './rows.ts';

/**
 * The journal on Postgres or PGlite. Each method is one statement, so it happens whole or not at all, and takes one round trip. Leases run by the
 * database's clock, so the clocks of those who take them need not agree.
 */
export function createStoredJournal(deps: { readonly clock: Clock; readonly store: Store }): Journal {
  const { db } = deps.store;
  const recall = (subject: string, key: RequestKey) => recallKey(db, subject, key);
  return {
    accept: async (change, key) => {
      checkChange(change);
      if (key !== undefined) checkKey(change.author.subject, key);
      for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        const { rows } = await insertChange(change, key).execute(db);
        const [row] = rows;
        if (row !== undefined) return { type: 'accepted', change: toChange(row) };
        // Somebody was first; or their key ran out between the two statements.
        const earlier = key === undefined ? undefined : await recall(change.author.subject, key);
        if (earlier !== undefined) return earlier;
        const same = await findChange(db, change.id);
        if (same !== undefined) return { type: 'replayed', change: same };
      }
      throw new Error(`change ${change.id} was neither taken nor found; try again`);
    },
    recall: async (subject, key) => {
      checkKey(subject, key);
      return recall(subject, key);
    },
    lease: (repository, holder, ttlMs) => takeLease(deps, repository, holder, ttlMs),
    release: async ({ repository, holder, epoch }) => {
      await sql`UPDATE leases SET until = clock_timestamp() WHERE repository = ${repository} AND holder = ${holder} AND epoch = ${epoch}`.execute(
        db,
      );
    },
    pending: async (repository, states, most, after = -1n) => {
      const { rows } = await sql<ChangeRow>`
        SELECT * FROM changes
        WHERE repository = ${repository} AND state IN (${literals(states)}) AND ${IS_OPEN} AND sequence > ${after}
        ORDER BY sequence LIMIT ${clampMost(most)}`.execute(db);
      return rows.map(toChange);
    },
    record: (lease, outcomes, settled) => recordOutcomes(db, lease, outcomes, settled),
    advance: async (moves) => {
      if (moves.size === 0) return new Set();
      const rows = [...moves].map(([id, { from, outcome }]) => ({
        ...toOutcomeRow(id, fitOutcome(outcome)),
        from_state: from,
      }));
      const moved = await sql<{ readonly id: string }>`
        WITH moved AS (
          ${updateChanges(rows)} AND change.state = outcome.from_state
          RETURNING change.id, change.repository
        )
        SELECT id, pg_notify(${CHANNEL}, repository) FROM moved`.execute(db);
      return new Set(moved.rows.map(({ id }) => id));
    },
    find: (id) => findChange(db, id),
    open: async ({ kind, namespace, name }) => {
      const { rows } = await sql<ChangeRow>`
        SELECT * FROM changes
        WHERE namespace = ${namespace} AND kind = ${kind} AND name = ${name} AND ${IS_OPEN}
        ORDER BY sequence LIMIT ${MOST_OPEN}`.execute(db);
      return rows.map(toChange);
    },
    list: async ({ namespaces, kind, states, before, most }) => {
      const { rows } = await sql<ChangeRow>`
        SELECT * FROM changes
        WHERE ${before === undefined ? sql`true` : sql`sequence < ${before}`}
          AND ${namespaces === undefined ? sql`true` : sql`namespace = ANY(${[...namespaces]}::text[])`}
          AND ${kind === undefined ? sql`true` : sql`kind = ${kind}`}
          AND ${states === undefined ? sql`true` : sql`state IN (${literals(states)})`}
        ORDER BY sequence DESC LIMIT ${clampMost(most)}`.execute(db);
      return rows.map(toChange);
    },
    ended: async ({ states, sinceMs, most }) => {
      const { rows } = await sql<ChangeRow>`
        SELECT * FROM changes
        WHERE NOT (${IS_OPEN}) AND state IN (${literals(states)}) AND updated_at >= ${new Date(sinceMs)}
        ORDER BY updated_at, sequence LIMIT ${clampMost(most)}`.execute(db);
      return rows.map(toChange);
    },
    load: async (namespace) => {
      const { rows } = await sql<{ readonly changes: number; readonly bytes: number }>`
        SELECT count(*)::integer AS changes, coalesce(sum(octet_length(intent::text)), 0)::float8 AS bytes FROM changes
        WHERE namespace = ${namespace} AND ${IS_OPEN}`.execute(db);
      return rows[0] ?? { changes: 0, bytes: 0 };
    },
    commits: async (ids) => {
      const { rows } = await sql<{ readonly id: string; readonly commit_id: string }>`
        SELECT id, commit_id FROM changes WHERE id = ANY(${[...ids]}::text[]) AND commit_id IS NOT NULL`.execute(db);
      return new Map(rows.map(({ id, commit_id }) => [id, commit_id]));
    },
    backlog: async () => {
      const { rows } = await sql<{ readonly state: string; readonly changes: number; readonly oldest: Date }>`
        SELECT state, count(*)::integer AS changes, min(accepted_at) AS oldest FROM changes
        WHERE ${IS_OPEN} GROUP BY state`.execute(db);
      return new Map(
        rows.map(({ state, changes, oldest }) => [state as ChangeState, { changes, oldestAtMs: oldest.getTime() }]),
      );
    },
    waiting: async (states = ['Accepted']) => {
      const { rows } = await sql<{ readonly repository: string }>`
        SELECT DISTINCT repository FROM changes WHERE state IN (${literals(states)}) AND ${IS_OPEN}`.execute(db);
      return rows.map(({ repository }) => repository);
    },
    onChange: (listener) => deps.store.listen(CHANNEL, listener),
    prune: ({ keepMs, most }) => prune(db, keepMs, most),
  };
}

type Db = Store['db'];
type RequestKey = { readonly key: string; readonly digest: string };

const CHANNEL = 'sublet_changes';
const MOST_ATTEMPTS = 3;
/** Of one resource. */
const MOST_OPEN = 1_000;
const IS_OPEN = sql`state IN (${literals(OPEN_STATES)})`;

function literals(states: readonly ChangeState[]): RawBuilder<unknown> {
  return states.length === 0 ? sql`NULL` : sql.join(states.map((state) => sql.lit(state)));
}

/** No row: the key, or the change itself, was there before. */
function insertChange(change: NewChange, key: RequestKey | undefined): RawBuilder<ChangeRow> {
  const { intent, author } = change;
  const { kind, namespace, name } = intent.target;
  const values = sql`SELECT ${change.id}::text, ${change.repository}::text, ${kind}::text, ${namespace}::text, ${name}::text,
    ${JSON.stringify(intent)}::text::json, ${change.mode}::text, ${author.subject}::text, ${author.name}::text, ${author.email}::text,
    ${change.requestId}::text, ${change.traceparent ?? null}::text`;
  const insert = (source: RawBuilder<unknown>) => sql`
    INSERT INTO changes (id, repository, kind, namespace, name, intent, mode, author_subject, author_name, author_email, request_id, traceparent)
    ${values} ${source} ON CONFLICT (id) DO NOTHING RETURNING *`;
  if (key === undefined) {
    return sql<ChangeRow>`WITH change AS (${insert(sql``)}) SELECT *, pg_notify(${CHANNEL}, repository) FROM change`;
  }
  return sql<ChangeRow>`
    WITH key AS (
      INSERT INTO idempotency_keys AS known (subject, key, digest, change_id, expires_at)
      VALUES (${author.subject}, ${key.key}, ${key.digest}, ${change.id}, ${after(KEY_LIFE_MS)})
      ON CONFLICT (subject, key) DO UPDATE
        SET digest = excluded.digest, change_id = excluded.change_id, expires_at = excluded.expires_at
        WHERE known.expires_at <= clock_timestamp()
      RETURNING 1
    ), change AS (${insert(sql`FROM key`)})
    SELECT *, pg_notify(${CHANNEL}, repository) FROM change`;
}

function after(ms: number): RawBuilder<unknown> {
  return sql`clock_timestamp() + ${ms}::float8 * interval '1 millisecond'`;
}

async function recallKey(db: Db, subject: string, { key, digest }: RequestKey): Promise<Accepted | undefined> {
  const { rows } = await sql<{ readonly key_digest: string; readonly key_change_id: string } & ChangeRow>`
    SELECT known.digest AS key_digest, known.change_id AS key_change_id, changes.*
    FROM idempotency_keys AS known LEFT JOIN changes ON changes.id = known.change_id
    WHERE known.subject = ${subject} AND known.key = ${key} AND known.expires_at > clock_timestamp()`.execute(db);
  const [row] = rows;
  if (row === undefined) return undefined;
  if (row.key_digest !== digest || row.id === null) return { type: 'key-reused', changeId: row.key_change_id };
  return { type: 'replayed', change: toChange(row) };
}

async function findChange(db: Db, id: string): Promise<Change | undefined> {
  const { rows } = await sql<ChangeRow>`SELECT * FROM changes WHERE id = ${id}`.execute(db);
  return rows.map(toChange)[0];
}

async function takeLease(
  { clock, store }: { readonly clock: Clock; readonly store: Store },
  repository: string,
  holder: string,
  ttlMs: number,
): Promise<Lease | undefined> {
  const untilMs = clock.now() + ttlMs;
  const { rows } = await sql<{ readonly epoch: bigint; readonly settled: string | null }>`
    INSERT INTO leases AS known (repository, holder, epoch, until) VALUES (${repository}, ${holder}, 1, ${after(ttlMs)})
    ON CONFLICT (repository) DO UPDATE SET
      holder = excluded.holder,
      until = excluded.until,
      epoch = known.epoch + CASE WHEN known.holder = excluded.holder THEN 0 ELSE 1 END
    WHERE known.holder = excluded.holder OR known.until <= clock_timestamp()
    RETURNING epoch, settled`.execute(store.db);
  const [row] = rows;
  return row === undefined
    ? undefined
    : { repository, holder, epoch: row.epoch, untilMs, settled: row.settled ?? undefined };
}

async function recordOutcomes(
  db: Db,
  lease: Lease,
  outcomes: Parameters<Journal['record']>[1],
  settled: string | undefined,
): Promise<Lease> {
  const { repository, holder, epoch } = lease;
  const rows = [...outcomes].map(([id, outcome]) => toOutcomeRow(id, fitOutcome(outcome)));
  const answer = await sql<{ readonly settled: string | null }>`
    WITH fence AS (
      UPDATE leases SET settled = coalesce(${settled ?? null}::text, settled)
      WHERE repository = ${repository} AND holder = ${holder} AND epoch = ${epoch}
      RETURNING settled
    ), moved AS (
      ${updateChanges(rows)} AND change.repository = ${repository} AND EXISTS (SELECT 1 FROM fence)
      RETURNING change.id
    ), counted AS (SELECT count(*) AS moves FROM moved)
    SELECT settled, CASE WHEN moves > 0 THEN pg_notify(${CHANNEL}, ${repository}::text) END FROM fence, counted`.execute(
    db,
  );
  const [row] = answer.rows;
  if (row === undefined) throw new LeaseLost(`the lease of ${repository} went to another holder`);
  return { ...lease, settled: row.settled ?? undefined };
}

/** An UPDATE without its end, to which more conditions can be added. */
function updateChanges(rows: readonly unknown[]): RawBuilder<unknown> {
  return sql`
    UPDATE changes AS change SET
      state = outcome.state,
      reason = outcome.reason,
      message = outcome.message,
      differences = outcome.differences,
      commit_id = CASE WHEN outcome.state = 'Accepted' THEN NULL ELSE coalesce(outcome.commit_id, change.commit_id) END,
      pull_request_number = coalesce(outcome.pull_request_number, change.pull_request_number),
      pull_request_url = coalesce(outcome.pull_request_url, change.pull_request_url),
      updated_at = clock_timestamp()
    FROM json_to_recordset(${JSON.stringify(rows)}::text::json) AS outcome (
      id text, state text, reason text, message text, differences json, commit_id text,
      pull_request_number integer, pull_request_url text, from_state text
    )
    WHERE change.id = outcome.id AND change.${IS_OPEN}`;
}

async function prune(db: Db, keepMs: number, most: number): Promise<number> {
  const keptMs = Math.max(keepMs, KEY_LIFE_MS);
  const keys = await sql`
    DELETE FROM idempotency_keys WHERE (subject, key) IN (
      SELECT subject, key FROM idempotency_keys WHERE expires_at <= clock_timestamp() ORDER BY expires_at LIMIT ${clampMost(most)}
    )`.execute(db);
  const ended = await sql`
    DELETE FROM changes WHERE sequence IN (
      SELECT sequence FROM changes WHERE NOT (${IS_OPEN}) AND updated_at <= ${after(-keptMs)} ORDER BY updated_at LIMIT ${clampMost(most)}
    )`.execute(db);
  return Number((keys.numAffectedRows ?? 0n) + (ended.numAffectedRows ?? 0n));
}
