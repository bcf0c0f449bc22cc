import { cp } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  ApiError,
  type Change,
  type Client,
  createClient,
  UnreachableError,
  waitForChange,
} from '../../client/index.ts';
import { listChangeIds } from '../../gitops/message.ts';
import type { Random } from '../../kube/clock.ts';
import { createFakeRandom } from '../../kube/testing/fakeclock.ts';
import { type ApiProcess, type Issuer, startApiProcess, startIssuer } from '../support/api.ts';
import { describeWithOwnCluster } from '../support/cluster.ts';
import { describeWithPostgres } from '../support/postgres.ts';
import { startWorld, type World } from '../support/world.ts';
import { createStage, type Stage } from './stage.ts';
import { renderTenant } from './story.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const STATE_MS = 600_000;
const PEOPLE = ['ann', 'ben', 'cleo', 'dora'];
const ROUNDS = 3;
const RAISES_A_ROUND = 2;
/** Answers of a replica that is not up yet. */
const PASSING: readonly number[] = [502, 503, 504];
const ENDS: readonly string[] = ['Ready', 'Superseded', 'Conflict'];

type Spec = Readonly<Record<string, unknown>>;
/**
 * A number in a field of a Plan that everybody raises by one: who overwrites another's unseen leaves it too small. The order's own number stands beside it, so that no
 * two orders ask for the same.
 */
type Cell = { readonly plan: string; read(spec: Spec): number; write(count: number, order: number): Spec };

const countTitle = (plan: string): Cell => ({
  plan,
  read: ({ title }) => Number(/^Title (\d+)/.exec(String(title))?.[1] ?? 0),
  write: (count, order) => ({ title: `Title ${count} by order ${order}` }),
});
const CELLS: readonly Cell[] = [
  ...['lite', 'pro', 'studio'].map(countTitle),
  {
    plan: 'studio',
    read: ({ requests }) => Math.floor(((requests as { readonly perHour?: number })?.perHour ?? 1_000) / 100) - 10,
    write: (count, order) => ({ requests: { perHour: 1_000 + 100 * count + (order % 100) } }),
  },
];

await describeWithPostgres('two replicas of the API on one PostgreSQL', (databaseUrl) => {
  describeWithOwnCluster('on real Kubernetes and Flux', { flux: true }, (cluster) => {
    let issuer: Issuer;
    let world: World;
    let stage: Stage;
    let replicas: readonly ApiProcess[];

    beforeAll(async () => {
      issuer = await startIssuer();
      world = await startWorld({ cluster: cluster(), simulator: ['--quick'] });
      stage = createStage(world);
      const folder = path.join('tenants', world.environment);
      await cp(path.join(ROOT, folder), path.join(world.checkout, folder), { recursive: true });
      const members = PEOPLE.map((name) => ({ kind: 'User', name: `oidc:${name}`, role: 'Owner' }));
      const acme = { id: 'acme-2m6xk', plan: 'team', type: 'Reseller', members, source: { type: 'Fleet' } };
      await world.write('sublet-root/acme.yaml', renderTenant('acme', acme));
      await world.push('Begin with the reference fleet and the people of acme');
      const settings = { databaseUrl: databaseUrl(), issuer, git: { reviewSeconds: 3 } };
      const start = () => startApiProcess(cluster(), world.environment, settings);
      replicas = await Promise.all([start(), start()]);
      await stage.condition('Tenant', ['t-acme', 'bob'], { status: 'True' });
    });

    afterAll(async () => {
      await Promise.all((replicas ?? []).map((replica) => replica.stop()));
      await world?.stop();
      await issuer?.stop();
    });

    it('end every order that one of them accepted, once, and lose none, while they are killed in turn', async () => {
      const random = createFakeRandom(1);
      let orders = 0;
      const number = () => ++orders;
      const people = await Promise.all(PEOPLE.map((name) => createPerson({ name, replicas, number, random })));
      await Promise.all(people.map(untilServed));
      const accepted: { readonly id: string; readonly cell: Cell | undefined }[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const killAt = accepted.length + 1 + Math.floor(random.next() * PEOPLE.length);
        let killing: Promise<void> | undefined;
        const note = (id: string, cell?: Cell): void => {
          accepted.push({ id, cell });
          if (accepted.length === killAt) killing = killAndStart(replicas[round % 2]);
        };
        const work = async (person: Person): Promise<void> => {
          if (round === 0) note(await person.sell(`by-${person.name}`));
          for (let turn = 0; turn < RAISES_A_ROUND; turn++) {
            const cell = CELLS[Math.floor(random.next() * CELLS.length)] as Cell;
            note(await person.raise(cell), cell);
          }
        };
        await Promise.all(people.map(work));
        expect(killing).toBeDefined();
        await killing;
      }
      expect(accepted).toHaveLength(PEOPLE.length * (1 + ROUNDS * RAISES_A_ROUND));
      expect(people.reduce((sum, person) => sum + person.repeats(), 0)).toBeGreaterThan(0);

      const ends = new Map<string, Change>();
      for (const { id } of accepted) ends.set(id, await (people[0] as Person).settle(id));
      expect([...ends.values()].filter(({ state, done }) => !done || !ENDS.includes(state))).toEqual([]);
      for (const [id, change] of ends) {
        for (const client of people[0]?.clients ?? [])
          expect((await client.get('/v1/changes/{id}', { path: { id } })).data).toEqual(change);
      }

      const counts = await countCommits(world);
      expect([...counts.keys()].filter((id) => !ends.has(id))).toEqual([]);
      for (const [id, { state }] of ends) expect(counts.get(id) ?? 0, id).toBe(state === 'Conflict' ? 0 : 1);
      for (const cell of CELLS) {
        const raises = accepted.filter((order) => order.cell === cell && counts.has(order.id)).length;
        const file = await world.git('show', `origin/main:tenants/${world.environment}/t-acme/${cell.plan}.yaml`);
        expect(cell.read((parse(file) as { readonly spec: Spec }).spec), cell.plan).toBe(raises);
        const live = await stage.get('Plan', 't-acme', cell.plan);
        expect(cell.read(live?.spec ?? {}), cell.plan).toBe(raises);
      }
      for (const name of PEOPLE)
        expect((await stage.get('Plan', 't-acme', `by-${name}`))?.spec?.title, name).toBe(`By ${name}`);
    });
  });
});

