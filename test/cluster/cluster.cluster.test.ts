import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { describeWithCluster, describeWithOwnCluster } from '../support/cluster.ts';
import { actingUser, isWrite } from './audit.ts';
import type { Cluster } from './contract.ts';
import { pickPorts } from './ports.ts';

const git = promisify(execFile);
const WITHIN = { timeout: 300_000, interval: 100 };

describeWithCluster('the control plane', { audit: true }, (cluster) => {
  it('answers kubectl as the administrator and judges others by RBAC', async () => {
    const mine = await cluster().kubectl(['auth', 'can-i', 'create', 'namespaces']);
    expect(mine.stdout.trim()).toBe('yes');
    const theirs = await cluster().kubectl(['get', 'secrets', '-n', 'kube-system'], { as: 'anna' });
    expect(theirs.code).toBe(1);
    expect(theirs.stderr).toContain('User "anna" cannot list resource "secrets"');
  });

  it('says which version it is', async () => {
    const version = (await cluster().admin.ask('GET', '/version')) as { readonly gitVersion: string };
    expect(version.gitVersion).toMatch(/^v1\.\d+\.\d+/);
  });

  it('gives a new namespace its default account, and a KubeConfig for it', async () => {
    await cluster().admin.ask('POST', '/api/v1/namespaces', buildNamespace('cp-account'));
    await vi.waitFor(() => cluster().admin.ask('GET', '/api/v1/namespaces/cp-account/serviceaccounts/default'), WITHIN);
    const kubeConfig = await cluster().serviceAccountKubeConfig('cp-account', 'default');
    const token = kubeConfig.getCurrentUser()?.token ?? '';
    expect(token.split('.')).toHaveLength(3);
    const review = (await cluster().admin.ask('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token },
    })) as { readonly status: { readonly user: { readonly username: string } } };
    expect(review.status.user.username).toBe('system:serviceaccount:cp-account:default');
    await removeNamespace(cluster(), 'cp-account');
  });

  it('records who wrote what, with the verdict, and not what a Secret holds', async () => {
    const { nextByte } = await cluster().auditEvents();
    await cluster().admin.ask('POST', '/api/v1/namespaces/default/secrets', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'cp-audited' },
      stringData: { password: 'never-in-a-log' },
    });
    await cluster().admin.ask('DELETE', '/api/v1/namespaces/default/secrets/cp-audited');
    await cluster().kubectl(['delete', 'namespace', 'default'], { as: 'mallory' });
    const { events } = await cluster().auditEvents(nextByte);
    const mine = events.filter((event) => event.objectRef?.name === 'cp-audited' && isWrite(event));
    expect(mine.map((event) => [event.verb, actingUser(event), event.responseStatus?.code])).toEqual([
      ['create', 'admin', 201],
      ['delete', 'admin', 200],
    ]);
    const refused = events.find((event) => actingUser(event) === 'mallory' && isWrite(event));
    expect(refused).toMatchObject({
      verb: 'delete',
      objectRef: { resource: 'namespaces' },
      responseStatus: { code: 403 },
    });
    expect(JSON.stringify(events)).not.toContain('never-in-a-log');
  });

  it('installs CRDs and objects of theirs in one call', async () => {
    await cluster().installManifests(WIDGETS);
    const widgets = await cluster().dump([{ group: 'test.sublet.dev', version: 'v1', plural: 'widgets' }]);
    expect(Object.keys(widgets)).toEqual(['widgets.test.sublet.dev/default/one']);
    expect(JSON.stringify(widgets)).not.toMatch(/resourceVersion|managedFields|\d{4}-\d\d-\d\dT/);
    await cluster().kubectl(['delete', 'crd', 'widgets.test.sublet.dev']);
  });

  it("names the object and the API server's words when a manifest is refused", async () => {
    const manifest = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: Not_A_Name}\n';
    await expect(cluster().installManifests(manifest)).rejects.toThrow(/Not_A_Name/);
  });
});

describeWithCluster('Flux', { flux: true }, (cluster) => {
  it('applies a commit under the ServiceAccount beside the Kustomization, and refuses what it may not', async () => {
    await cluster().installManifests(TENANT);
    const remote = await cluster().gitRemote('flux-trial');
    await push(remote.url, { 'site/configmap.yaml': buildConfigMap('one') });
    await cluster().installManifests(buildSync(remote.url));
    await vi.waitFor(async () => expect(await readMessage(cluster())).toBe('one'), WITHIN);

    await push(remote.url, { 'site/configmap.yaml': buildConfigMap('two') });
    await reconcileNow(cluster());
    await vi.waitFor(async () => expect(await readMessage(cluster())).toBe('two'), WITHIN);

    await push(remote.url, { 'site/role.yaml': FORBIDDEN });
    await reconcileNow(cluster());
    await vi.waitFor(async () => {
      const kustomization = await cluster().kubectl([
        'get',
        'kustomization',
        'trial',
        '-n',
        'flux-trial',
        '-o',
        'json',
      ]);
      expect(kustomization.stdout).toContain('system:serviceaccount:flux-trial:applier');
      expect(kustomization.stdout).toContain('forbidden');
    }, WITHIN);
    await cluster().kubectl(['delete', 'kustomization,gitrepository', '--all', '-n', 'flux-trial']);
    await removeNamespace(cluster(), 'flux-trial');
  });
});

