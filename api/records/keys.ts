import { type Kysely, sql } from 'kysely';
import { Member } from '../../crds/v1alpha1/tenant.ts';
import type { Tables } from '../../store/tables.ts';
import type { Role } from '../authorize.ts';

/** An API key as it is kept: never its secret. */
export type KeyRecord = {
  readonly id: string;
  readonly name: string;
  readonly salt: string;
  readonly hash: string;
  /** The user in whose name it acts. */
  readonly maker: string;
  /** Path of the tenant at and below which it acts; absent: everywhere. */
  readonly scope: string | undefined;
  readonly role: Role;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly lastUsedAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
};

/** What is asked of a record: the newest of what was before, about what was made since. */
export type TracePage = { readonly madeSinceMs: number; readonly beforeMs: number; readonly most: number };

/** That a key was used on one day (UTC) from one address. */
export type KeyUse = {
  readonly key: KeyRecord;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** Absent where the day had more addresses than are kept apart. */
  readonly from: string | undefined;
};

/** `by` is absent where it was not written down yet. */
export type Revocation = { readonly atMs: number; readonly by: string | undefined };

/** What became of the keys of a scope, each newest first. */
export type KeyTraces = {
  readonly made: readonly KeyRecord[];
  readonly revoked: readonly (Revocation & { readonly key: KeyRecord })[];
  readonly used: readonly KeyUse[];
};

export type KeyRecords = {
  add(key: KeyRecord): Promise<void>;
  find(id: string): Promise<KeyRecord | undefined>;
  /** Those of one scope that were not revoked, oldest first. */
  list(scope: string | undefined): Promise<readonly KeyRecord[]>;
  listTraces(scope: string | undefined, page: TracePage): Promise<KeyTraces>;
  /** Keys of one maker that are neither revoked nor past their time. */
  count(maker: string, nowMs: number): Promise<number>;
  /** Whether there was anything to revoke. From then on nobody finds the key good. */
  revoke(id: string, revocation: { readonly atMs: number; readonly by: string }): Promise<boolean>;
  /** However often it is called, there is one row a day and address, of a bounded number of addresses. */
  noteUse(key: Pick<KeyRecord, 'id' | 'scope'>, use: { readonly atMs: number; readonly from: string }): Promise<void>;
};

