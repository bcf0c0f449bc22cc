import type { Kysely } from 'kysely';
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

export type KeyRecords = {
  add(key: KeyRecord): Promise<void>;
  find(id: string): Promise<KeyRecord | undefined>;
  /** Those of one scope that were not revoked, oldest first. */
  list(scope: string | undefined): Promise<readonly KeyRecord[]>;
  /** Those of one scope, revoked ones too, newest first. */
  listAll(scope: string | undefined): Promise<readonly KeyRecord[]>;
  /** Keys of one maker that are neither revoked nor past their time. */
  count(maker: string, nowMs: number): Promise<number>;
  /** Whether there was anything to revoke. From then on nobody finds the key good. */
  revoke(id: string, atMs: number): Promise<boolean>;
  touch(id: string, atMs: number): Promise<void>;
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
    listAll: async (scope) => {
      const rows = await db
        .selectFrom('api_keys')
        .selectAll()
        .where('scope', '=', scope ?? '')
        .orderBy('created_at', 'desc')
        .limit(MOST)
        .execute();
      return rows.map(parseRow);
    },
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
    revoke: async (id, atMs) => {
      const { numUpdatedRows } = await db
        .updateTable('api_keys')
        .set({ revoked_at: new Date(atMs) })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    touch: async (id, atMs) => {
      await db
        .updateTable('api_keys')
        .set({ last_used_at: new Date(atMs) })
        .where('id', '=', id)
        .execute();
    },
  };
}

const MOST = 1_000;

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
