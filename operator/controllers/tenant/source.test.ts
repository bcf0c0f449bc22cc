import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PLANS, TENANTS } from '../../../crds/v1alpha1/resources.ts';
import type { Tenant } from '../../../crds/v1alpha1/tenant.ts';
import { ROLEBINDINGS, ROLES, SECRETS, SERVICEACCOUNTS } from '../../../kube/builtin.ts';
import { findCondition } from '../../../kube/conditions.ts';
import type { KubeObject, Resource } from '../../../kube/object.ts';
import { GITREPOSITORIES, KUSTOMIZATIONS } from '../../../model/flux.ts';
import { createHarness, DAY_MS, type Harness, tenant, tenantPlan } from '../../testing/harness.ts';

const URL = 'https://git.example.com/acme/fleet.git';
const SECRET = 'git.git.example.com';
const OWN = 't-acme/sublet-repository';
const anna = { kind: 'User', name: 'oidc:anna', role: 'Owner' } as const;

let harness: Harness;
afterEach(() => harness.stop());

function begin(settings: Readonly<Record<string, unknown>> = {}): void {
  harness = createHarness(settings);
  harness.server.put(PLANS, tenantPlan('sublet-root', 'team'));
}
beforeEach(() => begin());

const from = (repository: Readonly<Record<string, unknown>>): Partial<Tenant['spec']> =>
  ({ members: [anna], source: { type: 'Repository', repository } }) as unknown as Partial<Tenant['spec']>;

async function order(spec: Partial<Tenant['spec']>): Promise<void> {
  const { uid: _, resourceVersion: __, ...kept } = read()?.metadata ?? { name: 'acme', namespace: 'sublet-root' };
  harness.server.put(TENANTS, { ...tenant('sublet-root', 'acme', spec), metadata: kept });
  await harness.converge();
}

function secret(type: string): KubeObject {
  const metadata = { name: SECRET, namespace: 't-acme' };
  return { apiVersion: 'v1', kind: 'Secret', metadata, type, data: {} } as KubeObject;
}

const read = (): (Tenant & KubeObject) | undefined => harness.server.get(TENANTS, 'sublet-root/acme');

function told(type = 'RepositoryFailed'): string | undefined {
  const found = findCondition(read()?.status?.conditions, type);
  return found && `${found.status} ${found.reason}: ${found.message}`;
}

const exists = (resource: Resource, key: string): boolean => harness.server.get(resource, key) !== undefined;

