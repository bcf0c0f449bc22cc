import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { realClock, realRandom } from '../kube/clock.ts';
import { createTestLog } from '../kube/testing/testlog.ts';
import { addressOf, describeWithPostgres } from '../test/support/postgres.ts';
import { FolderInUse } from './lock.ts';
import { migrate, StoreTooNew } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import { openStore, type Store, type StoreAddress } from './store.ts';

// Holds on a machine that is busy with much else.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });
const WAIT_MS = 200_000;
const deps = { clock: realClock, random: realRandom, log: createTestLog().log };

describe('a store on PGlite', () => {
  describeStore(async () => ({ type: 'Embedded' }));
});

await describeWithPostgres('a store on PostgreSQL', (url) => {
  describeStore(async () => addressOf(url()));

  it('lets programs that start at once make each step once', async () => {
    const stores = await Promise.all(Array.from({ length: 5 }, () => openStore(deps, addressOf(url()))));
    for (const store of stores) await store.close();
  });

  it('ends a statement that takes too long', async () => {
    const store = await openStore(deps, { ...addressOf(url()), statementTimeoutMs: 3_000 });
    await expect(sql`SELECT pg_sleep(300)`.execute(store.db)).rejects.toThrow('statement timeout');
    expect(await store.health()).toEqual({ ok: true });
    await store.close();
  });

  it('hears again after its session was ended, and says that it may have missed something', async () => {
    const [store, other] = [await openStore(deps, addressOf(url())), await openStore(deps, addressOf(url()))];
    const heard: (string | undefined)[] = [];
    store.listen('sublet_test', (payload) => heard.push(payload));
    await until(() => heard.includes(undefined));
    heard.length = 0;
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()`.execute(
      other.db,
    );
    await until(() => heard.includes(undefined));
    await untilHeard(heard, 'after', () => sql`SELECT pg_notify('sublet_test', 'after')`.execute(other.db));
    await store.close();
    await other.close();
  });

  it('says what is wrong with a server that does not answer, without the password', async () => {
    const address = {
      type: 'Postgres',
      url: 'postgresql://sublet:s3cret@127.0.0.1:1/sublet',
      connectTimeoutMs: 30_000,
    } as const;
    await expect(openStore(deps, address)).rejects.toThrow(/ECONNREFUSED/);
    await expect(openStore(deps, address)).rejects.not.toThrow(/s3cret/);
    await expect(openStore(deps, { type: 'Postgres', url: 'mysql://sublet:s3cret@db/sublet' })).rejects.toThrow(
      /postgresql:\/\//,
    );
    await expect(openStore(deps, { type: 'Postgres', url: 'mysql://sublet:s3cret@db/sublet' })).rejects.not.toThrow(
      /s3cret/,
    );
  });
});

/** What both have in common. */
function describeStore(address: () => Promise<StoreAddress>): void {
  let store: Store;
  beforeAll(async () => {
    store = await openStore(deps, await address());
  });
  afterAll(() => store.close());

  it('has every step once, and makes none again', async () => {
    const { rows } = await sql<{ name: string }>`SELECT name FROM schema_steps ORDER BY version`.execute(store.db);
    expect(rows.map(({ name }) => name)).toEqual(MIGRATIONS.map(({ name }) => name));
    expect(await migrate(store.db)).toEqual([]);
  });

  it('refuses a database that a newer program made, and leaves it as it is', async () => {
    await expect(migrate(store.db, MIGRATIONS.slice(0, 0))).rejects.toThrow(StoreTooNew);
    await expect(migrate(store.db, MIGRATIONS.slice(0, 0))).rejects.toThrow(/a newer one/);
  });

  it('makes all missing steps or none', async () => {
    const steps = [
      ...MIGRATIONS,
      { name: 'good', statements: ['CREATE TABLE half (id integer)'] },
      { name: 'bad', statements: ['CREATE TABLE half (id integer)'] },
    ];
    await expect(migrate(store.db, steps)).rejects.toThrow(/half/);
    const { rows } = await sql<{ found: string | null }>`SELECT to_regclass('half')::text AS found`.execute(store.db);
    expect(rows).toEqual([{ found: null }]);
    expect(await migrate(store.db)).toEqual([]);
  });

  it('gives int8 as bigint and time as Date', async () => {
    const { rows } = await sql<{
      big: bigint;
      at: Date;
    }>`SELECT 9007199254740993::int8 AS big, timestamptz '2026-01-02T03:04:05.678Z' AS at`.execute(store.db);
    expect(rows).toEqual([{ big: 9_007_199_254_740_993n, at: new Date('2026-01-02T03:04:05.678Z') }]);
  });

  it('keeps statements of others out of an open transaction, and takes back what failed', async () => {
    await sql`CREATE TABLE counted (n integer)`.execute(store.db);
    const failing = store.db.transaction().execute(async (transaction) => {
      await sql`INSERT INTO counted VALUES (1)`.execute(transaction);
      await new Promise((resolve) => setTimeout(resolve, 50));
      throw new Error('no');
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    const beside = sql`INSERT INTO counted VALUES (2)`.execute(store.db);
    await expect(failing).rejects.toThrow('no');
    await beside;
    const both = Array.from({ length: 10 }, (_, n) =>
      store.db.transaction().execute((transaction) => sql`INSERT INTO counted VALUES (${10 + n})`.execute(transaction)),
    );
    await Promise.all(both);
    const { rows } = await sql<{ n: number }>`SELECT n FROM counted ORDER BY n`.execute(store.db);
    expect(rows.map(({ n }) => n)).toEqual([2, ...Array.from({ length: 10 }, (_, n) => 10 + n)]);
  });

  it('hears what is notified, from when it listens until it does not', async () => {
    const heard: (string | undefined)[] = [];
    const stop = store.listen('sublet_heard', (payload) => heard.push(payload));
    await until(() => heard.includes(undefined));
    await untilHeard(heard, 'one', () => sql`SELECT pg_notify('sublet_heard', 'one')`.execute(store.db));
    stop();
    await sql`SELECT pg_notify('sublet_heard', 'two')`.execute(store.db);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(heard).not.toContain('two');
  });

  it('is well while it answers', async () => {
    expect(await store.health()).toEqual({ ok: true });
  });
}

describe('a folder of PGlite', () => {
  let parent: string;
  beforeAll(async () => {
    parent = await mkdtemp(path.join(tmpdir(), 'sublet-store-'));
  });
  afterAll(() => rm(parent, { recursive: true, force: true }));

  it('has one process at a time, and is there again after it', async () => {
    const folder = path.join(parent, 'one');
    const store = await openStore(deps, { type: 'Embedded', folder });
    await sql`CREATE TABLE kept (n integer)`.execute(store.db);
    await expect(openStore(deps, { type: 'Embedded', folder })).rejects.toThrow(FolderInUse);
    await store.close();
    const again = await openStore(deps, { type: 'Embedded', folder });
    expect((await sql`SELECT * FROM kept`.execute(again.db)).rows).toEqual([]);
    await again.close();
  });

  it('keeps every row that was there when its process was killed', async () => {
    const folder = path.join(parent, 'killed');
    const script = path.join(parent, 'child.ts');
    const store = path.join(import.meta.dirname, 'store.ts');
    const clock = path.join(import.meta.dirname, '..', 'kube', 'clock.ts');
    await writeFile(
      script,
      `import { sql } from ${JSON.stringify(path.join(import.meta.dirname, '..', 'node_modules', 'kysely', 'dist', 'index.js'))};
import { openStore } from ${JSON.stringify(store)};
import { realClock, realRandom } from ${JSON.stringify(clock)};
const log = { info() {}, warn() {}, error() {} };
const store = await openStore({ clock: realClock, random: realRandom, log }, { type: 'Embedded', folder: ${JSON.stringify(folder)} });
await sql\`CREATE TABLE written (n integer)\`.execute(store.db);
for (let n = 1; ; n++) { await sql\`INSERT INTO written VALUES (\${n})\`.execute(store.db); process.stdout.write(n + '\\n'); }
`,
    );
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    try {
      await until(() => output.split('\n').length > 40);
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
    const told = output.split('\n').filter(Boolean).length;
    const again = await openStore(deps, { type: 'Embedded', folder });
    const { rows } = await sql<{ n: number }>`SELECT n FROM written ORDER BY n`.execute(again.db);
    expect(rows.length).toBeGreaterThanOrEqual(told);
    expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: rows.length }, (_, index) => index + 1));
    await again.close();
  });
});

async function until(check: () => boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!check()) {
    if (Date.now() > deadline) throw new Error(`it did not come within ${WAIT_MS / 1_000} s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Says it until it is heard: who was told that something may have been missed need not have a session yet. */
async function untilHeard(heard: readonly unknown[], what: string, say: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < 100 && !heard.includes(what); n++) {
    await say();
    await new Promise((resolve) => setTimeout(resolve, n * 10));
  }
  expect(heard).toContain(what);
}
