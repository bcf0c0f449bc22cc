import { type Kysely, type Selectable, sql } from 'kysely';
import type { Store } from '../../store/store.ts';
import type { Tables } from '../../store/tables.ts';
import type { WebhookAttemptsTable, WebhookDeliveriesTable } from '../../store/webhooktables.ts';

/** `Dead` was given up, and can be replayed. */
export const DELIVERY_STATES = ['Pending', 'Delivered', 'Dead'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** An event that some tenants may have asked for. `tenantIds`: whose it is, and everybody above. */
export type OutboxEvent = {
  readonly id: string;
  readonly type: string;
  readonly tenantIds: readonly string[];
  readonly body: string;
  readonly occurredAtMs: number;
};

export type Delivery = {
  readonly sequence: bigint;
  readonly event: string;
  readonly type: string;
  readonly body: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly occurredAtMs: number;
  readonly nextAtMs: number;
  readonly endedAtMs: number | undefined;
};

export type Attempt = {
  readonly atMs: number;
  readonly durationMs: number;
  readonly status: number | undefined;
  readonly problem: string | undefined;
};

/** A delivery that this process alone sends, until its claim runs out. `attempts` counts this one. */
export type Claimed = Pick<Delivery, 'sequence' | 'event' | 'type' | 'body' | 'attempts'> & {
  readonly claim: string;
  readonly endpoint: string;
  readonly tenantId: string;
  readonly url: string;
  /** The newest first; two while a rotation lasts. */
  readonly secrets: readonly string[];
};

export type ClaimOptions = {
  readonly nowMs: number;
  readonly untilMs: number;
  /** Unique to this call. */
  readonly claim: string;
  readonly most: number;
  readonly perTenant: number;
  /** What each tenant has on its way in this process. */
  readonly busy: ReadonlyMap<string, number>;
};

/** What becomes of a delivery. `disable`: nothing goes to its endpoint any more; `IfSilent`: only if nothing got through since this delivery began. */
export type Ending =
  | { readonly state: 'Delivered' }
  | { readonly state: 'Pending'; readonly nextAtMs: number }
  | { readonly state: 'Dead'; readonly disable?: { readonly when: 'Always' | 'IfSilent'; readonly reason: string } };

/** Events on their way: rows before they are sent. Times are the callers' clocks', which may differ by a few seconds: too early is once more, never never. */
export type Outbox = {
  /** A delivery for each endpoint that wants the event and has none of it yet; how many those are. */
  put(events: readonly OutboxEvent[], nowMs: number): Promise<number>;
  /** One for an endpoint, whatever it asked for. */
  putOne(endpoint: string, event: Omit<OutboxEvent, 'tenantIds'>, nowMs: number): Promise<Delivery>;
  claim(options: ClaimOptions): Promise<readonly Claimed[]>;
  /** Writes down an attempt, and its ending unless another claimed the delivery meanwhile. */
  finish(claimed: Claimed, attempt: Attempt, ending: Ending): Promise<void>;
  /** Gives a claim back, as if nothing had been sent. */
  release(claimed: Claimed, nowMs: number): Promise<void>;
  /** When something is due next. */
  nextAtMs(): Promise<number | undefined>;
  /** Newest first; `before` is a sequence. */
  list(
    endpoint: string,
    filter: { readonly state?: DeliveryState | undefined; readonly before?: bigint | undefined; readonly most: number },
  ): Promise<readonly Delivery[]>;
  find(endpoint: string, event: string): Promise<Delivery | undefined>;
  /** Newest first. */
  attempts(delivery: bigint): Promise<readonly Attempt[]>;
  /** Sends it again, from the first attempt, at once. */
  replay(endpoint: string, event: string, nowMs: number): Promise<Delivery | undefined>;
  /** The same for dead ones of events since then; how many. */
  replayDead(endpoint: string, sinceMs: number, nowMs: number): Promise<number>;
  /** Forgets what began before, at most this many. And disables endpoints that more than that many deliveries wait for. */
  prune(options: {
    readonly beforeMs: number;
    readonly most: number;
    readonly mostWaiting: number;
    readonly nowMs: number;
  }): Promise<number>;
  /** Calls back after something was put, by whichever process, and now and then besides. */
  onPut(listener: () => void): () => void;
};

const CHANNEL = 'sublet_webhooks';
/** Between the clock that stamps what happens and the one that stamps endpoints. */
const SKEW_MS = 2_000;
const MOST_REPLAYED = 10_000;
const MOST_ATTEMPTS_SHOWN = 100;

export function createOutbox({ db, listen }: Pick<Store, 'db' | 'listen'>): Outbox {
  return {
    put: (events, nowMs) => putEvents(db, events, nowMs),
    putOne: async (endpoint, { id, type, body, occurredAtMs }, nowMs) => {
      const now = new Date(nowMs);
      const row = await db
        .insertInto('webhook_deliveries')
        .values({
          endpoint,
          event: id,
          type,
          body,
          state: 'Pending',
          attempts: 0,
          occurred_at: new Date(occurredAtMs),
          started_at: now,
          next_at: now,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await notify(db);
      return parseRow(row);
    },
    claim: (options) => claimDue(db, options),
    finish: (claimed, attempt, ending) => finishClaimed(db, claimed, attempt, ending),
    release: async ({ sequence, claim, attempts }, nowMs) => {
      const released = { claim: null, next_at: new Date(nowMs), attempts: attempts - 1 };
      const query = db.updateTable('webhook_deliveries').set(released).where('sequence', '=', sequence);
      await query.where('claim', '=', claim).execute();
      await notify(db);
    },
    nextAtMs: async () => {
      const row = await db
        .selectFrom('webhook_deliveries')
        .innerJoin('webhook_endpoints', 'webhook_endpoints.id', 'webhook_deliveries.endpoint')
        .select('webhook_deliveries.next_at')
        .where('webhook_deliveries.state', '=', sql.lit('Pending'))
        .where('webhook_endpoints.disabled_at', 'is', null)
        .orderBy('webhook_deliveries.next_at')
        .limit(1)
        .executeTakeFirst();
      return row?.next_at.getTime();
    },
    list: async (endpoint, { state, before, most }) => {
      const all = db.selectFrom('webhook_deliveries').selectAll().where('endpoint', '=', endpoint);
      const ofState = state === undefined ? all : all.where('state', '=', state);
      const older = before === undefined ? ofState : ofState.where('sequence', '<', before);
      return (await older.orderBy('sequence', 'desc').limit(most).execute()).map(parseRow);
    },
    find: async (endpoint, event) => {
      const query = db.selectFrom('webhook_deliveries').selectAll();
      const row = await query.where('endpoint', '=', endpoint).where('event', '=', event).executeTakeFirst();
      return row === undefined ? undefined : parseRow(row);
    },
    attempts: async (delivery) => {
      const query = db.selectFrom('webhook_attempts').selectAll().where('delivery', '=', delivery);
      return (await query.orderBy('sequence', 'desc').limit(MOST_ATTEMPTS_SHOWN).execute()).map(parseAttempt);
    },
    replay: async (endpoint, event, nowMs) => {
      const query = db.updateTable('webhook_deliveries').set(anew(nowMs)).where('endpoint', '=', endpoint);
      const row = await query.where('event', '=', event).returningAll().executeTakeFirst();
      if (row !== undefined) await notify(db);
      return row === undefined ? undefined : parseRow(row);
    },
    replayDead: (endpoint, sinceMs, nowMs) => replayDead(db, endpoint, sinceMs, nowMs),
    prune: (options) => prune(db, options),
    onPut: (listener) => listen(CHANNEL, () => listener()),
  };
}

type Db = Kysely<Tables>;

async function notify(db: Db): Promise<void> {
  await sql`SELECT pg_notify(${CHANNEL}, '')`.execute(db);
}

async function putEvents(db: Db, events: readonly OutboxEvent[], nowMs: number): Promise<number> {
  if (events.length === 0) return 0;
  const now = new Date(nowMs);
  const rows = events.map(({ id, type, tenantIds, body, occurredAtMs }) => {
    const occurredAt = new Date(occurredAtMs).toISOString();
    return { id, type, tenants: tenantIds, body, occurred_at: occurredAt };
  });
  const { rows: answer } = await sql<{ readonly count: bigint }>`
    WITH put AS (
      INSERT INTO webhook_deliveries (endpoint, event, type, body, occurred_at, started_at, next_at)
      SELECT endpoint.id, event.id, event.type, event.body, event.occurred_at, ${now}::timestamptz, ${now}::timestamptz
      FROM json_to_recordset(${JSON.stringify(rows)}::text::json)
        AS event (id text, type text, tenants json, body text, occurred_at timestamptz)
      JOIN webhook_endpoints AS endpoint
        ON endpoint.tenant_id IN (SELECT json_array_elements_text(event.tenants))
        AND event.type = ANY(endpoint.events)
        AND endpoint.since <= event.occurred_at + ${SKEW_MS}::float8 * interval '1 millisecond'
      WHERE endpoint.removed_at IS NULL AND endpoint.disabled_at IS NULL
      ON CONFLICT (endpoint, event) DO NOTHING
      RETURNING 1
    ), counted AS (SELECT count(*) AS count FROM put)
    SELECT count, CASE WHEN count > 0 THEN pg_notify(${CHANNEL}, '') END FROM counted`.execute(db);
  return Number(answer[0]?.count ?? 0n);
}

type ClaimedRow = Pick<Row, 'sequence' | 'event' | 'type' | 'body' | 'attempts' | 'endpoint'> & {
  readonly tenant_id: string;
  readonly url: string;
  readonly secret: string;
  readonly previous_secret: string | null;
  readonly previous_until: Date | null;
};

/** A few of each endpoint first, then of each tenant: who has a hundred thousand waiting holds up nobody, and costs no more to look at than who has ten. */
async function claimDue(
  db: Db,
  { nowMs, untilMs, claim, most, perTenant, busy }: ClaimOptions,
): Promise<readonly Claimed[]> {
  const now = new Date(nowMs);
  const ofTenants = JSON.stringify([...busy].map(([tenant, count]) => ({ tenant, count })));
  const { rows } = await sql<ClaimedRow>`
    WITH due AS (
      SELECT endpoint.tenant_id, delivery.sequence, delivery.next_at,
        row_number() OVER (PARTITION BY endpoint.tenant_id ORDER BY delivery.next_at, delivery.sequence) AS place
      FROM webhook_endpoints AS endpoint CROSS JOIN LATERAL (
        SELECT waiting.sequence, waiting.next_at FROM webhook_deliveries AS waiting
        WHERE waiting.endpoint = endpoint.id AND waiting.state = 'Pending' AND waiting.next_at <= ${now}
        ORDER BY waiting.next_at LIMIT ${perTenant}
      ) AS delivery
      WHERE endpoint.removed_at IS NULL AND endpoint.disabled_at IS NULL
    ), chosen AS (
      SELECT sequence FROM due
      LEFT JOIN json_to_recordset(${ofTenants}::text::json) AS busy (tenant text, count int) ON busy.tenant = due.tenant_id
      WHERE place + coalesce(busy.count, 0) <= ${perTenant}
      ORDER BY next_at LIMIT ${most}
    ), locked AS (
      SELECT sequence FROM webhook_deliveries
      WHERE sequence IN (SELECT sequence FROM chosen) AND state = 'Pending' AND next_at <= ${now}
      FOR UPDATE SKIP LOCKED
    ), claimed AS (
      UPDATE webhook_deliveries AS delivery
      SET claim = ${claim}, next_at = ${new Date(untilMs)}, attempts = attempts + 1
      FROM locked WHERE delivery.sequence = locked.sequence
      RETURNING delivery.*
    )
    SELECT claimed.sequence, claimed.event, claimed.type, claimed.body, claimed.attempts, claimed.endpoint,
      endpoint.tenant_id, endpoint.url, endpoint.secret, endpoint.previous_secret, endpoint.previous_until
    FROM claimed JOIN webhook_endpoints AS endpoint ON endpoint.id = claimed.endpoint`.execute(db);
  return rows.map(({ tenant_id, secret, previous_secret, previous_until, ...row }) => {
    const isPreviousGood = previous_secret !== null && previous_until !== null && previous_until.getTime() > nowMs;
    const secrets = isPreviousGood ? [secret, previous_secret] : [secret];
    return { ...row, claim, tenantId: tenant_id, secrets };
  });
}

async function finishClaimed(db: Db, claimed: Claimed, attempt: Attempt, ending: Ending): Promise<void> {
  const { sequence, claim, endpoint } = claimed;
  const { atMs, durationMs, status = null, problem = null } = attempt;
  const endedAt = new Date(atMs + durationMs);
  await db.transaction().execute(async (transaction) => {
    const moved = await transaction
      .updateTable('webhook_deliveries')
      .set({
        state: ending.state,
        claim: null,
        ...(ending.state === 'Pending' ? { next_at: new Date(ending.nextAtMs) } : { ended_at: endedAt }),
      })
      .where('sequence', '=', sequence)
      .where('claim', '=', claim)
      .where('state', '=', 'Pending')
      .returning('started_at')
      .executeTakeFirst();
    // The endpoint may be gone meanwhile, and with it what was on its way.
    await sql`INSERT INTO webhook_attempts (delivery, at, duration_ms, status, problem)
      SELECT sequence, ${new Date(atMs)}::timestamptz, ${Math.round(durationMs)}::integer, ${status}::integer, ${problem}::text
      FROM webhook_deliveries WHERE sequence = ${sequence}`.execute(transaction);
    const ofEndpoint = transaction.updateTable('webhook_endpoints').where('id', '=', endpoint);
    if (ending.state === 'Delivered') await ofEndpoint.set({ last_success_at: endedAt }).execute();
    if (ending.state !== 'Dead' || ending.disable === undefined || moved === undefined) return;
    const { when, reason } = ending.disable;
    const disabling = ofEndpoint
      .set({ disabled_at: endedAt, disabled_reason: reason })
      .where('disabled_at', 'is', null);
    const silent = disabling.where(({ eb, or }) =>
      or([eb('last_success_at', 'is', null), eb('last_success_at', '<', moved.started_at)]),
    );
    await (when === 'Always' ? disabling : silent).execute();
  });
}

function anew(nowMs: number) {
  const now = new Date(nowMs);
  return { state: 'Pending', attempts: 0, started_at: now, next_at: now, claim: null, ended_at: null };
}

async function replayDead(db: Db, endpoint: string, sinceMs: number, nowMs: number): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable('webhook_deliveries')
    .set(anew(nowMs))
    .where('sequence', 'in', (query) =>
      query
        .selectFrom('webhook_deliveries')
        .select('sequence')
        .where('endpoint', '=', endpoint)
        .where('state', '=', 'Dead')
        .where('occurred_at', '>=', new Date(sinceMs))
        .orderBy('sequence')
        .limit(MOST_REPLAYED),
    )
    .executeTakeFirst();
  if (numUpdatedRows > 0n) await notify(db);
  return Number(numUpdatedRows);
}

async function prune(db: Db, { beforeMs, most, mostWaiting, nowMs }: Parameters<Outbox['prune']>[0]): Promise<number> {
  await sql`
    UPDATE webhook_endpoints SET disabled_at = ${new Date(nowMs)}, disabled_reason = ${`more than ${mostWaiting} messages waited`}
    WHERE disabled_at IS NULL AND removed_at IS NULL AND id IN (
      SELECT endpoint FROM webhook_deliveries WHERE state = 'Pending' GROUP BY endpoint HAVING count(*) > ${mostWaiting}
    )`.execute(db);
  const { numAffectedRows = 0n } = await sql`
    DELETE FROM webhook_deliveries WHERE sequence IN (
      SELECT sequence FROM webhook_deliveries WHERE started_at < ${new Date(beforeMs)} ORDER BY started_at LIMIT ${most}
    )`.execute(db);
  return Number(numAffectedRows);
}

type Row = Selectable<WebhookDeliveriesTable>;

function parseRow(row: Row): Delivery {
  const { sequence, event, type, body, state, attempts } = row;
  const known = DELIVERY_STATES.find((one) => one === state) ?? 'Pending';
  return {
    sequence,
    event,
    type,
    body,
    state: known,
    attempts,
    occurredAtMs: row.occurred_at.getTime(),
    nextAtMs: row.next_at.getTime(),
    endedAtMs: row.ended_at?.getTime(),
  };
}

function parseAttempt({ at, duration_ms, status, problem }: Selectable<WebhookAttemptsTable>): Attempt {
  return { atMs: at.getTime(), durationMs: duration_ms, status: status ?? undefined, problem: problem ?? undefined };
}
