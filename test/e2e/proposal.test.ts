import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Change, type Client, waitForChange } from '../../client/index.ts';
import type { Gitea } from '../cluster/gitea.ts';
import { type ApiProcess, startApiProcess } from '../support/api.ts';
import { describeWithOwnCluster } from '../support/cluster.ts';
import { describeWithGitea } from '../support/gitea.ts';
import { startTlsFront, type TlsFront } from '../support/tlsfront.ts';
import { startWorld, type World } from '../support/world.ts';
import { sellInOwnRepository } from './resale.ts';
import { createStage, type Stage } from './stage.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const OWNER = 'oidc:acme-owner';
const CUSTOMER = 'oidc:anna';
const CHANGE_ID = /^Change-Id: (I[0-9a-f]{40})$/gm;
const STATE_MS = 600_000;

type Pull = { readonly state: string; readonly merged: boolean; readonly body: string; readonly title: string };

await describeWithGitea('with a Gitea', (gitea) => {
  describeWithOwnCluster('orders by pull request, on real Flux', { flux: true, audit: true }, (cluster) => {
    let folder: string;
    let world: World;
    let stage: Stage;
    let api: ApiProcess;
    let owner: Client;
    let token: string;
    let front: TlsFront;

    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'sublet-proposal-'));
      token = await gitea().createUser('provider');
      front = await startTlsFront(gitea().url);
      const inside = { allowedGitHosts: [front.host] };
      world = await startWorld({
        cluster: cluster(),
        environment: 'production',
        operator: { ...inside, probe: { intervalSeconds: 2 } },
        source: inside,
        simulator: ['--quick'],
      });
      stage = createStage(world);
      await moveToGitea(world, gitea(), token);
      await stage.condition('Tenant', ['t-acme', 'bob'], { status: 'True' });
      const tokenFile = path.join(folder, 'token');
      await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
      api = await startApiProcess(cluster(), world.environment, {
        git: { ...inside, forge: { type: 'Gitea', tokenFile }, reviewSeconds: 2 },
        modes: [{ tenant: 'acme', kinds: ['Plan', 'RDPInstance'], mode: 'PullRequest' }],
      });
      owner = await api.clientFor(OWNER);
    });

    afterAll(async () => {
      await api?.stop();
      await world?.stop();
      await front?.stop();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    });

    const read = async (id: string, client = owner): Promise<Change> =>
      (await client.get('/v1/changes/{id}', { path: { id } })).data as Change;
    const until = (id: string, state: Change['state'], client = owner): Promise<Change> =>
      stage.eventually(
        `${state} of ${id}`,
        async () => {
          const change = await read(id, client);
          if (change.state === state) return change;
          if (change.done) throw new Error(`the change ended: ${JSON.stringify(change)}`);
          return undefined;
        },
        STATE_MS,
      );
    const ready = (id: string, client = owner): Promise<Change> =>
      waitForChange(client, id, { until: 'Ready', timeoutMs: STATE_MS });
    const title = async (plan: string, text: string): Promise<Change> => {
      const order = { path: { path: 'acme', name: plan }, body: { spec: { title: text } } };
      const { data } = await owner.patch('/v1/tenants/{path}/plans/{name}', order as never);
      return until((data as Change).id, 'Proposed');
    };
    const pullOf = (change: Change): Promise<Pull> => gitea().call(token, 'GET', pathOf(change)) as Promise<Pull>;
    const merge = async (change: Change, how: 'merge' | 'squash'): Promise<void> => {
      const { title: subject, body } = await pullOf(change);
      const said = how === 'merge' ? {} : { MergeTitleField: `${subject} (squashed)`, MergeMessageField: body };
      // Gitea looks in the background whether it can be merged, and answers 405 until it has.
      await stage.eventually(`the merge of ${change.id}`, async () =>
        gitea()
          .call(token, 'POST', `${pathOf(change)}/merge`, { Do: how, ...said })
          .then(
            () => true,
            () => undefined,
          ),
      );
    };

    it('makes a desktop of an order once a person merged it', async () => {
      const bob = { path: { path: 'acme--bob' } };
      const body = { name: 'desk', spec: { plan: 'pro', image: 'ubuntu-24', username: 'bob' } };
      const customer = await api.clientFor(CUSTOMER);
      const order = await customer.post('/v1/tenants/{path}/desktops', { ...bob, body } as never);
      const proposed = await until((order.data as Change).id, 'Proposed', customer);
      expect(proposed.pullRequest?.url).toBe(`${gitea().url}/provider/fleet/pulls/${proposed.pullRequest?.number}`);
      expect((await pullOf(proposed)).body).toContain(`Change-Id: ${proposed.id}`);
      expect(await stage.get('RDPInstance', 't-acme--bob', 'desk')).toBeUndefined();
      await merge(proposed, 'merge');
      const done = await ready(proposed.id, customer);
      expect(done.state).toBe('Ready');
      const desktop = await stage.get('RDPInstance', 't-acme--bob', 'desk');
      expect(desktop?.status?.origin).toBe('Git');
      await stage.handshake(String(desktop?.status?.address), Number(desktop?.status?.port));
      expect(await commitsOf(world, done.id)).toEqual([done.commit]);
    });

    it('knows a squash by its Change-Id', async () => {
      const proposed = await title('lite', 'Acme Lite, squashed');
      const [own] = await commitsOf(world, proposed.id, `origin/sublet/${proposed.id}`);
      await merge(proposed, 'squash');
      const done = await ready(proposed.id);
      expect(done.state).toBe('Ready');
      expect(await commitsOf(world, done.id)).toEqual([done.commit]);
      expect(done.commit).not.toBe(own);
      expect((await stage.get('Plan', 't-acme', 'lite'))?.spec?.title).toBe('Acme Lite, squashed');
    });

    it('rejects what a person closed', async () => {
      const proposed = await title('lite', 'Closed');
      await gitea().call(token, 'PATCH', pathOf(proposed), { state: 'closed' });
      const done = await until(proposed.id, 'Rejected');
      expect(done).toMatchObject({ reason: 'ProposalClosed', done: true });
      expect(await commitsOf(world, done.id)).toEqual([]);
    });

    it('ends what a newer proposal overtook, and closes its pull request', async () => {
      const [older, newer] = [await title('render', 'Older'), await title('render', 'Newer')];
      await merge(newer, 'merge');
      expect((await ready(newer.id)).state).toBe('Ready');
      expect(await until(older.id, 'Superseded')).toMatchObject({
        reason: 'Overtaken',
        message: `change ${newer.id} decided the same and was committed first`,
      });
      await expect.poll(() => pullOf(older)).toMatchObject({ state: 'closed', merged: false });
      expect((await stage.get('Plan', 't-acme', 'render'))?.spec?.title).toBe('Newer');
    });

    it('shows the difference where a person wrote the same field meanwhile', async () => {
      const proposed = await title('studio', 'Proposed');
      await writeTitle(world, 'studio', 'By hand');
      const done = await until(proposed.id, 'Conflict');
      expect(done).toMatchObject({
        reason: 'ChangedMeanwhile',
        differences: [{ path: 'spec.title', wanted: 'Proposed', found: 'By hand' }],
      });
      await expect.poll(() => pullOf(proposed)).toMatchObject({ state: 'closed', merged: false });
    });

    it('outlasts a force-push, and proposes again what a person forced off the branch after its merge', async () => {
      const before = await headOf(world);
      // Nothing is applied meanwhile.
      await world.kill('source', 'SIGTERM');
      const proposed = await title('lite', 'Forced');
      const first = await writeTitle(world, 'pro', 'One way');
      await writeTitle(world, 'pro', 'Another way', before);
      await merge(proposed, 'merge');
      const merged = await until(proposed.id, 'Committed');
      expect(merged.pullRequest).toEqual(proposed.pullRequest);
      const forced = await writeTitle(world, 'pro', 'By force', before);
      const again = await stage.eventually('a pull request anew', async () => {
        const change = await read(proposed.id);
        const isAnother = change.pullRequest?.number !== proposed.pullRequest?.number;
        return change.state === 'Proposed' && isAnother ? change : undefined;
      });
      expect(await commitsOf(world, proposed.id)).toEqual([]);
      await merge(again, 'merge');
      await until(proposed.id, 'Committed');
      await world.startAgain('source');
      const done = await ready(proposed.id);
      expect(done.state).toBe('Ready');
      expect(await commitsOf(world, done.id)).toEqual([done.commit]);
      expect((await stage.get('Plan', 't-acme', 'lite'))?.spec?.title).toBe('Forced');
      expect((await stage.get('Plan', 't-acme', 'pro'))?.spec?.title).toBe('By force');
      const history = await world.git('log', '--format=%H', 'origin/main');
      expect([history.includes(forced), history.includes(first)]).toEqual([true, false]);
    });

    it('says that a folder with a torn file is held, and merges beside it', async () => {
      await follow(world);
      await world.write('t-acme/torn.yaml', 'kind: Plan\nmetadata: {name: torn\n');
      await world.push('Tear a file');
      const proposed = await title('lite', 'Held');
      await merge(proposed, 'merge');
      expect(await ready(proposed.id)).toMatchObject({
        state: 'Held',
        message: expect.stringContaining('torn.yaml'),
      });

      const customer = await api.clientFor(CUSTOMER);
      const order = {
        path: { path: 'acme--bob', name: 'desk' },
        body: { spec: { access: { allow: ['192.0.2.0/24'] } } },
      };
      const { data } = await customer.patch('/v1/tenants/{path}/desktops/{name}', order as never);
      const beside = await until((data as Change).id, 'Proposed', customer);
      await merge(beside, 'merge');
      expect((await ready(beside.id, customer)).state).toBe('Ready');
      expect((await read(proposed.id)).state).toBe('Held');
      expect((await stage.get('Plan', 't-acme', 'lite'))?.spec?.title).not.toBe('Held');

      await follow(world);
      await world.remove('t-acme/torn.yaml');
      await world.push('Mend it');
      await until(proposed.id, 'Ready');
      expect((await stage.get('Plan', 't-acme', 'lite'))?.spec?.title).toBe('Held');
    });

    it('commits what a reseller orders for its customer to its own repository there', async () => {
      const password = await gitea().createUser('rex');
      await gitea().call(password, 'POST', '/user/repos', { name: 'shop', private: true, default_branch: 'main' });
      const access = { 'ca.crt': front.cert, username: 'rex', password };
      await sellInOwnRepository(stage, api, { url: `https://${front.host}/rex/shop.git`, host: front.host, access });
    });

    it('leaves nothing for a second pass to write', async () => {
      expect(await stage.secondPass()).toEqual([]);
      const head = await headOf(world);
      await api.kill('SIGTERM');
      await api.startAgain();
      // A few reviews of what is open, of which there is nothing.
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      expect(await headOf(world)).toBe(head);
    });
  });
});

