import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { isWrite } from '../test/cluster/audit.ts';
import { pickPorts } from '../test/cluster/ports.ts';
import { describeWithOwnCluster } from '../test/support/cluster.ts';
import { waitUntilSilent } from '../test/support/quiet.ts';
import type { ExternalArtifact } from './externalartifact.ts';
import {
  installPrerequisites,
  makeVolume,
  type RunningSource,
  readArtifact,
  startSource,
  type Volume,
  waitForArtifact,
} from './testing/fleet.ts';
import { openRepository, type Repository } from './testing/repository.ts';

const SOURCE = 'system:serviceaccount:sublet-system:sublet-source';
const ROOT = 'tenants/production/sublet-root';
const condition = (artifact: ExternalArtifact, type: string) =>
  artifact.status?.conditions?.find((one) => one.type === type);
const desk = (name: string, image = 'ubuntu-24'): string =>
  `apiVersion: sublet.dev/v1alpha1\nkind: RDPInstance\nmetadata:\n  name: ${name}\nspec:\n  plan: basic\n  image: ${image}\n  username: anna\n`;
const tenant = (name: string): string =>
  `apiVersion: sublet.dev/v1alpha1\nkind: Tenant\nmetadata:\n  name: ${name}\nspec:\n  id: ${name}-1\n  plan: developer\n  type: Customer\n  source: {type: Fleet}\n`;

