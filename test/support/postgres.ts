import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import type { StoreAddress } from '../../store/store.ts';
import { isRequired } from './cluster.ts';
import { createDatabase, execute } from './postgresserver.ts';
import type { PostgresProvision } from './postgressetup.ts';

const MAX_REASON = 400;
const START_TIMEOUT_MS = 400_000;
/** A machine that does much else connects late, and a hundred calls at once wait for their turns in the pool. */
const PATIENCE_MS = 120_000;

/** A store's address there, for tests: with time for everything. */
export function addressOf(url: string) {
  return {
    type: 'Postgres',
    url,
    connectTimeoutMs: PATIENCE_MS,
    statementTimeoutMs: PATIENCE_MS,
  } as const satisfies StoreAddress;
}

/**
 * A `describe` whose tests have a database of their own on the PostgreSQL that the whole run shares. Where there is none they are skipped and the
 * reason stands in the name; when `SUBLET_REQUIRE` lists `postgres`, that is a failure instead.
 */
export async function describeWithPostgres(name: string, tests: (url: () => string) => void): Promise<void> {
  const provision = await askForPostgres();
  if (!provision.available) return describeLack(name, provision.reason, tests);
  describe(name, () => {
    let url: string | undefined;
    const database = `test_${randomBytes(6).toString('hex')}`;
    beforeAll(async () => {
      url = await createDatabase(provision.url, database);
    }, START_TIMEOUT_MS);
    afterAll(async () => {
      await execute(provision.url, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    }, START_TIMEOUT_MS);
    tests(() => url ?? unreachable());
  });
}

async function askForPostgres(): Promise<PostgresProvision> {
  const response = await fetch(`http://127.0.0.1:${inject('postgresPort')}/`);
  if (!response.ok) throw new Error(`PostgreSQL for tests: ${await response.text()}`);
  return (await response.json()) as PostgresProvision;
}

function describeLack(name: string, reason: string, tests: (url: () => string) => void): void {
  if (isRequired('postgres')) {
    describe(name, () => {
      it('has what it needs (postgres, which SUBLET_REQUIRE lists)', () => {
        throw new Error(`there is no PostgreSQL for these tests: ${reason}`);
      });
    });
    return;
  }
  const line = reason.replaceAll(/\s+/g, ' ').replaceAll(/[[\]]/g, '').slice(0, MAX_REASON);
  describe.skip(`${name} [needs postgres: ${line}]`, () => tests(unreachable));
}

function unreachable(): never {
  throw new Error('the database is there only while a test or a hook of this group runs');
}
