import { type Kysely, type Selectable, sql } from 'kysely';
import type { Tables } from '../../store/tables.ts';
import type { WebhookEndpointsTable } from '../../store/webhooktables.ts';
import { EVENT_TYPES, type EventType } from './events.ts';

/** Where a tenant hears of its events. Its secrets stay in the database, but for the moment when one is made. */
export type Endpoint = {
  readonly id: string;
  readonly url: string;
  readonly description: string;
  readonly events: readonly EventType[];
  readonly maker: string;
  readonly createdAtMs: number;
  /** Until then the secret before is good, too. */
  readonly previousUntilMs: number | undefined;
  readonly lastSuccessAtMs: number | undefined;
  readonly disabledAtMs: number | undefined;
  readonly disabledReason: string | undefined;
};

/** What is written down of an endpoint that is made or removed, for audit. */
export type EndpointTrace = {
  readonly url: string;
  readonly maker: string;
  readonly createdAtMs: number;
  readonly removed: { readonly atMs: number; readonly by: string } | undefined;
};

export type NewEndpoint = {
  readonly id: string;
  readonly tenantId: string;
  readonly url: string;
  readonly description: string;
  readonly events: readonly EventType[];
  readonly secret: string;
  readonly maker: string;
  readonly atMs: number;
};

export type EndpointEdit = {
  readonly description?: string | undefined;
  readonly events?: readonly EventType[] | undefined;
  readonly enabled?: boolean | undefined;
};

/** Endpoints in the database. All but `add` find those of one tenant alone, by its identity. */
export type Endpoints = {
  /** False: the tenant has as many as it may have. */
  add(endpoint: NewEndpoint): Promise<boolean>;
  /** Oldest first. */
  list(tenantId: string): Promise<readonly Endpoint[]>;
  find(tenantId: string, id: string): Promise<Endpoint | undefined>;
  /** With events that it had not, or enabled again, it hears of what happens from now on. */
  edit(tenantId: string, id: string, edit: EndpointEdit, nowMs: number): Promise<Endpoint | undefined>;
  /** Makes another secret the one; the one so far is good for signatures until then. */
  rotate(
    tenantId: string,
    id: string,
    rotation: { readonly secret: string; readonly previousUntilMs: number },
  ): Promise<Endpoint | undefined>;
  /** Forgets its secrets and what was on its way to it. False when there was none. */
  remove(tenantId: string, id: string, removal: { readonly by: string; readonly atMs: number }): Promise<boolean>;
  /** Those removed, too; newest first. */
  listTraces(tenantId: string): Promise<readonly EndpointTrace[]>;
};

export const MOST_ENDPOINTS = 16;
const MOST_TRACES = 1_000;

export function createEndpoints(db: Kysely<Tables>): Endpoints {
  const live = (tenantId: string) =>
    db.selectFrom('webhook_endpoints').selectAll().where('tenant_id', '=', tenantId).where('removed_at', 'is', null);
  const change = (tenantId: string, id: string) =>
    db
      .updateTable('webhook_endpoints')
      .where('tenant_id', '=', tenantId)
      .where('id', '=', id)
      .where('removed_at', 'is', null);
  return {
    add: (endpoint) => addEndpoint(db, endpoint),
    list: async (tenantId) => {
      const rows = await live(tenantId).orderBy('created_at').orderBy('id').limit(MOST_ENDPOINTS).execute();
      return rows.map(parseRow);
    },
    find: async (tenantId, id) => {
      const row = await live(tenantId).where('id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : parseRow(row);
    },
    edit: async (tenantId, id, edit, nowMs) => {
      const { description, events, enabled } = edit;
      const now = new Date(nowMs);
      const row = await change(tenantId, id)
        .set({
          ...(description === undefined ? {} : { description }),
          ...(events === undefined ? {} : { events: [...events] }),
          ...(events === undefined && enabled !== true ? {} : { since: now }),
          ...(enabled === true ? { disabled_at: null, disabled_reason: null } : {}),
          ...(enabled === false ? { disabled_at: now, disabled_reason: 'by a member' } : {}),
        })
        .returningAll()
        .executeTakeFirst();
      return row === undefined ? undefined : parseRow(row);
    },
    rotate: async (tenantId, id, { secret, previousUntilMs }) => {
      const row = await change(tenantId, id)
        .set({ secret, previous_secret: sql`secret`, previous_until: new Date(previousUntilMs) })
        .returningAll()
        .executeTakeFirst();
      return row === undefined ? undefined : parseRow(row);
    },
    remove: (tenantId, id, removal) => removeEndpoint(db, tenantId, id, removal),
    listTraces: async (tenantId) => {
      const rows = await db
        .selectFrom('webhook_endpoints')
        .selectAll()
        .where('tenant_id', '=', tenantId)
        .orderBy('created_at', 'desc')
        .limit(MOST_TRACES)
        .execute();
      return rows.map(parseTrace);
    },
  };
}

async function addEndpoint(db: Kysely<Tables>, endpoint: NewEndpoint): Promise<boolean> {
  return db.transaction().execute(async (transaction) => {
    // Two at once would both find room for one.
    await sql`SELECT pg_advisory_xact_lock(hashtext(${endpoint.tenantId}))`.execute(transaction);
    const { count } = await transaction
      .selectFrom('webhook_endpoints')
      .select(({ fn }) => fn.countAll<bigint>().as('count'))
      .where('tenant_id', '=', endpoint.tenantId)
      .where('removed_at', 'is', null)
      .executeTakeFirstOrThrow();
    if (count >= MOST_ENDPOINTS) return false;
    const { id, tenantId, url, description, events, secret, maker, atMs } = endpoint;
    const at = new Date(atMs);
    await transaction
      .insertInto('webhook_endpoints')
      .values({
        id,
        tenant_id: tenantId,
        url,
        description,
        events: [...events],
        secret,
        maker,
        created_at: at,
        since: at,
      })
      .execute();
    return true;
  });
}

async function removeEndpoint(
  db: Kysely<Tables>,
  tenantId: string,
  id: string,
  { by, atMs }: { readonly by: string; readonly atMs: number },
): Promise<boolean> {
  return db.transaction().execute(async (transaction) => {
    const { numUpdatedRows } = await transaction
      .updateTable('webhook_endpoints')
      .set({ removed_at: new Date(atMs), removed_by: by, secret: '', previous_secret: null, previous_until: null })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', id)
      .where('removed_at', 'is', null)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    await transaction.deleteFrom('webhook_deliveries').where('endpoint', '=', id).execute();
    return true;
  });
}

type Row = Selectable<WebhookEndpointsTable>;

function parseRow(row: Row): Endpoint {
  return {
    id: row.id,
    url: row.url,
    description: row.description,
    events: EVENT_TYPES.filter((type) => row.events.includes(type)),
    maker: row.maker,
    createdAtMs: row.created_at.getTime(),
    previousUntilMs: row.previous_until?.getTime(),
    lastSuccessAtMs: row.last_success_at?.getTime(),
    disabledAtMs: row.disabled_at?.getTime(),
    disabledReason: row.disabled_reason ?? undefined,
  };
}

function parseTrace({ url, maker, created_at, removed_at, removed_by }: Row): EndpointTrace {
  const removed = removed_at === null ? undefined : { atMs: removed_at.getTime(), by: removed_by ?? '' };
  return { url, maker, createdAtMs: created_at.getTime(), removed };
}
