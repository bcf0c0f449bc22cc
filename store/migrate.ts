import { type Kysely, sql } from 'kysely';
import { MIGRATIONS, type Migration } from './migrations.ts';

/** The database was made by a newer program. Nothing was changed. */
export class StoreTooNew extends Error {
  override readonly name = 'StoreTooNew';
}

/**
 * Brings the schema up to this program's, all missing steps in one transaction: either all of them are there or none. Programs that start at once wait
 * for each other. Refuses a database that is newer than the program, which could not know what its rows mean. Gives the names of the steps made.
 */
export async function migrate<T>(
  db: Kysely<T>,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<readonly string[]> {
  return await db.transaction().execute(async (transaction) => {
    await sql`SELECT pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(transaction);
    await sql`CREATE TABLE IF NOT EXISTS schema_steps (
      version integer PRIMARY KEY, name text NOT NULL, made_at timestamptz NOT NULL DEFAULT now()
    )`.execute(transaction);
    const { rows } = await sql<{
      version: number;
      name: string;
    }>`SELECT version, name FROM schema_steps ORDER BY version`.execute(transaction);
    const newest = rows.at(-1);
    if (newest !== undefined && newest.version > migrations.length) {
      throw new StoreTooNew(
        `the database is at step ${newest.version} (${newest.name}) and this program knows ${migrations.length}; start the program that made it, or a newer one`,
      );
    }
    const missing = migrations.slice(newest?.version ?? 0);
    for (const [index, { name, statements }] of missing.entries()) {
      for (const statement of statements) await sql.raw(statement).execute(transaction);
      const version = (newest?.version ?? 0) + index + 1;
      await sql`INSERT INTO schema_steps (version, name) VALUES (${version}, ${name})`.execute(transaction);
    }
    return missing.map(({ name }) => name);
  });
}

/** "subl" in ASCII: any number that other users of the database do not lock. */
const LOCK = 0x7375626c;
