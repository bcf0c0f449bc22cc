import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { TENANTS } from '../crds/v1alpha1/resources.ts';
import { NOT_INTERNET_V4, NOT_INTERNET_V6 } from '../model/address.ts';
import { ownerLabels } from '../model/labels.ts';
import { fluxCrds } from '../simulator/flux/crds.ts';
import type { Cluster } from '../test/cluster/contract.ts';
import { createRest, type Rest } from '../test/cluster/rest.ts';
import { describeWithCluster, describeWithOwnCluster } from '../test/support/cluster.ts';
import { type Installation, installSublet } from '../test/support/install.ts';

const ROOT = path.join(import.meta.dirname, '..');
const BOB = 't-acme--bob';
/** `expect.poll` waits inside tests only. */
const SOON = { timeout: 60_000, interval: 50 };
const RESERVED = ownerLabels({ tenantId: 'bob-7f3k9', kind: 'RDPInstance', name: 'desk' });

type Manifest = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: Readonly<Record<string, unknown>>;
};

describeWithCluster('the kustomize base', { flux: true }, (cluster) => {
  it('renders everything, with the image set and nothing in a namespace that it does not make', async () => {
    const objects = await render(cluster(), 'deploy');
    const made = objects.filter((object) => object.kind === 'Namespace').map((object) => object.metadata.name);
    expect(made.sort()).toEqual(['sublet-fleet', 'sublet-images', 'sublet-root', 'sublet-system']);
    for (const { metadata } of objects)
      if (metadata.namespace !== undefined) expect(made).toContain(metadata.namespace);
    const images = JSON.stringify(objects).match(/"image":"[^"]+"/g) ?? [];
    expect(images.length).toBe(3);
    for (const image of images) expect(image).toMatch(/^"image":"[a-z0-9.]+\/[a-z0-9/-]+:[0-9.]+"$/);
  });

  it('holds every generated CRD', async () => {
    const generated = (await readdir(path.join(ROOT, 'crds'))).filter((file) => file.startsWith('sublet.dev_'));
    const objects = await render(cluster(), 'deploy/prerequisites');
    expect(generated.length).toBeGreaterThan(3);
    expect(objects.filter((object) => object.kind === 'CustomResourceDefinition')).toHaveLength(generated.length);
  });

  it("comes with a policy for Flux's source-controller that the API server takes", async () => {
    const applied = await cluster().kubectl(['apply', '--dry-run=server', '-k', path.join(ROOT, 'deploy/flux')]);
    expect(applied).toMatchObject({ code: 0, stderr: '' });
    expect(applied.stdout).toContain('networkpolicy.networking.k8s.io/sublet-source-controller created');
  });

  it('runs under Pod Security restricted, as the API server judges it', async () => {
    const objects = await render(cluster(), 'deploy');
    const namespace = objects.find((object) => object.metadata.name === 'sublet-system' && object.kind === 'Namespace');
    const trial = 'deploy-restricted';
    await cluster().admin.ask('POST', '/api/v1/namespaces', {
      ...namespace,
      metadata: { ...namespace?.metadata, name: trial },
    });
    await untilPodsAreTaken(cluster(), trial);
    const deployments = objects.filter((object) => object.kind === 'Deployment');
    expect(deployments.map((object) => object.metadata.name).sort()).toEqual([
      'sublet-api',
      'sublet-operator',
      'sublet-source',
    ]);
    for (const deployment of deployments) {
      const { template } = deployment.spec as {
        readonly template: { readonly spec: Readonly<Record<string, unknown>> };
      };
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: deployment.metadata.name, namespace: trial },
        spec: { ...template.spec, serviceAccountName: 'default' },
      };
      const reply = await cluster().admin.call('POST', `/api/v1/namespaces/${trial}/pods?dryRun=All`, pod);
      expect(reply).toMatchObject({ status: 201 });
    }
    await cluster().kubectl(['delete', 'namespace', trial]);
  });
});

