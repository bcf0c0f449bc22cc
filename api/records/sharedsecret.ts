import type { Kysely } from 'kysely';
import type { Random } from '../../kube/clock.ts';
import type { Tables } from '../../store/tables.ts';

const BYTES = 32;

/** The secret of that name: made by the process that asks first, the same for all that ask later. */
export async function shareSecret(db: Kysely<Tables>, name: string, random: Random): Promise<Uint8Array> {
  const value = Buffer.from(random.bytes(BYTES)).toString('base64');
  await db
    .insertInto('shared_secrets')
    .values({ name, value })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const row = await db.selectFrom('shared_secrets').select('value').where('name', '=', name).executeTakeFirstOrThrow();
  return Buffer.from(row.value, 'base64');
}
