import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiError, type Change, type Client, createClient, waitForChange } from '../../client/index.ts';
import { QUICK_TIMINGS } from '../../simulator/kubevirt/options.ts';
import { type EmbeddedWorld, startEmbeddedWorld } from './embedded.ts';
import { PROVIDER } from './people.ts';

const MINUTE_MS = 60_000;
let folder: string;
let world: EmbeddedWorld;
let provider: Client;
let owner: Client;

const start = () =>
  startEmbeddedWorld(
    { log: pino({ level: 'silent' }), step: () => {} },
    {
      folder,
      environment: 'staging',
      apiPort: 0,
      gitPort: 0,
      restPort: 0,
      orders: true,
      kubevirt: { timings: QUICK_TIMINGS },
    },
  );

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sublet-orders-'));
  world = await start();
  provider = await clientOf(PROVIDER);
  owner = await clientOf('oidc:acme-owner');
  await poll(
    async () => (await owner.get('/v1/tenants/{path}/plans', { path: { path: 'acme' } })).data.items.length > 0,
  );
}, 15 * MINUTE_MS);

afterAll(async () => {
  await world.stop();
  await rm(folder, { recursive: true, force: true });
}, 15 * MINUTE_MS);

const clientOf = async (user: string) => createClient({ server: world.api.url, token: await world.api.tokenFor(user) });