describeWithOwnCluster('the fleet source', { flux: true, audit: true }, (cluster) => {
  const names = ['ann', 'ben', 'cat', 'dan', 'eve', 'fay'];
  let repository: Repository;
  let volume: Volume;
  let running: RunningSource;
  let port: number;

  const start = async (settings: Readonly<Record<string, unknown>> = {}): Promise<void> => {
    running = await startSource(await cluster().serviceAccountKubeConfig('sublet-system', 'sublet-source'), volume, {
      listen: { address: '127.0.0.1', port },
      ...settings,
    });
  };
  const reconcileNow = (): Promise<unknown> =>
    cluster().kubectl([
      'annotate',
      '--overwrite',
      '-n',
      'sublet-fleet',
      'gitrepository',
      'fleet',
      `reconcile.fluxcd.io/requestedAt=${process.hrtime.bigint()}`,
    ]);
  const push = async (files: Readonly<Record<string, string | undefined>>): Promise<string> => {
    const commit = await repository.commit(files);
    await reconcileNow();
    return commit;
  };
  const waitForPass = async (commit: string): Promise<void> => {
    await vi.waitFor(
      async () => {
        const { stdout } = await cluster().kubectl([
          'get',
          'gitrepository',
          '-n',
          'sublet-fleet',
          'fleet',
          '-o',
          'jsonpath={.status.artifact.revision}',
        ]);
        expect(stdout).toContain(commit);
      },
      { timeout: 300_000, interval: 100 },
    );
  };
  const writesSince = async (fromByte: number) => {
    const { events } = await cluster().auditEvents(fromByte);
    return events
      .filter((event) => isWrite(event) && event.user.username === SOURCE && event.objectRef?.resource !== 'leases')
      .map((event) => `${event.verb} ${event.objectRef?.resource}/${event.objectRef?.name ?? ''}`);
  };
  const desktops = async (namespace: string): Promise<readonly string[]> => {
    const { stdout } = await cluster().kubectl([
      'get',
      'rdpinstances',
      '-n',
      namespace,
      '-o',
      'jsonpath={.items[*].metadata.name}',
    ]);
    return stdout.split(' ').filter((name) => name !== '');
  };
  const waitForDesktops = (namespace: string, expected: readonly string[]): Promise<void> =>
    vi.waitFor(async () => expect(await desktops(namespace)).toEqual(expected), { timeout: 300_000, interval: 200 });

  beforeAll(async () => {
    await installPrerequisites(cluster());
    volume = await makeVolume();
    [port = 0] = await pickPorts(1);
    const remote = await cluster().gitRemote('fleet');
    repository = await openRepository(remote.url);
    await repository.commit({
      'README.md': 'The fleet.\n',
      'tenants/staging/sublet-root/not-here.yaml': '[',
      ...Object.fromEntries(names.map((name) => [`${ROOT}/${name}.yaml`, tenant(name)])),
      ...Object.fromEntries(names.map((name) => [`tenants/production/t-${name}/desk.yaml`, desk(`${name}-desk`)])),
    });
    for (const name of names) await cluster().installManifests(buildNamespaceAccess(name));
    await cluster().installManifests(await readEntryPoint(remote.url));
    await start();
  });

  afterAll(async () => {
    await running?.stop();
    await volume?.close();
    await repository?.close();
  });

  it('publishes every folder of its environment, and Flux applies each one', async () => {
    const artifact = await waitForArtifact(cluster(), 't-ann', (one) =>
      expect(condition(one, 'Ready')?.status).toBe('True'),
    );
    expect(artifact.spec?.sourceRef).toEqual({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      name: 'fleet',
    });
    expect(artifact.status?.artifact).toMatchObject({
      revision: artifact.status?.artifact?.digest,
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/sublet-fleet\/t-ann\/[0-9a-f]{64}\.tar\.gz$/),
      metadata: {
        'org.opencontainers.image.revision': expect.stringMatching(/^main@sha1:[0-9a-f]{40}$/),
        'sublet.dev/resources': '1',
      },
    });
    for (const name of names) await waitForDesktops(`t-${name}`, [`${name}-desk`]);
    // Flux applies the root's folder when it comes to it, and writes down what it applied after that.
    const tenants = () =>
      cluster().kubectl(['get', 'tenants', '-n', 'sublet-root', '-o', 'jsonpath={.items[*].metadata.name}']);
    await expect.poll(async () => (await tenants()).stdout.split(' ')).toEqual(names);
    const path = 'jsonpath={.status.lastAppliedOriginRevision}';
    const origin = () => cluster().kubectl(['get', 'kustomization', '-n', 'sublet-fleet', 't-ann', '-o', path]);
    await expect.poll(async () => (await origin()).stdout).toMatch(/^main@sha1:[0-9a-f]{40}$/);
  });

  it('writes one object for a change in one folder, and none for a change in none', async () => {
    const nextByte = await waitUntilSilent(cluster(), SOURCE);
    await push({ 'tenants/production/t-ben/second.yaml': desk('ben-two') });
    await waitForDesktops('t-ben', ['ben-desk', 'ben-two']);
    const commit = await push({
      'README.md': 'More words.\n',
      'tenants/production/t-cat/desk.yaml': `# a comment\n${desk('cat-desk')}`,
    });
    await waitForPass(commit);
    await settle();
    await waitUntilSilent(cluster(), SOURCE);
    expect(await writesSince(nextByte)).toEqual(['patch externalartifacts/t-ben']);
  });

  it('holds a folder that is not accepted, with file, line and rule, while others go on', async () => {
    const before = await readArtifact(cluster(), 't-ann');
    await push({
      'tenants/production/t-ann/desk.yaml': desk('ann-desk').replace('username: anna', 'username: ROOT'),
      'tenants/production/t-ben/second.yaml': undefined,
    });
    const held = await waitForArtifact(cluster(), 't-ann', (one) =>
      expect(condition(one, 'Held')?.status).toBe('True'),
    );
    expect(condition(held, 'Held')?.message).toMatch(
      /^the folder is not accepted; its last good content stays\ndesk\.yaml:8: /,
    );
    expect(condition(held, 'Ready')).toMatchObject({ status: 'False', reason: 'Held' });
    expect(held.status?.artifact).toEqual(before?.status?.artifact);
    await waitForDesktops('t-ben', ['ben-desk']);
    expect(await desktops('t-ann')).toEqual(['ann-desk']);
    await expect.poll(() => running.metric('sublet_source_folders{state="held"}')).toBe(1);
    await push({ 'tenants/production/t-ann/desk.yaml': desk('ann-desk') });
    const good = await waitForArtifact(cluster(), 't-ann', (one) => expect(condition(one, 'Held')).toBeUndefined());
    expect(condition(good, 'Ready')?.status).toBe('True');
    expect(good.status?.artifact).toEqual(before?.status?.artifact);
  });

  it('publishes a removed folder empty while its tenant exists, and Flux prunes', async () => {
    await repository.removeFolder('tenants/production/t-fay');
    await reconcileNow();
    await waitForArtifact(cluster(), 't-fay', (one) =>
      expect(one.status?.artifact?.metadata?.['sublet.dev/resources']).toBe('0'),
    );
    await waitForDesktops('t-fay', []);
  });

  it('publishes an empty folder for a tenant that never had one', async () => {
    await cluster().installManifests(tenant('gus').replace('name: gus', 'name: gus\n  namespace: sublet-root'));
    await waitForArtifact(cluster(), 't-gus', (one) => expect(condition(one, 'Ready')?.status).toBe('True'));
    await cluster().kubectl(['delete', 'tenant', '-n', 'sublet-root', 'gus']);
    await vi.waitFor(async () => expect(await readArtifact(cluster(), 't-gus')).toBeUndefined(), { timeout: 300_000 });
  });

  it('holds a revision that empties the tree, until exactly that revision is confirmed', async () => {
    const before = await readArtifact(cluster(), 't-ann');
    const commit = await repository.removeFolder('tenants/production');
    await reconcileNow();
    const root = await waitForArtifact(cluster(), 'sublet-root', (one) =>
      expect(condition(one, 'Held')?.status).toBe('True'),
    );
    const message = condition(root, 'Held')?.message ?? '';
    expect(condition(root, 'Held')?.reason).toBe('RevisionHeld');
    expect(message).toContain(
      'empties the tree: it removes 6 of 6 folders (without asking: 3) and 11 of 11 resources (without asking: 3)',
    );
    expect(await readArtifact(cluster(), 't-ann')).toEqual(before);
    expect(await desktops('t-ann')).toEqual(['ann-desk']);
    const events = await vi.waitFor(
      async () => {
        const { stdout } = await cluster().kubectl([
          'get',
          'events',
          '-n',
          'sublet-fleet',
          '-o',
          'jsonpath={.items[?(@.reason=="RevisionHeld")].message}',
        ]);
        expect(stdout).toContain('kubectl annotate');
        return stdout;
      },
      { timeout: 300_000, interval: 200 },
    );
    expect(events).toContain(commit);
    const command = /kubectl (annotate .*)$/.exec(message)?.[1]?.replaceAll("'", '').split(' ') ?? [];
    expect((await cluster().kubectl(command)).code).toBe(0);
    await waitForDesktops('t-ann', []);
    await vi.waitFor(
      async () => {
        const { stdout } = await cluster().kubectl(['get', 'tenants', '-A', '-o', 'name']);
        expect(stdout).toBe('');
      },
      { timeout: 300_000 },
    );
    await vi.waitFor(
      async () => {
        const { stdout } = await cluster().kubectl([
          'get',
          'gitrepository',
          '-n',
          'sublet-fleet',
          'fleet',
          '-o',
          'yaml',
        ]);
        expect(stdout).not.toContain('confirmed-revision:');
      },
      { timeout: 300_000, interval: 200 },
    );
    const names = Object.fromEntries(
      [...Array(6).keys()].map((i) => [
        `tenants/production/t-${'ann ben cat dan eve fay'.split(' ')[i]}/desk.yaml`,
        desk('again'),
      ]),
    );
    await push({
      ...names,
      ...Object.fromEntries('ann ben cat dan eve fay'.split(' ').map((name) => [`${ROOT}/${name}.yaml`, tenant(name)])),
    });
    for (const name of ['ann', 'ben', 'cat', 'dan', 'eve', 'fay']) await waitForDesktops(`t-${name}`, ['again']);
  });

  it('writes nothing after a restart, and nothing after a lost volume, which it rebuilds', async () => {
    await waitUntilSilent(cluster(), SOURCE);
    await running.stop();
    const { nextByte } = await cluster().auditEvents();
    await start();
    await settle();
    expect(await writesSince(nextByte)).toEqual([]);
    await running.stop();
    await volume.lose();
    await start();
    await vi.waitFor(() => expect(running.metric('sublet_source_archives_rebuilt_total')).toBe(7), {
      timeout: 300_000,
    });
    await settle();
    expect(await writesSince(nextByte)).toEqual([]);
    expect(running.lines.join('')).toContain(
      '7 accepted archives were gone from the volume; 7 were rebuilt from this revision, 0 cannot be',
    );
    const artifact = await readArtifact(cluster(), 't-ann');
    const answer = await fetch(artifact?.status?.artifact?.url ?? '');
    expect(answer.status).toBe(200);
  });

  it('says so when the last good content of a held folder is lost', async () => {
    await push({ 'tenants/production/t-ann/desk.yaml': 'nonsense: [\n' });
    await waitForArtifact(cluster(), 't-ann', (one) => expect(condition(one, 'Held')?.reason).toBe('Held'));
    await running.stop();
    await volume.lose();
    await start();
    const lost = await waitForArtifact(cluster(), 't-ann', (one) =>
      expect(condition(one, 'Held')?.reason).toBe('ArtifactLost'),
    );
    expect(condition(lost, 'Held')?.message).toMatch(
      /lost from the volume and cannot be rebuilt[\s\S]*desk\.yaml:2: Yaml/,
    );
    expect(lost.status?.artifact).toBeDefined();
    await expect.poll(() => running.metric('sublet_source_archives_lost')).toBe(1);
    expect(await desktops('t-ann')).toEqual(['again']);
    await push({ 'tenants/production/t-ann/desk.yaml': desk('again') });
    await waitForArtifact(cluster(), 't-ann', (one) => expect(condition(one, 'Ready')?.status).toBe('True'));
    await expect.poll(() => running.metric('sublet_source_archives_lost')).toBe(0);
  });

  it('refuses an archive beyond a limit, naming limit and number, and moves nothing', async () => {
    await waitUntilSilent(cluster(), SOURCE);
    const before = await readArtifact(cluster(), 't-ben');
    await running.stop();
    await start({ limits: { entries: 5 } });
    const root = await waitForArtifact(cluster(), 'sublet-root', (one) =>
      expect(condition(one, 'Held')?.reason).toBe('RevisionRefused'),
    );
    expect(condition(root, 'Ready')?.message).toMatch(
      /^revision main@sha1:[0-9a-f]{40} is refused, nothing of it is published: entries: the (archive|tree) has more than 5 entries; "tenants/,
    );
    expect(root.status?.artifact).toBeDefined();
    await expect.poll(() => running.metric('sublet_source_revision_held')).toBe(1);
    await running.stop();
    await start();
    await waitForArtifact(cluster(), 'sublet-root', (one) => expect(condition(one, 'Ready')?.status).toBe('True'));
    expect(await readArtifact(cluster(), 't-ben')).toEqual(before);
  });

  it('is taken over by a second process when the first one ends', async () => {
    const second = await makeVolume();
    const kubeConfig = await cluster().serviceAccountKubeConfig('sublet-system', 'sublet-source');
    const waiting = startSource(kubeConfig, second, { advertisedUrl: `http://127.0.0.1:${port}` });
    await settle();
    await running.stop();
    const successor = await waiting;
    await push({ 'tenants/production/t-ben/second.yaml': desk('ben-two') });
    await waitForArtifact(cluster(), 't-ben', (one) =>
      expect(one.status?.artifact?.metadata?.['sublet.dev/resources']).toBe('2'),
    );
    await successor.stop();
    await second.close();
    await start();
  });

  it('puts an artifact right that someone changed or deleted, and leaves one alone that is not its own', async () => {
    const before = await readArtifact(cluster(), 't-dan');
    await cluster().kubectl([
      'patch',
      'externalartifact',
      '-n',
      'sublet-fleet',
      't-dan',
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"artifact":{"digest":"sha256:00"}}}',
    ]);
    await waitForArtifact(cluster(), 't-dan', (one) =>
      expect(one.status?.artifact?.digest).toBe(before?.status?.artifact?.digest),
    );
    await cluster().kubectl(['delete', 'externalartifact', '-n', 'sublet-fleet', 't-dan']);
    await waitForArtifact(cluster(), 't-dan', (one) =>
      expect(one.status?.artifact?.digest).toBe(before?.status?.artifact?.digest),
    );
    await cluster().installManifests(
      'apiVersion: source.toolkit.fluxcd.io/v1\nkind: ExternalArtifact\nmetadata: {name: t-foreign, namespace: sublet-fleet}\nspec: {sourceRef: {kind: Other, name: x}}\n',
    );
    const commit = await push({ 'tenants/production/t-foreign/desk.yaml': desk('d') });
    await waitForPass(commit);
    await vi.waitFor(() => expect(running.lines.join('')).toContain('NameConflict'), { timeout: 300_000 });
    expect((await readArtifact(cluster(), 't-foreign'))?.status).toBeUndefined();
  });
});

