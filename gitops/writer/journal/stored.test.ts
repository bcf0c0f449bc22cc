import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe } from 'vitest';
import { realClock, realRandom } from '../../../kube/clock.ts';
import { createTestLog } from '../../../kube/testing/testlog.ts';
import { openStore, type Store, type StoreAddress } from '../../../store/store.ts';
import { addressOf, describeWithPostgres } from '../../../test/support/postgres.ts';
import { createStoredJournal } from './stored.ts';
import { describeJournal } from './testing/contract.ts';

describe('PGlite', () => {
  let folder: Promise<string> | undefined;
  describeStored('on PGlite', false, async () => {
    folder ??= mkdtemp(path.join(tmpdir(), 'sublet-journal-'));
    return { type: 'Embedded', folder: path.join(await folder, 'db') };
  });
  afterAll(async () => {
    if (folder !== undefined) await rm(await folder, { recursive: true, force: true });
  });
});

await describeWithPostgres('Postgres', (url) => {
  describeStored('on PostgreSQL', true, async () => addressOf(url()));
});

/** One store for all tests of a group, because opening one takes longer than a test. */
function describeStored(name: string, shared: boolean, address: () => Promise<StoreAddress>): void {
  const stores: Store[] = [];
  const deps = { clock: realClock, random: realRandom, log: createTestLog().log };
  const open = async (): Promise<Store> => {
    const store = await openStore(deps, await address());
    stores.push(store);
    return store;
  };
  describeJournal(name, async () => ({
    journal: createStoredJournal({ clock: realClock, store: stores[0] ?? (await open()) }),
    another: shared ? async () => createStoredJournal({ clock: realClock, store: await open() }) : undefined,
    close: async () => {},
  }));
  afterAll(async () => {
    for (const store of stores) await store.close();
  });
}