/** Puts the reference fleet into a private repository of the forge, and lets Flux and the API read it from there. */
async function moveToGitea(world: World, gitea: Gitea, token: string): Promise<void> {
  await gitea.call(token, 'POST', '/user/repos', { name: 'fleet', private: true, default_branch: 'main' });
  const url = `${gitea.url}/provider/fleet.git`;
  await world.git('remote', 'set-url', 'origin', url.replace('://', `://provider:${token}@`));
  const { admin } = world.cluster;
  await admin.ask('POST', '/api/v1/namespaces/sublet-fleet/secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'fleet-git' },
    stringData: { username: 'provider', password: token },
  });
  const at = '/apis/source.toolkit.fluxcd.io/v1/namespaces/sublet-fleet/gitrepositories/fleet';
  await admin.ask('PATCH', at, { spec: { url, secretRef: { name: 'fleet-git' } } }, 'application/merge-patch+json');
  const folder = path.join('tenants', world.environment);
  await cp(path.join(ROOT, folder), path.join(world.checkout, folder), { recursive: true });
  await world.push('Begin with the reference fleet');
}

/** What a person does who has just fetched. */
async function follow({ git }: World, commit = 'origin/main'): Promise<void> {
  await git('fetch', '--quiet', 'origin', 'main');
  await git('reset', '--quiet', '--hard', commit);
}

