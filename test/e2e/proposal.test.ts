import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Change, type Client, waitForChange } from '../../client/index.ts';
import type { Gitea } from '../cluster/gitea.ts';
import { type ApiProcess, startApiProcess } from '../support/api.ts';
import { describeWithOwnCluster } from '../support/cluster.ts';
import { describeWithGitea } from '../support/gitea.ts';
import { startWorld, type World } from '../support/world.ts';
import { createStage, type Stage } from './stage.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const MINUTE_MS = 60_000;
const OWNER = 'oidc:acme-owner';
const CUSTOMER = 'oidc:anna';
const CHANGE_ID = /^Change-Id: (I[0-9a-f]{40})$/gm;
const STATE_MS = 3 * MINUTE_MS;

type Pull = { readonly state: string; readonly merged: boolean; readonly body: string; readonly title: string };

await describeWithGitea('with a Gitea', (gitea) => {
  describeWithOwnCluster('orders by pull request, on real Flux', { flux: true, audit: true }, (cluster) => {
    let folder: string;
    let world: World;
    let stage: Stage;
    let api: ApiProcess;
    let owner: Client;
    let token: string;

    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'sublet-proposal-'));
      token = await gitea().createUser('provider');
      world = await startWorld({
        cluster: cluster(),
        environment: 'production',
        operator: { probe: { intervalSeconds: 2 } },
        simulator: ['--quick'],
      });
      stage = createStage(world);
      await moveToGitea(world, gitea(), token);
      await stage.condition('Tenant', ['t-acme', 'bob'], { status: 'True' }, 3 * MINUTE_MS);
      const tokenFile = path.join(folder, 'token');
      await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
      api = await startApiProcess(cluster(), world.environment, {
        git: { forge: { type: 'Gitea', tokenFile }, reviewSeconds: 2 },
        modes: [{ tenant: 'acme', kinds: ['Plan', 'RDPInstance'], mode: 'PullRequest' }],
      });
      owner = await api.clientFor(OWNER);
    }, 10 * MINUTE_MS);

    afterAll(async () => {
      await api?.stop();
      await world?.stop();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    }, MINUTE_MS);

    const until = (id: string, state: Change['state'], client = owner): Promise<Change> =>
      stage.eventually(
        `${state} of ${id}`,
        async () => {
          const change = (await client.get('/v1/changes/{id}', { path: { id } })).data as Change;
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

    it(
      'makes a desktop of an order once a person merged it',
      async () => {
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
      },
      8 * MINUTE_MS,
    );

    it(
      'knows a squash by its Change-Id',
      async () => {
        const proposed = await title('lite', 'Acme Lite, squashed');
        const [own] = await commitsOf(world, proposed.id, `origin/sublet/${proposed.id}`);
        await merge(proposed, 'squash');
        const done = await ready(proposed.id);
        expect(done.state).toBe('Ready');
        expect(await commitsOf(world, done.id)).toEqual([done.commit]);
        expect(done.commit).not.toBe(own);
        expect((await stage.get('Plan', 't-acme', 'lite'))?.spec?.title).toBe('Acme Lite, squashed');
      },
      8 * MINUTE_MS,
    );

    it(
      'rejects what a person closed',
      async () => {
        const proposed = await title('lite', 'Closed');
        await gitea().call(token, 'PATCH', pathOf(proposed), { state: 'closed' });
        const done = await until(proposed.id, 'Rejected');
        expect(done).toMatchObject({ reason: 'ProposalClosed', done: true });
        expect(await commitsOf(world, done.id)).toEqual([]);
      },
      6 * MINUTE_MS,
    );

    it(
      'ends what a newer proposal overtook, and closes its pull request',
      async () => {
        const [older, newer] = [await title('render', 'Older'), await title('render', 'Newer')];
        await merge(newer, 'merge');
        expect((await ready(newer.id)).state).toBe('Ready');
        expect(await until(older.id, 'Superseded')).toMatchObject({
          reason: 'Overtaken',
          message: `change ${newer.id} decided the same and was committed first`,
        });
        await expect.poll(() => pullOf(older)).toMatchObject({ state: 'closed', merged: false });
        expect((await stage.get('Plan', 't-acme', 'render'))?.spec?.title).toBe('Newer');
      },
      8 * MINUTE_MS,
    );

    it(
      'shows the difference where a person wrote the same field meanwhile',
      async () => {
        const proposed = await title('studio', 'Proposed');
        await world.git('fetch', '--quiet', 'origin', 'main');
        await world.git('reset', '--quiet', '--hard', 'origin/main');
        const file = path.join(world.checkout, 'tenants/production/t-acme/studio.yaml');
        const text = await world.git('show', 'HEAD:tenants/production/t-acme/studio.yaml');
        await writeFile(file, `${text.replace(/^ {2}title: .*$/m, '  title: By hand')}\n`);
        await world.push('Name it otherwise');
        const done = await until(proposed.id, 'Conflict');
        expect(done).toMatchObject({
          reason: 'ChangedMeanwhile',
          differences: [{ path: 'spec.title', wanted: 'Proposed', found: 'By hand' }],
        });
        await expect.poll(() => pullOf(proposed)).toMatchObject({ state: 'closed', merged: false });
      },
      6 * MINUTE_MS,
    );

    it(
      'leaves nothing for a second pass to write',
      async () => {
        expect(await stage.secondPass()).toEqual([]);
        const head = await headOf(world);
        await api.kill('SIGTERM');
        await api.startAgain();
        // A few reviews of what is open, of which there is nothing.
        await new Promise((resolve) => setTimeout(resolve, 6_000));
        expect(await headOf(world)).toBe(head);
      },
      10 * MINUTE_MS,
    );
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
