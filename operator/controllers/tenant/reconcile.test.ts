import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PLANS, QUOTAS, TENANTS } from '../../../crds/v1alpha1/resources.ts';
import type { Tenant } from '../../../crds/v1alpha1/tenant.ts';
import {
  CONFIGMAPS,
  CUSTOMRESOURCEDEFINITIONS,
  NAMESPACES,
  NETWORKPOLICIES,
  ROLEBINDINGS,
  ROLES,
} from '../../../kube/builtin.ts';
import { ChangedError, StatusError } from '../../../kube/errors.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { KUSTOMIZATIONS } from '../../../model/flux.ts';
import { ANNOTATION_REMOVED_AT, ANNOTATION_SWEEP_AT, FINALIZER } from '../../../model/labels.ts';
import { createHarness, DAY_MS, type Harness, quota, tenant, tenantPlan } from '../../testing/harness.ts';
import { createTenantTree } from '../../tree.ts';
import { createTenantReconcile } from './reconcile.ts';

let harness: Harness;
beforeEach(() => {
  harness = createHarness();
  harness.server.put(PLANS, tenantPlan('sublet-root', 'team', { tenants: 2, vcpu: 16, memory: '64Gi' }));
});
afterEach(() => harness.stop());

const anna = { kind: 'User', name: 'oidc:anna', role: 'Owner' } as const;
const reseller = () => tenant('sublet-root', 'acme', { type: 'Reseller', source: { type: 'Fleet' } });
const customer = (name: string, spec: Partial<Tenant['spec']> = {}) =>
  tenant('t-acme', name, { plan: 'small', ...spec });

/** A reseller that sells one plan, and its customers. */
async function sell(...customers: readonly KubeObject[]): Promise<void> {
  harness.server.put(TENANTS, reseller());
  await harness.converge();
  harness.server.put(PLANS, tenantPlan('t-acme', 'small', { vcpu: 4, memory: '8Gi' }));
  for (const one of customers) harness.server.put(TENANTS, one);
  await harness.converge();
}

function ready(key: string): string {
  const found = harness.server
    .get<Tenant & KubeObject>(TENANTS, key)
    ?.status?.conditions?.find(({ type }) => type === 'Ready');
  return `${found?.status} ${found?.reason}: ${found?.message}`;
}

function namespace(name: string): KubeObject | undefined {
  return harness.server.get(NAMESPACES, name);
}

function shares(name: string): readonly string[] {
  return Object.keys(
    harness.server.get<KubeObject & { data: object }>(CONFIGMAPS, `${name}/sublet-grants`)?.data ?? {},
  );
}