/** A person's commit on the branch as it is, or by force on another; gives it. */
async function writeTitle(world: World, plan: string, title: string, onto?: string): Promise<string> {
  await follow(world, onto);
  const file = `tenants/production/t-acme/${plan}.yaml`;
  const text = await world.git('show', `HEAD:${file}`);
  await writeFile(path.join(world.checkout, file), `${text.replace(/^ {2}title: .*$/m, `  title: ${title}`)}\n`);
  return world.push(`Name ${plan} ${title}`);
}

function pathOf({ pullRequest }: Change): string {
  return `/repos/provider/fleet/pulls/${pullRequest?.number}`;
}

/** Commits that carry the Change-Id, on the branch that Flux reads. */
async function commitsOf({ git }: World, id: string, branch = 'origin/main'): Promise<readonly string[]> {
  await git('fetch', '--quiet', 'origin');
  const log = await git('log', '--format=%H%x00%B%x01', branch);
  return log.split('\u0001').flatMap((entry) => {
    const [commit = '', message = ''] = entry.trim().split('\u0000');
    return [...message.matchAll(CHANGE_ID)].some(([, found]) => found === id) ? [commit] : [];
  });
}

async function headOf({ git }: World): Promise<string> {
  await git('fetch', '--quiet', 'origin');
  return git('rev-parse', 'origin/main');
}
