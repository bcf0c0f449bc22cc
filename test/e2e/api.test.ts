import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiError, type Change, type Client, waitForChange } from '../../client/index.ts';
import { type ApiProcess, startApiProcess } from '../support/api.ts';
import { describeWithOwnCluster } from '../support/cluster.ts';
import { grantedRights, refusedRights, unusedRights, usedRights } from '../support/rights.ts';
import { startWorld, type World } from '../support/world.ts';
import { refuseByFlux } from './refusedbyflux.ts';
import { sellInOwnRepository } from './resale.ts';
import { createStage, type Stage } from './stage.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SETTLE_MS = 600_000;
const OWNER = 'oidc:acme-owner';
const LITE = 'tenants/staging/t-acme/lite.yaml';

describeWithOwnCluster('orders by the API, on real Flux', { flux: true, audit: true }, (cluster) => {
  let world: World;
  let stage: Stage;
  let api: ApiProcess;
  let owner: Client;

  beforeAll(async () => {
    world = await startWorld({
      cluster: cluster(),
      operator: { probe: { intervalSeconds: 2 } },
      simulator: ['--quick'],
    });
    stage = createStage(world);
    const folder = path.join('tenants', world.environment);
    await cp(path.join(ROOT, folder), path.join(world.checkout, folder), { recursive: true });
    await world.push('Begin with the reference fleet');
    await stage.condition('Tenant', ['t-acme', 'bob'], { status: 'True' });
    api = await startApiProcess(cluster(), world.environment, {
      git: { allowedGitHosts: [world.forge.host], reviewSeconds: 3 },
    });
    owner = await api.clientFor(OWNER);
  });

  afterAll(async () => {
    await api?.stop();
    await world?.stop();
  });

  const settle = (id: string, client = owner): Promise<Change> =>
    waitForChange(client, id, { until: 'Ready', timeoutMs: SETTLE_MS });
  /** The API learns of tenants and of namespaces by watches, one apart from the other. */
  const known = (path: string, client: Client): Promise<void> => {
    const list = () => client.get('/v1/tenants/{path}/desktops', { path: { path } });
    return expect.poll(() => list().then(({ status }) => status, String)).toBe(200);
  };

  it('brings a customer and its desktop to Ready, each by one commit', async () => {
    const tenant = {
      name: 'cid',
      spec: {
        displayName: 'Cid',
        plan: 'studio',
        members: [{ kind: 'User', name: 'oidc:cid', role: 'Owner' }],
        source: { type: 'Fleet' },
      },
    };
    const path = { path: 'acme' };
    const { data } = await owner.post('/v1/tenants/{path}/tenants', { path, body: tenant } as never);
    expect((await settle((data as Change).id)).state).toBe('Ready');
    const cid = await api.clientFor('oidc:cid');
    await known('acme--cid', cid);
    const body = { name: 'desk', spec: { plan: 'pro', image: 'ubuntu-24', username: 'cid' } };
    const order = await cid.post('/v1/tenants/{path}/desktops', { path: { path: 'acme--cid' }, body } as never);
    const change = await settle((order.data as Change).id, cid);
    expect(change.state).toBe('Ready');
    const desktop = await stage.get('RDPInstance', 't-acme--cid', 'desk');
    expect(desktop?.status?.origin).toBe('Git');
    await stage.handshake(String(desktop?.status?.address), Number(desktop?.status?.port));
    expect(await commitsOf(world, change.id)).toHaveLength(1);
    const rdp = await cid.get('/v1/tenants/{path}/desktops/{name}/connect', {
      path: { path: 'acme--cid', name: 'desk' },
    });
    expect(String(rdp.data)).toContain(`full address:s:${desktop?.status?.address}`);
    const events = await cid.get('/v1/tenants/{path}/events', { path: { path: 'acme--cid' } });
    expect(events.data).toMatchObject({ items: expect.any(Array) });
  });

  it('hides a tenant from those who are no members of it', async () => {
    const cid = await api.clientFor('oidc:cid');
    const seen = cid.get('/v1/tenants/{path}/desktops', { path: { path: 'acme--bob' } });
    await expect(seen).rejects.toBeInstanceOf(ApiError);
    await expect(seen).rejects.toMatchObject({ status: 404 });
  });

  it('commits to the repository of a reseller what it orders, and what it orders for its customer', async () => {
    const { host, access } = world.forge;
    const { url } = await world.forge.repository('rex');
    await sellInOwnRepository(stage, api, { url, host, access });
  });

  it('loses nothing that it accepted, and commits nothing twice, when it is killed', async () => {
    const plan = { path: { path: 'acme', name: 'lite' } };
    const order = async (title: string): Promise<string> => {
      const body = { spec: { title } };
      return ((await owner.patch('/v1/tenants/{path}/plans/{name}', { ...plan, body } as never)).data as Change).id;
    };
    const ids: string[] = [];
    for (const round of [1, 2, 3]) {
      ids.push(await order(`Lite ${round}`));
      await api.kill('SIGKILL');
      await api.startAgain();
    }
    for (const id of ids) expect(['Ready', 'Superseded']).toContain((await settle(id)).state);
    expect((await settle(ids.at(-1) ?? '')).state).toBe('Ready');
    for (const id of ids) expect((await commitsOf(world, id)).length).toBeLessThanOrEqual(1);
    expect((await stage.get('Plan', 't-acme', 'lite'))?.spec?.title).toBe('Lite 3');
  });

  it('goes on after a person wrote the same field, and after a person forced the branch back', async () => {
    const read = async (id: string): Promise<Change> =>
      (await owner.get('/v1/changes/{id}', { path: { id } })).data as Change;
    const retitle = async (name: string, title: string): Promise<Change> => {
      const order = { path: { path: 'acme', name }, body: { spec: { title } } };
      const { data } = await owner.patch('/v1/tenants/{path}/plans/{name}', order as never);
      return stage.eventually(`what becomes of ${title}`, async () => {
        const change = await read((data as Change).id);
        return change.state === 'Committed' || change.done ? change : undefined;
      });
    };
    const nameByHand = async (commit: string, message: string): Promise<void> => {
      await world.git('reset', '--quiet', '--hard', commit);
      const text = await readFile(path.join(world.checkout, LITE), 'utf8');
      await writeFile(path.join(world.checkout, LITE), text.replace(/^ {2}title: .*$/m, `  title: ${message}`));
      await world.push(message);
    };
    await world.git('fetch', '--quiet', 'origin', 'main');
    const before = await world.git('rev-parse', 'origin/main');
    // Nothing is applied meanwhile.
    await world.kill('source');
    await nameByHand(before, 'By hand');
    expect(await retitle('lite', 'By API')).toMatchObject({
      state: 'Conflict',
      reason: 'ChangedMeanwhile',
      differences: [{ path: 'spec.title', wanted: 'By API', found: 'By hand' }],
    });
    const other = await retitle('pro', 'Pro by API');
    expect(other.state).toBe('Committed');
    await nameByHand(before, 'By force');
    await stage.eventually('the commit made again', async () => {
      const { state, commit } = await read(other.id);
      return state === 'Committed' && commit !== other.commit ? true : undefined;
    });
    await world.startAgain('source');
    expect((await settle(other.id)).state).toBe('Ready');
    expect(await commitsOf(world, other.id)).toHaveLength(1);
    expect((await stage.get('Plan', 't-acme', 'pro'))?.spec?.title).toBe('Pro by API');
    await stage.eventually('what the person forced', async () => {
      const { data } = await owner.get('/v1/tenants/{path}/plans/{name}', { path: { path: 'acme', name: 'lite' } });
      return data.spec.title === 'By force' ? true : undefined;
    });
  });

  it('says that a folder with a broken file is held, and goes on in the folder beside it', async () => {
    await world.git('fetch', '--quiet', 'origin', 'main');
    await world.git('reset', '--quiet', '--hard', 'origin/main');
    await world.write('t-acme/torn.yaml', 'kind: Plan\nmetadata: {name: torn\n');
    await world.push('Break a file of acme');
    const order = { path: { path: 'acme', name: 'lite' }, body: { spec: { title: 'Lite, held' } } };
    const { data } = await owner.patch('/v1/tenants/{path}/plans/{name}', order as never);
    const held = await settle((data as Change).id);
    expect(held).toMatchObject({ state: 'Held', message: expect.stringContaining('torn.yaml') });

    const cid = await api.clientFor('oidc:cid');
    const desk = { path: { path: 'acme--cid', name: 'desk' } };
    const beside = await cid.patch('/v1/tenants/{path}/desktops/{name}', {
      ...desk,
      body: { spec: { access: { allow: ['192.0.2.0/24'] } } },
    } as never);
    expect((await settle((beside.data as Change).id, cid)).state).toBe('Ready');

    await world.git('fetch', '--quiet', 'origin', 'main');
    await world.git('reset', '--quiet', '--hard', 'origin/main');
    await world.remove('t-acme/torn.yaml');
    await world.push('Mend it');
    await stage.eventually('the held change', async () => {
      const { state } = (await owner.get('/v1/changes/{id}', { path: { id: held.id } })).data as Change;
      return state === 'Ready' ? true : undefined;
    });
  });

  it('says why Flux cannot apply an order, takes it back, and goes on with the order beside it', async () => {
    await refuseByFlux({ stage, owner, settle });
  });

  it('leaves nothing for a second pass to write', async () => {
    expect(await stage.secondPass()).toEqual([]);
  });

  it('refused the API nothing, and gave it no right that it does not use', async () => {
    // A watch stands in the audit log once it has ended, a moment after its client.
    await api.stop();
    const user = 'system:serviceaccount:sublet-system:sublet-api';
    const granted = await grantedRights(cluster().admin, 'sublet-system', 'sublet-api');
    const unused = async () => unusedRights(granted, usedRights((await cluster().auditEvents()).events, user));
    await expect.poll(unused).toEqual([...UNUSED].sort());
    expect(refusedRights((await cluster().auditEvents()).events, user)).toEqual([]);
  });
});

/** Rights of the API that are not seen here, each with its reason. */
const UNUSED = [
  // Judged inside a dry run, which is no request of its own.
  'impersonate serviceaccounts',
];

async function commitsOf({ git }: World, id: string): Promise<readonly string[]> {
  await git('fetch', '--quiet', 'origin');
  const found = await git('log', '--format=%H', `--grep=Change-Id: ${id}`, 'origin/main');
  return found.split('\n').filter((line) => line !== '');
}