describe('making a Tenant', () => {
  it('makes its children once; looking again and a restart write nothing', async () => {
    await sell(customer('bob', { members: [anna], source: { type: 'Fleet' } }));
    const { server } = harness;
    expect(ready('sublet-root/acme')).toBe('True Succeeded: namespace t-acme is ready');
    expect(ready('t-acme/bob')).toBe('True Succeeded: namespace t-acme--bob is ready');
    expect(server.get<Tenant & KubeObject>(TENANTS, 't-acme/bob')?.status).toMatchObject({
      observedGeneration: 1,
      namespace: 't-acme--bob',
      path: 'acme--bob',
    });
    expect(server.get(KUSTOMIZATIONS, 'sublet-fleet/t-acme--bob')).toBeDefined();
    expect(shares('t-acme')).toEqual(['tenants.bob']);
    const written = server.writes.length;
    await harness.pass(DAY_MS);
    expect(server.writes.slice(written)).toEqual([]);
    harness = await harness.restart();
    await harness.converge();
    expect(server.writes.slice(written)).toEqual([]);
  });

  it('needs children + 2 writes: finalizer and one status', async () => {
    harness.server.put(TENANTS, reseller());
    await harness.converge();
    const writes = harness.server.writes.filter(({ kind }) => kind !== 'Plan');
    const children = [
      'Namespace',
      'ResourceQuota',
      'NetworkPolicy',
      'RoleBinding',
      'ServiceAccount',
      'Kustomization',
    ].flatMap((kind) => writes.filter((write) => write.kind === kind));
    expect(writes).toHaveLength(children.length + 2);
    expect(children.every(({ verb }) => verb === 'create')).toBe(true);
  });

  it('never writes into a namespace that is not its own, and takes the name when it is free', async () => {
    const { server } = harness;
    const foreign = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 't-acme', labels: { team: 'web' } } };
    const before = server.put(NAMESPACES, foreign);
    server.put(TENANTS, reseller());
    await harness.converge();
    expect(ready('sublet-root/acme')).toBe(
      "False NameConflict: namespace t-acme exists and is not a tenant's; delete it or choose another name",
    );
    expect(namespace('t-acme')).toEqual(before);
    expect(server.writes.filter(({ key }) => key.startsWith('t-acme'))).toEqual([]);
    server.remove(NAMESPACES, 't-acme');
    await harness.converge();
    expect(ready('sublet-root/acme')).toBe('True Succeeded: namespace t-acme is ready');
  });

  it('is not Ready while its namespace is being deleted, writes nothing there, and makes it again', async () => {
    const { server } = harness;
    server.put(TENANTS, reseller());
    await harness.converge();
    const metadata = { namespace: 't-acme', name: 'stuck' };
    const stuck = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, finalizers: ['example.com/never'] } };
    server.put(CONFIGMAPS, stuck);
    server.remove(NAMESPACES, 't-acme');
    const written = server.writes.length;
    await harness.converge();
    expect(ready('sublet-root/acme')).toBe(
      'False Progressing: namespace t-acme is being deleted; it is made again when that is over',
    );
    expect(server.writes.slice(written).map(({ verb, kind }) => `${verb} ${kind}`)).toEqual(['apply status Tenant']);
    server.put(CONFIGMAPS, { ...stuck, metadata });
    await harness.converge();
    expect(ready('sublet-root/acme')).toBe('True Succeeded: namespace t-acme is ready');
    expect(namespace('t-acme')?.metadata.deletionTimestamp).toBeUndefined();
  });

  it('never overwrites a child that somebody else made', async () => {
    const { server } = harness;
    const taken = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'sublet-tenant-acme', namespace: 'sublet-root' },
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
    };
    const before = server.put(ROLES, taken);
    server.put(TENANTS, tenant('sublet-root', 'acme', { members: [anna] }));
    await harness.converge();
    expect(ready('sublet-root/acme')).toBe(
      'False NameConflict: Role sublet-root/sublet-tenant-acme exists and does not belong to this resource; rename or delete it, nothing was changed',
    );
    expect(server.get(ROLES, 'sublet-root/sublet-tenant-acme')).toEqual(before);
  });

  it('restores what was changed or deleted, and prunes what is no longer stated', async () => {
    const { server } = harness;
    server.put(TENANTS, tenant('sublet-root', 'acme', { members: [anna] }));
    await harness.converge();
    const walls = server.get<KubeObject & { spec: object }>(NETWORKPOLICIES, 't-acme/sublet-deny-all');
    server.put(NETWORKPOLICIES, {
      ...walls,
      spec: { podSelector: {}, policyTypes: ['Egress'] },
    } as unknown as KubeObject);
    server.remove(NETWORKPOLICIES, 't-acme/sublet-allow-dns');
    await harness.converge();
    expect(server.get<KubeObject & { spec: object }>(NETWORKPOLICIES, 't-acme/sublet-deny-all')?.spec).toEqual(
      walls?.spec,
    );
    expect(server.get(NETWORKPOLICIES, 't-acme/sublet-allow-dns')).toBeDefined();
    expect(server.get(ROLEBINDINGS, 't-acme/sublet-owner')).toBeDefined();
    edit('acme', { members: [] });
    await harness.converge();
    expect(server.list(ROLEBINDINGS)).toEqual([]);
    expect(server.list(ROLES)).toEqual([]);
  });

  it('lets Flux in only once its objects are counted, and says so when that takes long', async () => {
    const { server, clock } = harness;
    await server.stopControllers();
    server.put(TENANTS, reseller());
    await harness.converge();
    expect(server.list(KUSTOMIZATIONS)).toEqual([]);
    await clock.advance(20_000);
    await harness.converge();
    expect(ready('sublet-root/acme')).toBe(
      'False Progressing: Kubernetes has not counted the objects of namespace t-acme yet',
    );
    server.startControllers();
    await harness.converge();
    expect(server.list(KUSTOMIZATIONS)).toHaveLength(1);
    expect(ready('sublet-root/acme')).toContain('True Succeeded');
  });

  it('puts its finalizer back when somebody takes it off', async () => {
    harness.server.put(TENANTS, reseller());
    await harness.converge();
    const live = harness.server.get(TENANTS, 'sublet-root/acme') as KubeObject;
    harness.server.put(TENANTS, { ...live, metadata: { ...live.metadata, finalizers: [] } });
    await harness.converge();
    expect(harness.server.get(TENANTS, 'sublet-root/acme')?.metadata.finalizers).toEqual([FINALIZER]);
  });
});