/** Long enough for a pass and everything that it wakes. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3_000));
}

/** The reference entry point with this test's repository in it. */
async function readEntryPoint(url: string): Promise<string> {
  const folder = join(import.meta.dirname, '../clusters/production');
  const text = `${await readFile(join(folder, 'fleet.yaml'), 'utf8')}\n---\n${await readFile(join(folder, 'root.yaml'), 'utf8')}`;
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) throw new Error('the entry point is empty');
  for (const document of documents) {
    if (document.get('kind') !== 'GitRepository') continue;
    document.setIn(['spec', 'url'], url);
    document.deleteIn(['spec', 'secretRef']);
  }
  return documents.map((document) => document.toString()).join('---\n');
}

/** What the operator makes for a tenant, as far as Flux needs it. */
function buildNamespaceAccess(name: string): string {
  const namespace = `t-${name}`;
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: namespace, namespace: 'sublet-fleet' } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'fleet', namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'sublet-fleet-customer' },
      subjects: [{ kind: 'ServiceAccount', name: namespace, namespace: 'sublet-fleet' }],
    },
    {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name: namespace, namespace: 'sublet-fleet' },
      spec: {
        sourceRef: { kind: 'ExternalArtifact', name: namespace },
        path: './',
        targetNamespace: namespace,
        serviceAccountName: namespace,
        interval: '10m',
        retryInterval: '5s',
        prune: true,
        wait: false,
        deletionPolicy: 'Orphan',
      },
    },
  ]
    .map((object) => JSON.stringify(object))
    .join('\n---\n');
}