async function killAndStart(replica: ApiProcess | undefined): Promise<void> {
  await replica?.kill('SIGKILL');
  await replica?.startAgain();
}

/** Each replica learns of tenants, their members and their Plans by watches of its own. */
async function untilServed({ clients }: Person): Promise<void> {
  for (const client of clients) {
    for (const { plan } of CELLS) {
      const read = () => client.get('/v1/tenants/{path}/plans/{name}', { path: { path: 'acme', name: plan } });
      await expect.poll(() => read().then(({ status }) => status, String)).toBe(200);
    }
  }
}

/** Who orders through whichever replica answers. */
type Person = {
  readonly name: string;
  readonly clients: readonly Client[];
  /** Raises a number on what is seen; on a refusal, because somebody else did meanwhile, anew. Gives the change. */
  raise(cell: Cell): Promise<string>;
  /** Orders a Plan. */
  sell(plan: string): Promise<string>;
  settle(id: string): Promise<Change>;
  /** Requests that had to be sent again. */
  repeats(): number;
};

async function createPerson({
  name,
  replicas,
  number,
  random,
}: {
  readonly name: string;
  readonly replicas: readonly ApiProcess[];
  /** Another one for each order. */
  readonly number: () => number;
  readonly random: Random;
}): Promise<Person> {
  const clients = await Promise.all(
    replicas.map(async ({ url, tokenFor }) =>
      createClient({ server: url, token: await tokenFor(`oidc:${name}`), retry: { retries: 0 } }),
    ),
  );
  let repeats = 0;
  const ask = async <T>(call: (client: Client) => Promise<T>): Promise<T> => {
    for (;;) {
      const client = clients[Math.floor(random.next() * clients.length)] as Client;
      try {
        return await call(client);
      } catch (error) {
        const isPassing = error instanceof ApiError && PASSING.includes(error.status);
        if (!isPassing && !(error instanceof UnreachableError)) throw error;
        repeats += 1;
        await sleep(20 + random.next() * 80);
      }
    }
  };
  const idOf = ({ status, data }: { readonly status: number; readonly data: unknown }): string => {
    expect(status).toBe(202);
    return (data as Change).id;
  };
  return {
    name,
    clients,
    raise: async (cell) => {
      const at = { path: 'acme', name: cell.plan };
      for (;;) {
        const order = number();
        const seen = await ask((client) => client.get('/v1/tenants/{path}/plans/{name}', { path: at }));
        const body = { spec: cell.write(cell.read(seen.data.spec) + 1, order) };
        const options = { idempotencyKey: `order-${order}`, ifMatch: String(seen.etag) };
        try {
          const asked = { path: at, body } as never;
          return idOf(await ask((client) => client.patch('/v1/tenants/{path}/plans/{name}', asked, options)));
        } catch (error) {
          if (!(error instanceof ApiError && error.status === 412)) throw error;
        }
      }
    },
    sell: async (plan) => {
      const body = { name: plan, spec: { title: `By ${name}`, offers: 'Desktop', basedOn: 'basic', currency: 'USD' } };
      const order = { path: { path: 'acme' }, body } as never;
      return idOf(await ask((client) => client.post('/v1/tenants/{path}/plans', order, { idempotencyKey: plan })));
    },
    settle: (id) => waitForChange(clients[0] as Client, id, { until: 'Ready', timeoutMs: STATE_MS }),
    repeats: () => repeats,
  };
}

/** How often each Change-Id is on the branch. */
async function countCommits({ git }: World): Promise<ReadonlyMap<string, number>> {
  await git('fetch', '--quiet', 'origin');
  const log = await git('log', '--format=%B%x00', 'origin/main');
  const counts = new Map<string, number>();
  for (const id of log.split('\0').flatMap(listChangeIds)) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