describe('refusing a Tenant', () => {
  it('stalls without a Plan, and is made when the Plan comes', async () => {
    harness.server.put(TENANTS, tenant('sublet-root', 'zoe', { plan: 'gold' }));
    await harness.converge();
    expect(ready('sublet-root/zoe')).toContain(
      'False PlanNotFound: spec.plan gold: no Plan gold in namespace sublet-root',
    );
    expect(namespace('t-zoe')).toBeUndefined();
    harness.server.put(PLANS, tenantPlan('sublet-root', 'gold'));
    await harness.converge();
    expect(ready('sublet-root/zoe')).toBe('True Succeeded: namespace t-zoe is ready');
  });

  it('takes the rights of who is no member any more, whatever else it is refused for', async () => {
    const eve = { kind: 'User', name: 'oidc:eve', role: 'Owner' } as const;
    await sell(customer('bob', { members: [anna, eve] }));
    const owners = () =>
      harness.server
        .list<KubeObject & { readonly subjects?: readonly { readonly name: string }[] }>(ROLEBINDINGS)
        .filter(({ metadata: { name } }) => name === 'sublet-owner' || name === 'sublet-tenant-bob')
        .map(({ subjects = [] }) => subjects.map(({ name }) => name));
    expect(owners()).toEqual([
      ['oidc:anna', 'oidc:eve'],
      ['oidc:anna', 'oidc:eve'],
    ]);
    harness.server.remove(PLANS, 't-acme/small');
    harness.server.put(TENANTS, customer('bob', { members: [anna] }));
    await harness.converge();
    expect(ready('t-acme/bob')).toContain('False PlanNotFound');
    expect(owners()).toEqual([['oidc:anna'], ['oidc:anna']]);
    harness.server.put(TENANTS, customer('bob', { members: [] }));
    await harness.converge();
    expect(owners()).toEqual([]);
    const written = harness.server.writes.length;
    await harness.pass(DAY_MS);
    expect(harness.server.writes.slice(written)).toEqual([]);
  });

  it('stalls in a namespace of nobody and below a Customer, and follows when the seller may sell', async () => {
    const { server } = harness;
    server.put(TENANTS, tenant('default', 'eve'));
    edit('acme', { type: 'Customer' });
    await harness.converge();
    server.put(PLANS, tenantPlan('t-acme', 'small'));
    server.put(TENANTS, customer('bob'));
    await harness.converge();
    expect(ready('default/eve')).toContain('False NoSeller: namespace default belongs to no seller');
    expect(ready('t-acme/bob')).toContain(
      'False NoSeller: the owner of namespace t-acme is a Customer and may not sell',
    );
    edit('acme', { type: 'Reseller' });
    await harness.converge();
    expect(ready('t-acme/bob')).toBe('True Succeeded: namespace t-acme--bob is ready');
  });

  it('gives one identity to one Tenant, the older, and to the next when that goes', async () => {
    const { server, clock } = harness;
    server.put(TENANTS, tenant('sublet-root', 'old', { id: 'same', deletion: { policy: 'Delete', graceDays: 0 } }));
    clock.step(1_000);
    server.put(TENANTS, tenant('sublet-root', 'young', { id: 'same' }));
    await harness.converge();
    expect(ready('sublet-root/young')).toBe(
      'False DuplicateIdentity: spec.id same is taken by Tenant old; use an id of its own',
    );
    expect(namespace('t-young')).toBeUndefined();
    server.remove(TENANTS, 'sublet-root/old');
    await harness.converge();
    expect(ready('sublet-root/young')).toBe('True Succeeded: namespace t-young is ready');
  });

  it('makes nothing that does not fit the seller, says the numbers, and makes it once it fits', async () => {
    await sell(customer('one'), customer('two'), customer('three'));
    const refused = ['one', 'two', 'three'].filter((name) => ready(`t-acme/${name}`).startsWith('False'));
    expect(refused).toHaveLength(1);
    const name = refused[0] ?? '';
    expect(ready(`t-acme/${name}`)).toBe('False QuotaExceeded: tenants: asked 1, used 2 of 2');
    expect(namespace(`t-acme--${name}`)).toBeUndefined();
    harness.server.put(QUOTAS, quota('sublet-root', 'acme', { tenants: 2 }));
    const plan = harness.server.get<KubeObject>(PLANS, 'sublet-root/team') as KubeObject;
    harness.server.put(PLANS, {
      ...plan,
      ...{ spec: tenantPlan('', 'team', { tenants: 3, vcpu: 16, memory: '64Gi' }).spec },
    });
    await harness.converge();
    expect(ready(`t-acme/${name}`)).toBe('False QuotaExceeded: tenants: asked 1, used 2 of 2');
    harness.server.remove(QUOTAS, 'sublet-root/acme');
    await harness.converge();
    expect(ready(`t-acme/${name}`)).toContain('True Succeeded');
  });

  it('keeps what it has when a growing share does not fit, and says so', async () => {
    await sell(customer('bob'));
    const plan = harness.server.get<KubeObject>(PLANS, 't-acme/small') as KubeObject;
    harness.server.put(PLANS, { ...plan, ...{ spec: tenantPlan('', 'small', { vcpu: 20, memory: '8Gi' }).spec } });
    await harness.converge();
    expect(ready('t-acme/bob')).toBe('False QuotaExceeded: vcpu: asked 20, used 0 of 16');
    expect(harness.context.grants.recorded('t-acme', 'tenants/bob')?.allotted.vcpu).toBe(4n);
    expect(harness.context.limits.inNamespace('t-acme--bob').vcpu).toBe(4n);
  });
});

