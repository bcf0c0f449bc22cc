import { type Kysely, sql } from 'kysely';
import type { Tables } from '../../store/tables.ts';
import type { Revocation, TracePage } from './keys.ts';

/** A right to sign up below a seller. Its code is kept as a hash. */
export type Invitation = {
  readonly id: string;
  readonly hash: string;
  /** Whose customer one becomes: the seller's namespace and, absent for the provider, path. */
  readonly namespace: string;
  readonly path: string | undefined;
  readonly plan: string;
  /** Whose right to sell it carries. */
  readonly maker: string;
  readonly maxUses: number;
  /** It takes nobody while `admits` have signed up below the seller within `windowHours`, by whichever of its invitations. */
  readonly admits: number;
  readonly windowHours: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
};

export type InvitationUse = Invitation & { readonly uses: number };

export type ReserveTimes = { readonly nowMs: number; readonly madeSinceMs: number };

export type Reservation =
  /** `changeId`: the same user's earlier sign-up with this invitation. */
  | { readonly type: 'reserved'; readonly changeId: string | undefined }
  | { readonly type: 'used-up' }
  | { readonly type: 'later'; readonly retryAtMs: number };

/** That somebody took a place of an invitation. */
export type SignUp = {
  readonly invitation: Invitation;
  readonly subject: string;
  readonly atMs: number;
  /** What came of it. */
  readonly changeId: string | undefined;
};

/** What became of a seller's invitations, each newest first. */
export type InvitationTraces = {
  readonly made: readonly Invitation[];
  readonly revoked: readonly (Revocation & { readonly invitation: Invitation })[];
  readonly used: readonly SignUp[];
};

export type InvitationRecords = {
  add(invitation: Invitation): Promise<void>;
  /** Those of a seller that were not revoked, oldest first. */
  list(namespace: string): Promise<readonly InvitationUse[]>;
  /** One that is neither revoked nor past its time. */
  find(hash: string, nowMs: number): Promise<Invitation | undefined>;
  revoke(namespace: string, id: string, revocation: { readonly atMs: number; readonly by: string }): Promise<boolean>;
  listTraces(namespace: string, page: TracePage): Promise<InvitationTraces>;
  /** Takes a place for a user, once; of many at the same time no more than there are places. Invitations from before `madeSinceMs` are another seller's. */
  reserve(invitation: Invitation, subject: string, at: ReserveTimes): Promise<Reservation>;
  /** Notes the change that came of a place, also of one that was given back meanwhile. */
  settle(id: string, subject: string, outcome: { readonly changeId: string; readonly atMs: number }): Promise<void>;
  /** Gives a place back that nothing came of. */
  release(id: string, subject: string): Promise<void>;
};

const HOUR_MS = 3_600_000;
const MOST = 1_000;