describeWithOwnCluster('the installed rights and policies', {}, (cluster) => {
  let installation: Installation;
  let operator: Rest;
  let source: Rest;

  beforeAll(async () => {
    installation = await installSublet(cluster());
    operator = await createRest(installation.operator);
    source = await createRest(installation.source);
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: BOB } };
    await operator.ask('POST', '/api/v1/namespaces', namespace);
    for (const role of ['owner', 'developer', 'viewer', 'billing']) {
      await operator.ask(
        'POST',
        `/apis/rbac.authorization.k8s.io/v1/namespaces/${BOB}/rolebindings`,
        buildBinding(role),
      );
    }
    // The API server learns of bindings and of roles by a watch each, in their order: billing is bound last, viewer is the last role.
    for (const [user, verb, resource] of [
      ['anna-billing', 'update', 'plans.sublet.dev'],
      ['anna-viewer', 'list', 'rdpinstances.sublet.dev'],
    ] as const) {
      const may = async () => expect(await canI(cluster(), user, verb, resource, BOB)).toBe(true);
      await vi.waitFor(may, SOON);
    }
    await untilPodsAreTaken(cluster(), BOB);
  });

  const configMaps = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;
  const desktops = `/apis/sublet.dev/v1alpha1/namespaces/${BOB}/rdpinstances`;
  const as = async (user: string) => createRest(cluster().userKubeConfig(user));

  it('lets the operator write reserved labels, and nobody else, administrators included', async () => {
    const object = buildConfigMap('labelled', { labels: RESERVED });
    expect(await cluster().admin.call('POST', configMaps(BOB), object)).toMatchObject({
      status: 403,
      body: {
        message: expect.stringContaining(
          'metadata.labels: sublet.dev/tenant-id, sublet.dev/owner-kind, sublet.dev/owner-name may be set',
        ),
      },
    });
    expect((await operator.call('POST', configMaps(BOB), object)).status).toBe(201);
  });

  it.each([
    ['a changed label', { labels: { 'sublet.dev/tenant-id': 'eve' } }, 'metadata.labels: sublet.dev/tenant-id'],
    ['a removed label', { labels: { 'sublet.dev/owner-name': null } }, 'metadata.labels: sublet.dev/owner-name'],
    [
      'a new annotation',
      { annotations: { 'sublet.dev/removed-at': '2026-11-21T00:00:00Z' } },
      'metadata.annotations: sublet.dev/removed-at',
    ],
    ['a hold lifted', { annotations: { 'sublet.dev/held': null } }, 'metadata.annotations: sublet.dev/held'],
  ])('refuses %s on a child', async (_name, metadata, message) => {
    const object = buildConfigMap('kept', { labels: RESERVED, annotations: { 'sublet.dev/held': 'true' } });
    const made = await operator.call('POST', configMaps(BOB), object);
    expect([201, 409]).toContain(made.status);
    const patch = { metadata };
    const reply = await cluster().admin.call('PATCH', `${configMaps(BOB)}/kept`, patch, 'application/merge-patch+json');
    expect(reply).toMatchObject({ status: 403, body: { message: expect.stringContaining(message) } });
    const other = { data: { key: 'value' } };
    const allowed = await cluster().admin.call(
      'PATCH',
      `${configMaps(BOB)}/kept`,
      other,
      'application/merge-patch+json',
    );
    expect(allowed.status).toBe(200);
  });

  it('covers namespaces and their subresources', async () => {
    const forged = { metadata: { annotations: { 'sublet.dev/tenant-id': 'eve' } } };
    for (const target of ['/api/v1/namespaces/default', '/api/v1/namespaces/default/status']) {
      const reply = await cluster().admin.call('PATCH', target, forged, 'application/merge-patch+json');
      expect(reply).toMatchObject({ status: 403, body: { message: expect.stringContaining('sublet.dev/tenant-id') } });
    }
  });

  it('lets a controller that copies labels carry them on', async () => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'copied', labels: RESERVED },
      spec: { ports: [{ port: 3389 }], selector: { a: 'b' } },
    };
    await operator.ask('POST', `/api/v1/namespaces/${BOB}/services`, service);
    await expect.poll(() => sliceLabels(cluster())).toMatchObject(RESERVED);
    const simulator = await createRest(installation.simulator);
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'launcher', labels: RESERVED },
      spec: { containers: [{ name: 'a', image: 'a' }] },
    };
    expect((await simulator.call('POST', `/api/v1/namespaces/${BOB}/pods?dryRun=All`, pod)).status).toBe(201);
    expect((await cluster().admin.call('POST', `/api/v1/namespaces/${BOB}/pods?dryRun=All`, pod)).status).toBe(403);
  });

  it('lets a member order, but not say that Git did, nor touch what belongs to the operator', async () => {
    const owner = await as('anna-owner');
    expect(await owner.call('POST', `${desktops}?dryRun=All`, buildDesktop({}))).toMatchObject({ status: 201 });
    const fluxLabel = { labels: { 'kustomize.toolkit.fluxcd.io/name': BOB } };
    expect(await owner.call('POST', `${desktops}?dryRun=All`, buildDesktop(fluxLabel))).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('kustomize.toolkit.fluxcd.io/name says that an object came from Git') },
    });
    expect(await owner.call('POST', `${desktops}?dryRun=All`, buildDesktop({ labels: RESERVED }))).toMatchObject({
      status: 403,
    });
    expect(
      (await owner.call('PATCH', `${desktops}/desk/status`, { status: {} }, 'application/merge-patch+json')).status,
    ).toBe(403);
    const asFlux = () =>
      cluster().kubectl(['create', '--dry-run=server', '-f', '-', '-n', BOB], {
        as: 'system:serviceaccount:sublet-fleet:t-acme--bob',
        asGroups: ['system:serviceaccounts', 'system:serviceaccounts:sublet-fleet', 'system:authenticated'],
        input: JSON.stringify(buildDesktop(fluxLabel)),
      });
    expect((await asFlux()).stderr).toContain('cannot create resource "rdpinstances"');
    await operator.ask('POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/${BOB}/rolebindings`, FLEET_BINDING);
    // The API server learns of bindings by a watch.
    await expect.poll(asFlux).toMatchObject({ code: 0, stderr: '' });
  });

  it.each([
    ['owner', 'rdpinstances.sublet.dev', 'create', true],
    ['owner', 'plans.sublet.dev', 'create', true],
    ['owner', 'secrets', 'get', false],
    ['owner', 'pods', 'list', false],
    ['owner', 'pods/exec', 'create', false],
    ['owner', 'rdpinstances.sublet.dev/status', 'patch', false],
    ['owner', 'rolebindings.rbac.authorization.k8s.io', 'create', false],
    ['owner', 'serviceaccounts/token', 'create', false],
    ['owner', 'secrets', 'create', false],
    ['owner', 'gitrepositories.source.toolkit.fluxcd.io', 'create', false],
    ['owner', 'gitrepositories.source.toolkit.fluxcd.io', 'patch', false],
    ['owner', 'kustomizations.kustomize.toolkit.fluxcd.io', 'create', false],
    ['owner', 'kustomizations.kustomize.toolkit.fluxcd.io', 'patch', false],
    ['developer', 'rdpinstances.sublet.dev', 'delete', true],
    ['developer', 'tenants.sublet.dev', 'create', false],
    ['viewer', 'rdpinstances.sublet.dev', 'watch', true],
    ['viewer', 'rdpinstances.sublet.dev', 'patch', false],
    ['billing', 'plans.sublet.dev', 'update', true],
    ['billing', 'rdpinstances.sublet.dev', 'create', false],
  ])('a member who is %s: %s %s is %s', async (role, resource, verb, allowed) => {
    expect(await canI(cluster(), `anna-${role}`, verb, resource, BOB)).toBe(allowed);
    expect(await canI(cluster(), `anna-${role}`, verb, resource, 'sublet-root')).toBe(false);
  });

  it('keeps the operator from binding any but the fixed roles', async () => {
    const bindings = `/apis/rbac.authorization.k8s.io/v1/namespaces/${BOB}/rolebindings`;
    const reply = await operator.call('POST', bindings, buildBinding('cluster-admin', 'cluster-admin'));
    expect(reply).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('attempting to grant RBAC permissions not currently held') },
    });
    const cluster = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
    expect((await operator.call('POST', cluster, buildBinding('owner'))).status).toBe(403);
  });

  it('shows the operator its own records, and nobody else’s ConfigMaps', async () => {
    const named = (name: string) => `/api/v1/configmaps?fieldSelector=metadata.name%3D${name}`;
    for (const record of ['sublet-grants', 'sublet-breaker'])
      expect((await operator.call('GET', named(record))).status).toBe(200);
    for (const foreign of ['/api/v1/configmaps', named('kube-root-ca.crt'), `${configMaps('kube-system')}`])
      expect((await operator.call('GET', foreign)).status).toBe(403);
  });

  it.each(['kube-system', 'default', 'sublet-images'])('keeps the operator out of %s', async (namespace) => {
    expect(await operator.call('POST', configMaps(namespace), buildConfigMap('planted', {}))).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining(`in tenants' namespaces only, not in ${namespace}`) },
    });
    expect(await operator.call('DELETE', `/api/v1/namespaces/${namespace}`)).toMatchObject({ status: 403 });
  });

  it.each([
    [
      'a Secret beside Flux',
      'sublet-fleet/secrets',
      { kind: 'Secret' },
      "tenants' Kustomizations and their accounts only",
    ],
    [
      'an account of no tenant',
      'sublet-fleet/serviceaccounts',
      { kind: 'ServiceAccount' },
      "tenants' Kustomizations and",
    ],
    ['a ConfigMap beside the price list', 'sublet-root/configmaps', { kind: 'ConfigMap' }, 'and writes nothing else'],
    [
      'a Secret that is filled with the token of an account',
      `${BOB}/secrets`,
      {
        kind: 'Secret',
        type: 'kubernetes.io/service-account-token',
        metadata: { name: 'planted', annotations: { 'kubernetes.io/service-account.name': 'default' } },
      },
      'no token of another account',
    ],
  ])('keeps the operator from planting %s', async (_, at, object, message) => {
    const [namespace, plural] = at.split('/');
    const planted = { apiVersion: 'v1', metadata: { name: 'planted' }, ...object };
    expect(await operator.call('POST', `/api/v1/namespaces/${namespace}/${plural}`, planted)).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining(message) },
    });
  });

  it('keeps the operator from ordering, whatever role it gives itself, and from giving one over the price list', async () => {
    const itself = { kind: 'ServiceAccount', name: 'sublet-operator', namespace: 'sublet-system' };
    const binding = { ...buildBinding('owner'), metadata: { name: 'itself' }, subjects: [itself] };
    const bindings = (namespace: string) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`;
    expect(await operator.call('POST', bindings('sublet-root'), binding)).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('by Roles, and writes nothing else') },
    });
    await operator.ask('POST', bindings(BOB), binding);
    const order = () => operator.call('POST', `${desktops}?dryRun=All`, buildDesktop({ name: 'own' }));
    // The API server learns of bindings by a watch.
    await expect
      .poll(order)
      .toMatchObject({ status: 403, body: { message: expect.stringContaining('Git is the writer of specs') } });
    await cluster().admin.ask('DELETE', `${bindings(BOB)}/itself`);
  });

  it('keeps the operator from planting accounts and Secrets beside itself, and from changing a spec', async () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'planted' } };
    expect(await operator.call('POST', '/api/v1/namespaces/sublet-system/secrets', secret)).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('nothing but ConfigMaps beside itself') },
    });
    await cluster().admin.ask('POST', desktops, buildDesktop({}));
    const merge = 'application/merge-patch+json';
    expect(await operator.call('PATCH', `${desktops}/desk`, { spec: { power: 'Stopped' } }, merge)).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('Git is the writer of specs') },
    });
    const finalizer = { metadata: { finalizers: ['sublet.dev/tombstone'] } };
    expect((await operator.call('PATCH', `${desktops}/desk`, finalizer, merge)).status).toBe(200);
  });

  it("lets Flux say that Git did in a tenant's own repository, as the one account beside it", async () => {
    const fluxLabel = { name: 'of-git', labels: { 'kustomize.toolkit.fluxcd.io/name': 'sublet-repository' } };
    const order = (name: string) =>
      cluster().kubectl(['create', '--dry-run=server', '-f', '-', '-n', BOB], {
        as: `system:serviceaccount:${BOB}:${name}`,
        asGroups: ['system:serviceaccounts', `system:serviceaccounts:${BOB}`, 'system:authenticated'],
        input: JSON.stringify(buildDesktop(fluxLabel)),
      });
    const bindings = `/apis/rbac.authorization.k8s.io/v1/namespaces/${BOB}/rolebindings`;
    const accounts = ['sublet-repository', 'other'].map((name) => ({ kind: 'ServiceAccount', name, namespace: BOB }));
    await operator.ask('POST', bindings, { ...FLEET_BINDING, metadata: { name: 'own' }, subjects: accounts });
    await expect.poll(() => order('sublet-repository')).toMatchObject({ code: 0, stderr: '' });
    expect((await order('other')).stderr).toContain('says that an object came from Git; only Flux may set');
  });

  it("lets the operator write Flux's objects in tenants' namespaces, and the fleet's repository nowhere", async () => {
    for (const crd of fluxCrds()) await cluster().installManifests(`---\n${JSON.stringify(crd)}`);
    const write = (namespace: string, plural: 'gitrepositories' | 'kustomizations', body: object = FLUX[plural].body) =>
      operator.call('POST', `${FLUX[plural].path}/namespaces/${namespace}/${plural}?dryRun=All`, body);
    // What was just defined is served a moment later.
    await expect.poll(async () => (await write(BOB, 'gitrepositories')).status).toBe(201);
    await expect.poll(async () => (await write(BOB, 'kustomizations')).status).toBe(201);
    const { body } = FLUX.kustomizations;
    const inFleet = (name: string, account: string, targetNamespace: string) =>
      write('sublet-fleet', 'kustomizations', {
        ...body,
        metadata: { name },
        spec: { ...body.spec, targetNamespace, serviceAccountName: account },
      });
    expect((await inFleet(BOB, BOB, BOB)).status).toBe(201);
    for (const foreign of [inFleet(BOB, 'sublet-root', BOB), inFleet(BOB, BOB, 'sublet-root')]) {
      expect(await foreign).toMatchObject({
        status: 403,
        body: { message: expect.stringContaining("into the tenant's namespace, as the account of its name") },
      });
    }
    for (const [namespace, plural, message] of [
      ['sublet-fleet', 'kustomizations', "tenants' Kustomizations and their accounts only"],
      ['sublet-fleet', 'gitrepositories', "the fleet's repository is the provider's to state"],
      ['default', 'gitrepositories', "in tenants' namespaces only, not in default"],
      ['default', 'kustomizations', "in tenants' namespaces only, not in default"],
    ] as const) {
      expect(await write(namespace, plural)).toMatchObject({
        status: 403,
        body: { message: expect.stringContaining(message) },
      });
    }
  });

  it('lets the API ask Flux to look, and name no other repository', async () => {
    const grants = `/apis/rbac.authorization.k8s.io/v1/namespaces/${BOB}`;
    const apiGroup = 'rbac.authorization.k8s.io';
    await operator.ask('POST', `${grants}/roles`, {
      apiVersion: `${apiGroup}/v1`,
      kind: 'Role',
      metadata: { name: 'ask' },
      rules: [{ apiGroups: ['source.toolkit.fluxcd.io'], resources: ['gitrepositories'], verbs: ['patch'] }],
    });
    await operator.ask('POST', `${grants}/rolebindings`, {
      apiVersion: `${apiGroup}/v1`,
      kind: 'RoleBinding',
      metadata: { name: 'ask' },
      roleRef: { apiGroup, kind: 'Role', name: 'ask' },
      subjects: [{ kind: 'ServiceAccount', name: 'sublet-api', namespace: 'sublet-system' }],
    });
    const { path: served, body } = FLUX.gitrepositories;
    await operator.ask('POST', `${served}/namespaces/${BOB}/gitrepositories`, body);
    const api = await createRest(await cluster().serviceAccountKubeConfig('sublet-system', 'sublet-api'));
    const patch = (change: object) =>
      api.call(
        'PATCH',
        `${served}/namespaces/${BOB}/gitrepositories/${body.metadata.name}`,
        change,
        'application/merge-patch+json',
      );
    const asked = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': '1' } } };
    await expect.poll(async () => (await patch(asked)).status).toBe(200);
    expect(await patch({ spec: { url: 'https://evil.example/x' } })).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('the API asks Flux to look at a repository and states none') },
    });
  });

  it("gives the source the fleet's artifacts and tenants to read, and nothing else", async () => {
    expect((await source.call('GET', `/apis/sublet.dev/v1alpha1/${TENANTS.plural}`)).status).toBe(200);
    for (const refused of [
      '/api/v1/secrets',
      '/api/v1/namespaces',
      desktops,
      '/api/v1/namespaces/sublet-fleet/secrets',
    ]) {
      expect((await source.call('GET', refused)).status).toBe(403);
    }
    expect((await source.call('POST', configMaps('sublet-fleet'), buildConfigMap('planted', {}))).status).toBe(403);
  });
});

describe('what Flux may reach, as written', () => {
  it('is the internet as tenants may reach it, and what source-controller needs', async () => {
    const text = await readFile(path.join(import.meta.dirname, 'flux', 'networkpolicy.yaml'), 'utf8');
    const { spec } = parse(text) as { readonly spec: { readonly egress: readonly unknown[] } };
    expect(spec.egress.at(-1)).toEqual({
      to: [
        { ipBlock: { cidr: '0.0.0.0/0', except: NOT_INTERNET_V4 } },
        { ipBlock: { cidr: '::/0', except: NOT_INTERNET_V6 } },
      ],
    });
  });
});

describe('the roles as written', () => {
  it('name no wildcard, and no verb that escalates but bind on the fixed roles', async () => {
    const rules = (await readRoles()).flatMap((role) => role.rules ?? []);
    expect(rules.length).toBeGreaterThan(20);
    for (const rule of rules) {
      expect([...rule.verbs, ...rule.resources, ...rule.apiGroups]).not.toContain('*');
      expect(rule.verbs).not.toContain('escalate');
      if (rule.verbs.includes('impersonate')) expect(rule.resources).toEqual(['serviceaccounts']);
      if (rule.verbs.includes('bind')) expect(rule.resourceNames).toHaveLength(7);
    }
  });

  it('let the API alone act as somebody else: as the accounts that Flux applies with, to try a change', async () => {
    const acting = (await readRoles()).flatMap(({ kind, metadata, rules = [] }) =>
      rules
        .filter(({ verbs }) => verbs.includes('impersonate'))
        .map(({ resourceNames = ['*'] }) =>
          [kind, metadata.namespace ?? '', metadata.name, ...resourceNames].join(' '),
        ),
    );
    expect(acting).toEqual(['ClusterRole  sublet-api sublet-repository', 'Role sublet-fleet sublet-api *']);
  });
});

type Role = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly Rule[];
};

type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
};

/** Every document of `prerequisites/`; those without rules are no roles. */
async function readRoles(): Promise<readonly Role[]> {
  const folder = path.join(import.meta.dirname, 'prerequisites');
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml'));
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
  return texts.flatMap((text) => parseAllDocuments(text).map((document): Role => document.toJS()));
}

async function render(cluster: Cluster, folder: string): Promise<readonly Manifest[]> {
  const rendered = await cluster.kubectl(['kustomize', path.join(ROOT, folder)]);
  expect(rendered.stderr).toBe('');
  return rendered.stdout.split(/^---$/m).map((text): Manifest => parse(text));
}

/** A namespace gets its account a while after it was made, and takes no pod before. */
async function untilPodsAreTaken({ admin }: Cluster, namespace: string): Promise<void> {
  const account = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
  await vi.waitFor(async () => expect((await admin.call('GET', account)).status).toBe(200), SOON);
}

async function canI(
  cluster: Cluster,
  user: string,
  verb: string,
  resource: string,
  namespace: string,
): Promise<boolean> {
  const [name = '', subresource] = resource.split('/');
  const dot = name.indexOf('.');
  const review = (await cluster.admin.ask('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user,
      resourceAttributes: {
        namespace,
        verb,
        group: dot < 0 ? '' : name.slice(dot + 1),
        resource: dot < 0 ? name : name.slice(0, dot),
        ...(subresource === undefined ? {} : { subresource }),
      },
    },
  })) as { readonly status: { readonly allowed: boolean } };
  return review.status.allowed;
}

async function sliceLabels(cluster: Cluster): Promise<unknown> {
  const list = (await cluster.admin.ask('GET', `/apis/discovery.k8s.io/v1/namespaces/${BOB}/endpointslices`)) as {
    readonly items: readonly { readonly metadata: { readonly labels?: object } }[];
  };
  return list.items[0]?.metadata.labels;
}

function buildConfigMap(name: string, metadata: object): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata } };
}

function buildDesktop(metadata: object): object {
  return {
    apiVersion: 'sublet.dev/v1alpha1',
    kind: 'RDPInstance',
    metadata: { name: 'desk', ...metadata },
    spec: { plan: 'pro', image: 'ubuntu-24', username: 'anna' },
  };
}

function buildBinding(role: string, clusterRole = `sublet-${role}`): object {
  const apiGroup = 'rbac.authorization.k8s.io';
  return {
    apiVersion: `${apiGroup}/v1`,
    kind: 'RoleBinding',
    metadata: { name: role },
    roleRef: { apiGroup, kind: 'ClusterRole', name: clusterRole },
    subjects: [{ apiGroup, kind: 'User', name: `anna-${role}` }],
  };
}

const FLEET_BINDING = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name: 'sublet-fleet-customer' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'sublet-fleet-customer' },
  subjects: [{ kind: 'ServiceAccount', name: 't-acme--bob', namespace: 'sublet-fleet' }],
};

const FLUX = {
  gitrepositories: {
    path: '/apis/source.toolkit.fluxcd.io/v1',
    body: {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: 'sublet-repository' },
      spec: { url: 'https://git.example.com/x', interval: '1m' },
    },
  },
  kustomizations: {
    path: '/apis/kustomize.toolkit.fluxcd.io/v1',
    body: {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name: 'sublet-repository' },
      spec: { interval: '1h', prune: true, sourceRef: { kind: 'GitRepository', name: 'sublet-repository' } },
    },
  },
} as const;