/** Keys in the database, read anew at each use: what was revoked by one replica is so for all at once. */
export function createKeyRecords(db: Kysely<Tables>): KeyRecords {
  return {
    add: async (key) => {
      await db
        .insertInto('api_keys')
        .values({
          id: key.id,
          name: key.name,
          salt: key.salt,
          hash: key.hash,
          maker: key.maker,
          scope: key.scope ?? '',
          role: key.role,
          created_at: new Date(key.createdAtMs),
          expires_at: new Date(key.expiresAtMs),
        })
        .execute();
    },
    find: async (id) => {
      const row = await db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : parseRow(row);
    },
    list: async (scope) => {
      const rows = await db
        .selectFrom('api_keys')
        .selectAll()
        .where('scope', '=', scope ?? '')
        .where('revoked_at', 'is', null)
        .orderBy('created_at')
        .orderBy('id')
        .limit(MOST)
        .execute();
      return rows.map(parseRow);
    },
    listTraces: (scope, page) => listTraces(db, scope, page),
    count: async (maker, nowMs) => {
      const row = await db
        .selectFrom('api_keys')
        .select(({ fn }) => fn.countAll<bigint>().as('count'))
        .where('maker', '=', maker)
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', new Date(nowMs))
        .executeTakeFirstOrThrow();
      return Number(row.count);
    },
    revoke: async (id, { atMs, by }) => {
      const { numUpdatedRows } = await db
        .updateTable('api_keys')
        .set({ revoked_at: new Date(atMs), revoked_by: by })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    noteUse: async ({ id, scope }, { atMs, from }) => {
      await noteUse(db, { id, scope: scope ?? '', at: new Date(atMs), address: from.slice(0, 64) });
      await db
        .updateTable('api_keys')
        .set({ last_used_at: new Date(atMs) })
        .where('id', '=', id)
        .execute();
    },
  };
}

/** Whether somebody gets in with it at this moment. */
export function isGoodKey(key: KeyRecord | undefined, nowMs: number): key is KeyRecord {
  return key !== undefined && key.revokedAtMs === undefined && key.expiresAtMs > nowMs;
}

const MOST = 1_000;
/** Of one key and day; what comes from others after these is one row without address. */
const MOST_ADDRESSES = 32;

async function noteUse(
  db: Kysely<Tables>,
  {
    id,
    scope,
    at,
    address,
  }: { readonly id: string; readonly scope: string; readonly at: Date; readonly address: string },
): Promise<void> {
  const day = at.toISOString().slice(0, 10);
  await sql`
    INSERT INTO key_uses (key, day, address, scope, first_at, last_at)
    SELECT ${id}, ${day}, CASE WHEN count(*) < ${MOST_ADDRESSES} OR bool_or(address = ${address}) THEN ${address} ELSE '' END,
           ${scope}, ${at}::timestamptz, ${at}::timestamptz
    FROM key_uses WHERE key = ${id} AND day = ${day}
    ON CONFLICT (key, day, address) DO UPDATE SET last_at = greatest(key_uses.last_at, excluded.last_at)`.execute(db);
}

async function listTraces(
  db: Kysely<Tables>,
  scope: string | undefined,
  { madeSinceMs, beforeMs, most }: TracePage,
): Promise<KeyTraces> {
  const [since, before] = [new Date(madeSinceMs), new Date(beforeMs)];
  const keys = db
    .selectFrom('api_keys')
    .selectAll()
    .where('scope', '=', scope ?? '')
    .where('created_at', '>=', since)
    .limit(most);
  const [made, revoked, used] = await Promise.all([
    keys.where('created_at', '<', before).orderBy('created_at', 'desc').execute(),
    keys.where('revoked_at', '<', before).orderBy('revoked_at', 'desc').execute(),
    db
      .selectFrom('key_uses')
      .innerJoin('api_keys', 'api_keys.id', 'key_uses.key')
      .selectAll('api_keys')
      .select(['key_uses.address', 'key_uses.first_at', 'key_uses.last_at'])
      .where('key_uses.scope', '=', scope ?? '')
      .where('key_uses.first_at', '<', before)
      .where('api_keys.created_at', '>=', since)
      .orderBy('key_uses.first_at', 'desc')
      .limit(most)
      .execute(),
  ]);
  return {
    made: made.map(parseRow),
    revoked: revoked.map((row) => ({
      key: parseRow(row),
      atMs: row.revoked_at?.getTime() ?? 0,
      by: row.revoked_by ?? undefined,
    })),
    used: used.map((row) => ({
      key: parseRow(row),
      firstAtMs: row.first_at.getTime(),
      lastAtMs: row.last_at.getTime(),
      from: row.address === '' ? undefined : row.address,
    })),
  };
}

type Row = {
  readonly id: string;
  readonly name: string;
  readonly salt: string;
  readonly hash: string;
  readonly maker: string;
  readonly scope: string;
  readonly role: string;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly last_used_at: Date | null;
  readonly revoked_at: Date | null;
};

function parseRow(row: Row): KeyRecord {
  const { id, name, salt, hash, maker, scope } = row;
  return {
    id,
    name,
    salt,
    hash,
    maker,
    scope: scope === '' ? undefined : scope,
    role: Member.shape.role.parse(row.role),
    createdAtMs: row.created_at.getTime(),
    expiresAtMs: row.expires_at.getTime(),
    lastUsedAtMs: row.last_used_at?.getTime(),
    revokedAtMs: row.revoked_at?.getTime(),
  };
}