async function poll(check: () => Promise<boolean>): Promise<void> {
  const endsAtMs = Date.now() + 5 * MINUTE_MS;
  while (!(await check().catch(() => false))) {
    if (Date.now() > endsAtMs) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const settle = (client: Client, id: string, until: 'Applied' | 'Ready' = 'Ready'): Promise<Change> =>
  waitForChange(client, id, { until, timeoutMs: 5 * MINUTE_MS });

const lite = { path: { path: 'acme', name: 'lite' } };

/** Hands in other fields of acme's plan `lite`. Undefined where nothing was different. */
async function patchLite(spec: object): Promise<Change | undefined> {
  const { data, status } = await owner.patch('/v1/tenants/{path}/plans/{name}', { ...lite, body: { spec } } as never);
  return status === 202 ? (data as Change) : undefined;
}

async function order(spec: object): Promise<Change> {
  const change = await patchLite(spec);
  if (change === undefined) throw new Error('nothing was different');
  return change;
}

describe(
  'an order by the API',
  () => {
    it('is a commit with its author and Change-Id, and is read back before anybody applied it', async () => {
      const change = await order({ title: 'Acme Light' });
      expect(change.state).toBe('Accepted');
      const { data: read } = await owner.get('/v1/tenants/{path}/plans/{name}', lite);
      expect(read.spec).toMatchObject({ title: 'Acme Light' });
      const ended = await settle(owner, change.id);
      expect(ended.state).toBe('Ready');
      await world.checkout.git('fetch', 'origin');
      const message = await world.checkout.git('show', '--no-patch', '--format=%an%n%B', ended.commit ?? '');
      expect(message).toContain('oidc:acme-owner');
      expect(message).toContain(`Change-Id: ${change.id}`);
      expect(await world.checkout.git('show', '--name-only', '--format=', ended.commit ?? '')).toBe(
        'tenants/staging/t-acme/lite.yaml',
      );
    });

    it('leaves what it does not change as a person wrote it', async () => {
      await world.checkout.git('pull', '--quiet', '--rebase', 'origin', 'main');
      const file = path.join(world.checkout.path, 'tenants/staging/t-acme/lite.yaml');
      const before = await world.checkout.git('show', 'HEAD:tenants/staging/t-acme/lite.yaml');
      await writeFile(file, `# Sold since spring.\n${before}\n`);
      await world.checkout.push('Say since when');
      const change = await order({ title: 'Acme Lite again' });
      expect((await settle(owner, change.id)).state).toBe('Ready');
      await world.checkout.git('fetch', 'origin');
      const after = await world.checkout.git('show', 'origin/main:tenants/staging/t-acme/lite.yaml');
      expect(after).toContain('# Sold since spring.');
      expect(after).toContain('title: Acme Lite again');
    });

    it('that makes something is a new file, whose first line leads editors to the schema in the same clone', async () => {
      const seen = await owner.get('/v1/tenants/{path}/plans/{name}', lite);
      const body = { name: 'light-two', spec: seen.data.spec };
      const answer = await owner.post('/v1/tenants/{path}/plans', { path: { path: 'acme' }, body } as never);
      expect((await settle(owner, (answer.data as Change).id)).state).toBe('Ready');
      await world.checkout.git('fetch', 'origin');
      const file = 'tenants/staging/t-acme/plan-light-two.yaml';
      const [first = '', second] = (await world.checkout.git('show', `origin/main:${file}`)).split('\n');
      const [, address = ''] = first.split('# yaml-language-server: $schema=');
      expect([address, second]).toEqual(['../../../crds/schemas/plan.schema.json', 'apiVersion: sublet.dev/v1alpha1']);
      const schema = await world.checkout.git('show', `origin/main:${path.join(path.dirname(file), address)}`);
      expect(JSON.parse(schema)).toMatchObject({ title: 'Plan', type: 'object' });
    });

    it('both win when two people change two fields at once, and one of the same field is told', async () => {
      const seen = await owner.get('/v1/tenants/{path}/plans/{name}', lite);
      const price = (seen.data.spec as { readonly price: readonly { readonly name: string }[] }).price;
      const changes = await Promise.all([
        patchLite({ title: 'One' }),
        patchLite({ sla: { availability: '98.5' } }),
        patchLite({ price }),
      ]);
      const ended = await Promise.all(changes.map((change) => change && settle(owner, change.id)));
      expect(ended.map((one) => one?.state ?? 'same')).toEqual(['Ready', 'Ready', 'same']);
      const { data } = await owner.get('/v1/tenants/{path}/plans/{name}', lite);
      expect(data.spec).toMatchObject({ title: 'One', sla: { availability: '98.5' } });
    });

    it('is refused with the field before it is accepted when a rule forbids it', async () => {
      const refused = patchLite({ currency: 'EUR' });
      await expect(refused).rejects.toBeInstanceOf(ApiError);
      await expect(refused).rejects.toMatchObject({ status: 422 });
    });

    it('goes on in other folders while one is broken by hand, and is Held in that one', async () => {
      await world.checkout.git('pull', '--quiet', '--rebase', 'origin', 'main');
      const broken = path.join(world.checkout.path, 'tenants/staging/t-acme--bob/broken.yaml');
      await writeFile(
        broken,
        'apiVersion: sublet.dev/v1alpha1\nkind: RDPInstance\nmetadata: {name: x}\nspec: {plan: [1}\n',
      );
      await world.checkout.push('Break a folder');
      const change = await order({ title: 'Two' });
      expect((await settle(owner, change.id)).state).toBe('Ready');
      const anna = await clientOf('oidc:anna');
      const desk = { path: { path: 'acme--bob', name: 'anna-desk' } };
      const body = { power: 'Stopped' } as const;
      const answer = await anna.post('/v1/tenants/{path}/desktops/{name}/power', { ...desk, body });
      const stop = answer.data as Change;
      const held = await settle(anna, stop.id, 'Applied');
      expect([held.state, held.message]).toEqual(['Held', expect.stringContaining('broken.yaml')]);
      await world.checkout.git('pull', '--quiet', '--rebase', 'origin', 'main');
      await rm(broken);
      await world.checkout.push('Mend it');
      await poll(async () => {
        const { data } = await anna.get('/v1/changes/{id}', { path: { id: stop.id } });
        return data.state === 'Ready';
      });
    });

    it('survives a restart, and so does its key', async () => {
      const change = await order({ title: 'Three' });
      await world.stop();
      world = await start();
      owner = await clientOf('oidc:acme-owner');
      expect((await settle(owner, change.id)).state).toBe('Ready');
      provider = await clientOf(PROVIDER);
      expect(
        (await provider.get('/v1/tenants/{path}/plans', { path: { path: '-' } })).data.items.length,
      ).toBeGreaterThan(0);
    });
  },
  15 * MINUTE_MS,
);