describeWithOwnCluster('a control plane of its own', {}, (cluster) => {
  it('comes back with its data after its API server and etcd were killed', async () => {
    await cluster().admin.ask('POST', '/api/v1/namespaces', buildNamespace('survivor'));
    await cluster().kill('kube-apiserver');
    await cluster().kill('etcd');
    await expect(cluster().admin.call('GET', '/readyz')).rejects.toThrow();
    await cluster().startAgain('etcd');
    await vi.waitFor(async () => expect((await fetch(`${cluster().info.etcdUrl}/health`)).ok).toBe(true), WITHIN);
    await cluster().startAgain('kube-apiserver');
    await vi.waitFor(async () => expect((await cluster().admin.call('GET', '/readyz')).status).toBe(200), WITHIN);
    expect((await cluster().admin.call('GET', '/api/v1/namespaces/survivor')).status).toBe(200);
  });

  it('leaves no process and no file behind when its owner is killed', async () => {
    const owner = spawn(process.execPath, ['--input-type=module', '-e', OWNER], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: owner.stdout });
    const first = (await lines[Symbol.asyncIterator]().next()) as { readonly value: string };
    const { folder, url } = JSON.parse(first.value) as { readonly folder: string; readonly url: string };
    expect(existsSync(folder)).toBe(true);
    await connect(url);
    owner.kill('SIGKILL');
    await vi.waitFor(() => expect(existsSync(folder)).toBe(false), WITHIN);
    await expect(connect(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('pickPorts', () => {
  it('gives as many different ports as asked for, below the range of outgoing connections', async () => {
    const ports = await pickPorts(20);
    expect(new Set(ports).size).toBe(20);
    expect(ports.every((port) => port >= 20_000 && port < 32_768)).toBe(true);
  });
});

const OWNER = `
  const { startCluster } = await import(${JSON.stringify(path.join(import.meta.dirname, 'cluster.ts'))});
  const cluster = await startCluster();
  console.log(JSON.stringify({ folder: cluster.info.folder, url: cluster.url }));
  setInterval(() => {}, 1000);
`;

const WIDGETS = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.test.sublet.dev}
spec:
  group: test.sublet.dev
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
---
apiVersion: test.sublet.dev/v1
kind: Widget
metadata: {name: one, namespace: default}
spec: {size: 1}
`;

const TENANT = `
apiVersion: v1
kind: Namespace
metadata: {name: flux-trial}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: applier, namespace: flux-trial}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: applier, namespace: flux-trial}
rules: [{apiGroups: [""], resources: [configmaps], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: applier, namespace: flux-trial}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: applier}
subjects: [{kind: ServiceAccount, name: applier, namespace: flux-trial}]
`;

const FORBIDDEN = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: more}
rules: [{apiGroups: [""], resources: [secrets], verbs: ["*"]}]
`;

async function connect(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = createConnection(Number(port), hostname);
  await once(socket, 'connect').finally(() => socket.destroy());
}

function buildSync(url: string): string {
  return `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: trial, namespace: flux-trial}
spec: {interval: 1h, url: "${url}", ref: {branch: main}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: trial, namespace: flux-trial}
spec:
  interval: 1h
  retryInterval: 1s
  path: ./site
  prune: true
  serviceAccountName: applier
  targetNamespace: flux-trial
  sourceRef: {kind: GitRepository, name: trial}
`;
}

function buildConfigMap(message: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: site}\ndata: {message: "${message}"}\n`;
}

function buildNamespace(name: string): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

async function readMessage(cluster: Cluster): Promise<string | undefined> {
  const reply = await cluster.admin.call('GET', '/api/v1/namespaces/flux-trial/configmaps/site');
  return (reply.body as { readonly data?: { readonly message?: string } }).data?.message;
}

async function reconcileNow(cluster: Cluster): Promise<void> {
  const at = `reconcile.fluxcd.io/requestedAt=${performance.now()}`;
  await cluster.kubectl(['annotate', '--overwrite', '-n', 'flux-trial', 'gitrepository/trial', at]);
}

async function removeNamespace(cluster: Cluster, name: string): Promise<void> {
  const removed = await cluster.kubectl(['delete', 'namespace', name, '--timeout=300s']);
  expect(removed).toMatchObject({ code: 0 });
}

async function push(url: string, files: Readonly<Record<string, string>>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sublet-clone-'));
  try {
    const run = (...args: string[]) =>
      git('git', ['-C', folder, '-c', 'user.name=test', '-c', 'user.email=test@localhost', ...args]);
    await git('git', ['clone', '--quiet', url, folder]);
    for (const [file, content] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
      await writeFile(path.join(folder, file), content);
    }
    await run('add', '--all');
    await run('commit', '--quiet', '--message=change');
    await run('push', '--quiet', 'origin', 'HEAD:main');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