export function createInvitationRecords(db: Kysely<Tables>): InvitationRecords {
  return {
    add: async (invitation) => {
      await db.insertInto('invitations').values(toRow(invitation)).execute();
    },
    list: async (namespace) => {
      const rows = await db
        .selectFrom('invitations')
        .selectAll()
        .select((eb) =>
          eb
            .selectFrom('signups')
            .select(({ fn }) => fn.countAll<bigint>().as('count'))
            .whereRef('signups.invitation', '=', 'invitations.id')
            .as('uses'),
        )
        .where('namespace', '=', namespace)
        .where('revoked_at', 'is', null)
        .orderBy('created_at')
        .limit(MOST)
        .execute();
      return rows.map((row) => ({ ...parseRow(row), uses: Number(row.uses ?? 0) }));
    },
    find: async (hash, nowMs) => {
      const row = await db
        .selectFrom('invitations')
        .selectAll()
        .where('hash', '=', hash)
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', new Date(nowMs))
        .executeTakeFirst();
      return row === undefined ? undefined : parseRow(row);
    },
    revoke: async (namespace, id, { atMs, by }) => {
      const { numUpdatedRows } = await db
        .updateTable('invitations')
        .set({ revoked_at: new Date(atMs), revoked_by: by })
        .where('namespace', '=', namespace)
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    listTraces: (namespace, page) => listTraces(db, namespace, page),
    reserve: (invitation, subject, at) => reserve(db, invitation, subject, at),
    settle: async (id, subject, { changeId, atMs }) => {
      await db
        .insertInto('signups')
        .values({ invitation: id, subject, at: new Date(atMs), change_id: changeId })
        .onConflict((conflict) => conflict.columns(['invitation', 'subject']).doUpdateSet({ change_id: changeId }))
        .execute();
    },
    release: async (id, subject) => {
      await db
        .deleteFrom('signups')
        .where('invitation', '=', id)
        .where('subject', '=', subject)
        .where('change_id', 'is', null)
        .execute();
    },
  };
}

async function reserve(
  db: Kysely<Tables>,
  { id, namespace, maxUses, admits, windowHours }: Invitation,
  subject: string,
  { nowMs, madeSinceMs }: ReserveTimes,
): Promise<Reservation> {
  return db.transaction().execute(async (transaction) => {
    // One at a time below a seller, so that counting and taking are one.
    await sql`SELECT pg_advisory_xact_lock(hashtext(${`signups of ${namespace}`}))`.execute(transaction);
    const signups = await transaction
      .selectFrom('signups')
      .select(['subject', 'change_id'])
      .where('invitation', '=', id)
      .execute();
    const own = signups.find((signup) => signup.subject === subject);
    if (own !== undefined) return { type: 'reserved', changeId: own.change_id ?? undefined };
    if (signups.length >= maxUses) return { type: 'used-up' };
    const windowMs = windowHours * HOUR_MS;
    const full = await transaction
      .selectFrom('signups')
      .innerJoin('invitations', 'invitations.id', 'signups.invitation')
      .select('signups.at')
      .where('invitations.namespace', '=', namespace)
      .where('invitations.created_at', '>=', new Date(madeSinceMs))
      .where('signups.at', '>', new Date(nowMs - windowMs))
      .orderBy('signups.at', 'desc')
      .offset(admits - 1)
      .limit(1)
      .executeTakeFirst();
    if (full !== undefined) return { type: 'later', retryAtMs: full.at.getTime() + windowMs };
    await transaction
      .insertInto('signups')
      .values({ invitation: id, subject, at: new Date(nowMs) })
      .execute();
    return { type: 'reserved', changeId: undefined };
  });
}

async function listTraces(
  db: Kysely<Tables>,
  namespace: string,
  { madeSinceMs, beforeMs, most }: TracePage,
): Promise<InvitationTraces> {
  const [since, before] = [new Date(madeSinceMs), new Date(beforeMs)];
  const invitations = db
    .selectFrom('invitations')
    .selectAll()
    .where('namespace', '=', namespace)
    .where('created_at', '>=', since)
    .limit(most);
  const [made, revoked, used] = await Promise.all([
    invitations.where('created_at', '<', before).orderBy('created_at', 'desc').execute(),
    invitations.where('revoked_at', '<', before).orderBy('revoked_at', 'desc').execute(),
    db
      .selectFrom('signups')
      .innerJoin('invitations', 'invitations.id', 'signups.invitation')
      .selectAll('invitations')
      .select(['signups.subject', 'signups.at', 'signups.change_id'])
      .where('invitations.namespace', '=', namespace)
      .where('signups.at', '<', before)
      .where('invitations.created_at', '>=', since)
      .orderBy('signups.at', 'desc')
      .limit(most)
      .execute(),
  ]);
  return {
    made: made.map(parseRow),
    revoked: revoked.map((row) => ({
      invitation: parseRow(row),
      atMs: row.revoked_at?.getTime() ?? 0,
      by: row.revoked_by ?? undefined,
    })),
    used: used.map((row) => ({
      invitation: parseRow(row),
      subject: row.subject,
      atMs: row.at.getTime(),
      changeId: row.change_id ?? undefined,
    })),
  };
}

function toRow(invitation: Invitation) {
  return {
    id: invitation.id,
    hash: invitation.hash,
    namespace: invitation.namespace,
    path: invitation.path ?? '',
    plan: invitation.plan,
    maker: invitation.maker,
    // No right comes from a group; the column is of a program before.
    maker_groups: '[]',
    max_uses: invitation.maxUses,
    admits: invitation.admits,
    window_hours: invitation.windowHours,
    created_at: new Date(invitation.createdAtMs),
    expires_at: new Date(invitation.expiresAtMs),
  };
}

type Row = ReturnType<typeof toRow>;

function parseRow(row: Row): Invitation {
  return {
    id: row.id,
    hash: row.hash,
    namespace: row.namespace,
    path: row.path === '' ? undefined : row.path,
    plan: row.plan,
    maker: row.maker,
    maxUses: row.max_uses,
    admits: row.admits,
    windowHours: row.window_hours,
    createdAtMs: row.created_at.getTime(),
    expiresAtMs: row.expires_at.getTime(),
  };
}