describe('errors on the way', () => {
  const unavailable = () => new StatusError({ code: 503, message: 'try again' });

  it('says Retrying before the first success, and heals', async () => {
    let broken = true;
    harness.server.intercept = ({ kind }) => {
      if (broken && kind === 'ResourceQuota') throw unavailable();
    };
    harness.server.put(TENANTS, reseller());
    await harness.converge();
    expect(ready('sublet-root/acme')).toBe('False Retrying: try again');
    broken = false;
    await harness.clock.advance(60_000);
    await harness.converge();
    expect(ready('sublet-root/acme')).toBe('True Succeeded: namespace t-acme is ready');
  });

  it('takes Ready from nobody for an error that passes', async () => {
    harness.server.put(TENANTS, reseller());
    await harness.converge();
    const before = harness.server.get<Tenant & KubeObject>(TENANTS, 'sublet-root/acme')?.status;
    harness.server.intercept = ({ kind }) => {
      if (kind === 'NetworkPolicy') throw unavailable();
    };
    harness.server.remove(NETWORKPOLICIES, 't-acme/sublet-deny-all');
    await harness.converge();
    expect(harness.server.get<Tenant & KubeObject>(TENANTS, 'sublet-root/acme')?.status).toEqual(before);
    harness.server.intercept = undefined;
    await harness.clock.advance(60_000);
    await harness.converge();
    expect(harness.server.get(NETWORKPOLICIES, 't-acme/sublet-deny-all')).toBeDefined();
  });
});

