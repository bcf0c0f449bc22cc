import type { Kysely } from 'kysely';
import type { Tables } from '../../store/tables.ts';
import type { Principal } from '../authorize.ts';

/** A link that shows a desktop's password once. The token in it is kept as its hash only. */
export type LinkRecord = {
  readonly hash: string;
  readonly namespace: string;
  readonly desktop: string;
  /** Whose rights it carries. */
  readonly maker: Pick<Principal, 'username' | 'groups'> & { readonly keyId: string | undefined };
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
};

/** A link that was used. */
export type Reveal = Pick<LinkRecord, 'namespace' | 'desktop' | 'maker'> & {
  readonly atMs: number;
  readonly from: string;
};

export type LinkRecords = {
  add(link: LinkRecord): Promise<void>;
  /** Uses the link up; `undefined` when there is none, or it was used up or is past its time. Of any number at once one gets it. */
  burn(hash: string, use: { readonly atMs: number; readonly from: string }): Promise<LinkRecord | undefined>;
  /** Newest first. */
  listReveals(
    namespace: string,
    page: { readonly beforeMs: number; readonly most: number },
  ): Promise<readonly Reveal[]>;
};

export function createLinkRecords(db: Kysely<Tables>): LinkRecords {
  return {
    add: async ({ hash, namespace, desktop, maker, createdAtMs, expiresAtMs }) => {
      await db
        .insertInto('password_links')
        .values({
          hash,
          namespace,
          desktop,
          maker: maker.username,
          maker_groups: JSON.stringify(maker.groups),
          maker_key: maker.keyId ?? null,
          created_at: new Date(createdAtMs),
          expires_at: new Date(expiresAtMs),
        })
        .execute();
    },
    burn: async (hash, { atMs, from }) => {
      const row = await db
        .updateTable('password_links')
        .set({ burnt_at: new Date(atMs), burnt_from: from.slice(0, 64) })
        .where('hash', '=', hash)
        .where('burnt_at', 'is', null)
        .where('expires_at', '>', new Date(atMs))
        .returningAll()
        .executeTakeFirst();
      return row === undefined ? undefined : parseRow(row);
    },
    listReveals: async (namespace, { beforeMs, most }) => {
      const rows = await db
        .selectFrom('password_links')
        .selectAll()
        .where('namespace', '=', namespace)
        .where('burnt_at', '<', new Date(beforeMs))
        .orderBy('burnt_at', 'desc')
        .limit(most)
        .execute();
      return rows.map((row) => ({
        ...parseRow(row),
        atMs: row.burnt_at?.getTime() ?? 0,
        from: row.burnt_from ?? '',
      }));
    },
  };
}

type Row = {
  readonly hash: string;
  readonly namespace: string;
  readonly desktop: string;
  readonly maker: string;
  readonly maker_groups: string;
  readonly maker_key: string | null;
  readonly created_at: Date;
  readonly expires_at: Date;
};

function parseRow(row: Row): LinkRecord {
  const { hash, namespace, desktop, maker, maker_groups, maker_key, created_at, expires_at } = row;
  const groups: readonly string[] = JSON.parse(maker_groups);
  return {
    hash,
    namespace,
    desktop,
    maker: { username: maker, groups, keyId: maker_key ?? undefined },
    createdAtMs: created_at.getTime(),
    expiresAtMs: expires_at.getTime(),
  };
}