/** What feeds the tenant, wherever it is. */
function feeds(): readonly string[] {
  return [SERVICEACCOUNTS, GITREPOSITORIES, KUSTOMIZATIONS].flatMap((resource) =>
    harness.server
      .list(resource)
      .filter(({ metadata }) => metadata.name !== 'default')
      .map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`),
  );
}

const REPOSITORY_FEEDS = [`ServiceAccount ${OWN}`, `GitRepository ${OWN}`, `Kustomization ${OWN}`];
const FLEET_FEEDS = ['ServiceAccount sublet-fleet/t-acme', 'Kustomization sublet-fleet/t-acme'];

/** As Flux's controllers would. */
async function say(resource: Resource, conditions: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
  const generation = harness.server.get(resource, OWN)?.metadata.generation;
  const common = { status: 'True', reason: 'R', message: 'm', lastTransitionTime: '2026-11-21T09:00:00Z' };
  const body = {
    status: { conditions: conditions.map((one) => ({ ...common, observedGeneration: generation, ...one })) },
  };
  const [namespace, name = ''] = OWN.split('/');
  await harness.server.client.patch(resource, { namespace, name }, { type: 'merge', body }, { subresource: 'status' });
  await harness.converge();
}

const tenantWrites = (): number => harness.server.writes.filter(({ kind }) => kind === 'Tenant').length;

describe('a Tenant with its own repository', () => {
  it('is fed from its own namespace, and looking again or a restart write nothing', async () => {
    await order(from({ url: URL }));
    expect(told('Ready')).toBe('True Succeeded: namespace t-acme is ready');
    expect(told()).toBeUndefined();
    expect(feeds()).toEqual(REPOSITORY_FEEDS);
    expect(exists(ROLES, 't-acme/sublet-repository-secret')).toBe(false);
    const written = harness.server.writes.length;
    await harness.pass(DAY_MS);
    harness = await harness.restart();
    await harness.converge();
    expect(harness.server.writes.slice(written)).toEqual([]);
  });

  it('is fetched once its Secret is there, of the type for Git, and no longer when that is gone', async () => {
    await order(from({ url: URL, secretRef: { name: SECRET } }));
    expect(told('Ready')).toBe('True Succeeded: namespace t-acme is ready');
    expect(told()).toMatch(/^True SecretNotFound: .*namespace t-acme has no Secret git\.git\.example\.com of type/);
    expect(feeds()).not.toContain(`GitRepository ${OWN}`);
    expect(exists(ROLEBINDINGS, 't-acme/sublet-repository-secret')).toBe(true);

    harness.server.put(SECRETS, secret('Opaque'));
    await harness.converge();
    expect(feeds()).not.toContain(`GitRepository ${OWN}`);
    harness.server.remove(SECRETS, `t-acme/${SECRET}`);

    harness.server.put(SECRETS, secret('sublet.dev/git'));
    await harness.converge();
    expect(told()).toBeUndefined();
    expect(feeds()).toEqual(REPOSITORY_FEEDS);

    harness.server.remove(SECRETS, `t-acme/${SECRET}`);
    await harness.converge();
    expect(told()).toMatch(/^True SecretNotFound/);
    expect(feeds()).toEqual([`ServiceAccount ${OWN}`, `Kustomization ${OWN}`]);
  });

  it('has a Secret sent to no other host: not by another URL, nor by another name for it', async () => {
    await order(from({ url: URL, secretRef: { name: SECRET } }));
    harness.server.put(SECRETS, secret('sublet.dev/git'));
    await harness.converge();
    const elsewhere = { url: 'https://git.evil.example/acme', secretRef: { name: SECRET } };
    await expect(order(from(elsewhere))).rejects.toThrow('a Secret is sent to no other host');
    await order(from({ ...elsewhere, secretRef: { name: 'git.git.evil.example' } }));
    expect(told()).toMatch(/SecretNotFound: .*no Secret git\.git\.evil\.example/);
    expect(exists(GITREPOSITORIES, OWN)).toBe(false);
  });

  it('is not fetched from inside, and gets everything else all the same', async () => {
    await order(from({ url: 'https://10.0.0.1/fleet' }));
    expect(told()).toMatch(/^True HostNotAllowed: spec\.source\.repository\.url names 10\.0\.0\.1, which is a private/);
    expect(told('Ready')).toBe('True Succeeded: namespace t-acme is ready');
    expect(exists(GITREPOSITORIES, OWN)).toBe(false);
    expect(exists(ROLEBINDINGS, 't-acme/sublet-owner')).toBe(true);
  });

  it('is fetched from inside where the provider allows the host', async () => {
    await harness.stop();
    begin({ allowedGitHosts: ['10.0.0.1:3000'] });
    await order(from({ url: 'https://10.0.0.1:3000/fleet' }));
    expect(told()).toBeUndefined();
    expect(feeds()).toEqual(REPOSITORY_FEEDS);
  });
});

describe('what Flux says of the repository', () => {
  beforeEach(() => order(from({ url: URL })));

  it('is told while it fails, in one write, however often Flux tries', async () => {
    const failed = { type: 'FetchFailed', reason: 'GitOperationFailed', message: 'authentication required' };
    const before = tenantWrites();
    await say(GITREPOSITORIES, [{ ...failed }, { type: 'Ready', status: 'False' }]);
    expect(told()).toBe(
      'True FetchFailed: the repository cannot be fetched, and what was applied last stays: GitOperationFailed: authentication required',
    );
    expect(told('Ready')).toBe('True Succeeded: namespace t-acme is ready');
    for (const status of ['Unknown', 'False', 'Unknown', 'False'])
      await say(GITREPOSITORIES, [{ ...failed }, { type: 'Ready', status }]);
    expect(tenantWrites() - before).toBe(1);
    await say(GITREPOSITORIES, [{ type: 'Ready' }]);
    expect(told()).toBeUndefined();
    expect(tenantWrites() - before).toBe(2);
  });

  it('is told of what cannot be applied, and stays told while Flux tries again', async () => {
    await say(GITREPOSITORIES, [{ type: 'Ready' }]);
    const failed = { type: 'Ready', status: 'False', reason: 'BuildFailed', message: 'a.yaml: not YAML' };
    const busy = { type: 'Ready', status: 'Unknown', reason: 'Progressing' };
    await say(KUSTOMIZATIONS, [failed]);
    expect(told()).toMatch(/^True ApplyFailed: .*BuildFailed: a\.yaml: not YAML$/);
    const before = tenantWrites();
    await say(KUSTOMIZATIONS, [busy]);
    await harness.pass(DAY_MS);
    harness = await harness.restart();
    await harness.converge();
    expect(told()).toMatch(/^True ApplyFailed/);
    await say(KUSTOMIZATIONS, [failed]);
    expect(tenantWrites()).toBe(before);
    await say(KUSTOMIZATIONS, [{ type: 'Ready' }]);
    expect(told()).toBeUndefined();
  });
});

describe('another source', () => {
  it('takes the place of the one before, in any order, and leaves nothing of it', async () => {
    await order({ members: [anna], source: { type: 'Fleet' } });
    expect(feeds()).toEqual(FLEET_FEEDS);
    await order(from({ url: URL, secretRef: { name: SECRET } }));
    expect(feeds()).toEqual([`ServiceAccount ${OWN}`, `Kustomization ${OWN}`]);
    expect(told()).toMatch(/SecretNotFound/);
    await order({ members: [anna] });
    expect(feeds()).toEqual([]);
    expect(told()).toBeUndefined();
    expect(exists(ROLES, 't-acme/sublet-repository-secret')).toBe(false);
    await order(from({ url: URL }));
    expect(feeds()).toEqual(REPOSITORY_FEEDS);
    await order({ members: [anna], source: { type: 'Fleet' } });
    expect(feeds()).toEqual(FLEET_FEEDS);
  });

  it('never has Flux delete what the tenant has', async () => {
    for (const spec of [{ source: { type: 'Fleet' } } as const, from({ url: URL })]) {
      await order(spec);
      const policies = harness.server
        .list<KubeObject & { spec: { deletionPolicy: string } }>(KUSTOMIZATIONS)
        .map((one) => one.spec.deletionPolicy);
      expect(policies).toEqual(['Orphan']);
    }
  });
});

describe('a removed Tenant', () => {
  it('loses its repository at once, and gets it again when it comes back', async () => {
    const { server } = harness;
    await order(from({ url: URL, secretRef: { name: SECRET } }));
    server.put(SECRETS, secret('sublet.dev/git'));
    await harness.converge();
    server.remove(TENANTS, 'sublet-root/acme');
    await harness.converge();
    expect(feeds()).toEqual([]);
    expect(exists(ROLEBINDINGS, 't-acme/sublet-repository-secret')).toBe(false);
    expect(exists(SECRETS, `t-acme/${SECRET}`)).toBe(true);
    await order(from({ url: URL, secretRef: { name: SECRET } }));
    expect(feeds()).toEqual(REPOSITORY_FEEDS);
  });
});