describe('suspension', () => {
  const suspended = (key: string) =>
    harness.server.get<Tenant & KubeObject>(TENANTS, key)?.status?.conditions?.find(({ type }) => type === 'Suspended')
      ?.message;

  it('is inherited, shown with who stated it, and gone when it is lifted', async () => {
    await sell(customer('bob'));
    const holds = [{ tenant: 'bob', reason: 'Abuse' }] as const;
    edit('acme', { type: 'Reseller', suspensions: [{ reason: 'Payment' }], holds: [...holds] });
    await harness.converge();
    expect(suspended('sublet-root/acme')).toBe('Payment (stated by acme)');
    expect(suspended('t-acme/bob')).toBe('Payment (stated by acme), Abuse (stated by acme)');
    edit('acme', { type: 'Reseller' });
    await harness.converge();
    expect(suspended('t-acme/bob')).toBeUndefined();
    expect(ready('t-acme/bob')).toContain('True Succeeded');
  });
});

describe('removing a Tenant', () => {
  it('stamps the namespace, takes away rights and Flux, keeps walls and content, and releases at once', async () => {
    const { server } = harness;
    server.put(TENANTS, tenant('sublet-root', 'acme', { members: [anna], source: { type: 'Fleet' } }));
    await harness.converge();
    server.remove(TENANTS, 'sublet-root/acme');
    await harness.converge();
    expect(server.get(TENANTS, 'sublet-root/acme')).toBeUndefined();
    const { [ANNOTATION_REMOVED_AT]: removedAt = '', [ANNOTATION_SWEEP_AT]: sweepAt = '' } =
      namespace('t-acme')?.metadata.annotations ?? {};
    expect(Date.parse(sweepAt) - Date.parse(removedAt)).toBe(7 * DAY_MS);
    expect(server.list(KUSTOMIZATIONS)).toEqual([]);
    expect(server.list(ROLEBINDINGS).filter(({ metadata }) => metadata.namespace === 't-acme')).toEqual([]);
    expect(server.list(NETWORKPOLICIES)).toHaveLength(4);
    await harness.pass(6 * DAY_MS);
    expect(namespace('t-acme')).toBeDefined();
    await harness.pass(2 * DAY_MS);
    expect(namespace('t-acme')).toBeUndefined();
  });

  it('gives everything back to the same identity', async () => {
    const { server } = harness;
    server.put(TENANTS, reseller());
    await harness.converge();
    const uid = namespace('t-acme')?.metadata.uid;
    server.remove(TENANTS, 'sublet-root/acme');
    await harness.converge();
    await harness.pass(6 * DAY_MS);
    server.put(TENANTS, reseller());
    await harness.converge();
    expect(ready('sublet-root/acme')).toContain('True Succeeded');
    expect(namespace('t-acme')?.metadata.uid).toBe(uid);
    expect(namespace('t-acme')?.metadata.annotations?.[ANNOTATION_REMOVED_AT]).toBeUndefined();
    expect(server.get(KUSTOMIZATIONS, 'sublet-fleet/t-acme')).toBeDefined();
    await harness.pass(30 * DAY_MS);
    expect(namespace('t-acme')?.metadata.uid).toBe(uid);
  });

  it('stamps nothing for a removal that an old view shows and that is over', async () => {
    const { server, context } = harness;
    await sell(customer('bob'));
    const shown = context.informers.tenants.get('t-acme/bob');
    if (shown === undefined) throw new Error('the Tenant is not in the cache');
    const removed = { ...shown, metadata: { ...shown.metadata, deletionTimestamp: '2026-11-21T09:00:00Z' } };
    server.remove(TENANTS, 't-acme/bob');
    await harness.converge();
    server.put(TENANTS, customer('bob'));
    await harness.converge();
    expect(ready('t-acme/bob')).toContain('True Succeeded');
    const get = (key: string) => (key === 't-acme/bob' ? removed : context.informers.tenants.get(key));
    const tenants = { ...context.informers.tenants, get };
    const late = { ...context, informers: { ...context.informers, tenants } };
    const { signal } = new AbortController();
    server.writes.length = 0;
    await expect(createTenantReconcile(late)('t-acme/bob', signal)).rejects.toBeInstanceOf(ChangedError);
    expect(server.writes).toEqual([]);
  });

  it('takes nothing back for a Tenant that an old view shows and that is gone', async () => {
    await sell(customer('bob'));
    const shown = harness.context.informers.tenants.get('t-acme/bob');
    harness.server.remove(TENANTS, 't-acme/bob');
    await harness.converge();
    const stamps = namespace('t-acme--bob')?.metadata.annotations;
    expect(stamps).toHaveProperty([ANNOTATION_REMOVED_AT]);
    const { context } = harness;
    const get = (key: string) => (key === 't-acme/bob' ? shown : context.informers.tenants.get(key));
    const tenants = { ...context.informers.tenants, get };
    const late = { ...context, informers: { ...context.informers, tenants } };
    const reconcile = createTenantReconcile({ ...late, tree: createTenantTree(late.informers, late.config) });
    await expect(reconcile('t-acme/bob', new AbortController().signal)).rejects.toThrow('t-acme/bob changed since');
    expect(namespace('t-acme--bob')?.metadata.annotations).toEqual(stamps);
  });

  it('refuses another identity until the grace is over, then serves it with a namespace of its own', async () => {
    const { server } = harness;
    server.put(TENANTS, reseller());
    await harness.converge();
    const uid = namespace('t-acme')?.metadata.uid;
    server.remove(TENANTS, 'sublet-root/acme');
    await harness.converge();
    server.put(TENANTS, tenant('sublet-root', 'acme', { id: 'somebody-else' }));
    await harness.converge();
    const until = namespace('t-acme')?.metadata.annotations?.[ANNOTATION_SWEEP_AT];
    expect(ready('sublet-root/acme')).toBe(
      `False NameConflict: namespace t-acme belongs to a removed tenant of the same name until ${until}; wait, choose another name, or use that tenant's id`,
    );
    await harness.pass(8 * DAY_MS);
    expect(ready('sublet-root/acme')).toContain('True Succeeded');
    expect(namespace('t-acme')?.metadata.uid).not.toBe(uid);
  });

  it('gives the share back when the disks are gone and not before, also over a restart in between', async () => {
    await sell(customer('one'), customer('two'));
    harness.server.remove(TENANTS, 't-acme/one');
    await harness.converge();
    expect(shares('t-acme')).toEqual(['tenants.one', 'tenants.two']);
    await harness.stop();
    harness.server.remove(NAMESPACES, 't-acme--one');
    harness = await harness.restart();
    await harness.converge();
    expect(shares('t-acme')).toEqual(['tenants.two']);
  });

  it('gives the share of a tenant back that never got a namespace', async () => {
    const { server } = harness;
    server.intercept = ({ kind, key }) => {
      if (kind === 'Namespace' && key === 't-acme--bob') throw new StatusError({ code: 503, message: 'no' });
    };
    await sell(customer('bob'));
    expect(shares('t-acme')).toEqual(['tenants.bob']);
    server.remove(TENANTS, 't-acme/bob');
    await harness.converge();
    expect(server.get(TENANTS, 't-acme/bob')).toBeUndefined();
    expect(shares('t-acme')).toEqual([]);
  });

  it('sweeps what was sold below when the seller is swept', async () => {
    await sell(customer('bob', { members: [anna] }));
    harness.server.remove(TENANTS, 'sublet-root/acme');
    await harness.converge();
    await harness.pass(8 * DAY_MS);
    expect(namespace('t-acme')).toBeUndefined();
    expect(namespace('t-acme--bob')?.metadata.annotations?.[ANNOTATION_REMOVED_AT]).toBeDefined();
    expect(harness.server.list(ROLEBINDINGS)).toEqual([]);
    await harness.pass(8 * DAY_MS);
    expect(namespace('t-acme--bob')).toBeUndefined();
  });

  it('buries what was left by a Tenant whose finalizer was taken off', async () => {
    await sell(customer('bob', { members: [anna] }));
    await harness.stop();
    const live = harness.server.get(TENANTS, 't-acme/bob') as KubeObject;
    harness.server.put(TENANTS, { ...live, metadata: { ...live.metadata, finalizers: [] } });
    harness.server.remove(TENANTS, 't-acme/bob');
    harness = await harness.restart();
    await harness.converge();
    expect(namespace('t-acme--bob')?.metadata.annotations?.[ANNOTATION_SWEEP_AT]).toBeDefined();
    expect(harness.server.list(ROLEBINDINGS).map(({ metadata }) => metadata.name)).toEqual(['sublet-fleet-reseller']);
  });

  it('loses its rights and is swept although somebody else keeps the Tenant from going', async () => {
    await sell(customer('bob', { members: [anna] }));
    const live = harness.server.get(TENANTS, 't-acme/bob') as KubeObject;
    const finalizers = [FINALIZER, 'example.com/kept'];
    harness.server.put(TENANTS, { ...live, metadata: { ...live.metadata, finalizers } });
    harness.server.remove(TENANTS, 't-acme/bob');
    await harness.converge();
    expect(harness.server.list(ROLEBINDINGS).map(({ metadata }) => metadata.name)).toEqual(['sublet-fleet-reseller']);
    await harness.pass(8 * DAY_MS);
    expect(namespace('t-acme--bob')).toBeUndefined();
    expect(harness.server.get(TENANTS, 't-acme/bob')?.metadata.finalizers).toEqual(['example.com/kept']);
    const written = harness.server.writes.length;
    await harness.pass(DAY_MS);
    expect(harness.server.writes.slice(written)).toEqual([]);
  });

  it('touches nothing while the definition of Tenant is missing', async () => {
    await sell(customer('bob'));
    await harness.stop();
    const { server } = harness;
    server.remove(CUSTOMRESOURCEDEFINITIONS, 'tenants.sublet.dev');
    for (const one of server.list<KubeObject>(TENANTS)) {
      server.put(TENANTS, { ...one, metadata: { ...one.metadata, finalizers: [] } });
      server.remove(TENANTS, `${one.metadata.namespace}/${one.metadata.name}`);
    }
    harness = await harness.restart();
    const written = server.writes.length;
    await harness.pass(30 * DAY_MS);
    expect(server.writes.slice(written).filter(({ kind }) => kind === 'Namespace')).toEqual([]);
    expect(namespace('t-acme--bob')).toBeDefined();
  });
});

/** Writes a new spec over a Tenant of the provider, as a person would. */
function edit(name: string, spec: Partial<Tenant['spec']>): void {
  const live = harness.server.get<Tenant & KubeObject>(TENANTS, `sublet-root/${name}`);
  harness.server.put(TENANTS, {
    ...tenant('sublet-root', name, spec),
    ...(live && { metadata: live.metadata, status: live.status }),
  });
}
