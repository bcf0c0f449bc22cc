import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PLANS, TENANTS } from '../crds/v1alpha1/resources.ts';
import type { Tenant } from '../crds/v1alpha1/tenant.ts';
import { NAMESPACES } from '../kube/builtin.ts';
import type { KubeObject } from '../kube/object.ts';
import { settle } from '../kube/testing/fakeclock.ts';
import { computeTenantId } from '../model/identity.ts';
import {
  ANNOTATION_HELD,
  ANNOTATION_PARENT_ID,
  ANNOTATION_PATH,
  ANNOTATION_REMOVED_AT,
  ANNOTATION_TENANT_ID,
} from '../model/labels.ts';
import { tenantNamespace } from '../model/names.ts';
import { createHarness, type Harness, tenant, tenantPlan } from './testing/harness.ts';
import { listDescendants, tenantKeyOfNamespace } from './tree.ts';

let harness: Harness;
afterEach(() => harness.stop());

/** acme, a reseller, sold bob, a reseller, who sold eve. Only caches run, until a test lets the controllers work. */
beforeEach(async () => {
  harness = createHarness();
  for (const [residence, name] of [
    ['sublet-root', 'acme'],
    ['t-acme', 'bob'],
    ['t-acme--bob', 'eve'],
  ] as const) {
    harness.server.put(PLANS, tenantPlan(residence, 'team'));
    harness.server.put(TENANTS, tenant(residence, name, { type: 'Reseller' }));
    await harness.converge();
  }
  harness = await harness.restart();
  await harness.sync();
});

const owner = (namespace: string) => harness.context.tree.owner(namespace);

function suspensions(namespace: string): readonly string[] {
  const found = owner(namespace);
  if (found === undefined) throw new Error(`${namespace} is nobody's`);
  return harness.context.tree.suspensions(found).map(({ reason, by }) => `${reason} by ${by}`);
}

async function edit(key: string, spec: Partial<Tenant['spec']>): Promise<void> {
  const live = harness.server.get<Tenant & KubeObject>(TENANTS, key);
  if (live === undefined) throw new Error(`no Tenant ${key}`);
  const edited: Tenant & KubeObject = { ...live, spec: { ...live.spec, ...spec } };
  harness.server.put(TENANTS, edited);
  await harness.sync();
}

async function annotate(name: string, annotations: Readonly<Record<string, string>>): Promise<void> {
  const live = harness.server.get(NAMESPACES, name);
  const metadata = { name, ...live?.metadata, annotations: { ...live?.metadata.annotations, ...annotations } };
  harness.server.put(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata });
  await harness.sync();
}

describe('owner', () => {
  it('is the provider in the root namespace', () => {
    expect(owner('sublet-root')).toMatchObject({ tenantId: 'root', path: undefined, seller: undefined });
  });

  it('is a tenant in its own, with who sold to it up to the provider', () => {
    const eve = owner('t-acme--bob--eve');
    expect(eve).toMatchObject({
      path: 'acme--bob--eve',
      tenant: { metadata: { name: 'eve' } },
      removed: false,
      seller: { path: 'acme--bob', seller: { path: 'acme', seller: { namespace: 'sublet-root' } } },
    });
    expect(eve?.tenantId).toBe(
      computeTenantId(computeTenantId(computeTenantId('root', 'acme-id'), 'bob-id'), 'eve-id'),
    );
  });

  it.each([['default'], ['sublet-system'], ['t-nobody'], ['']])('is nobody in %j', (name) => {
    expect(owner(name)).toBeUndefined();
  });

  it('is nobody where the annotations are not those of the seller, of the name, or not whole', async () => {
    const acme = computeTenantId('root', 'acme-id');
    const good = { [ANNOTATION_PATH]: 'acme--rob', [ANNOTATION_TENANT_ID]: 'rob-1', [ANNOTATION_PARENT_ID]: acme };
    await annotate('t-acme--rob', good);
    expect(owner('t-acme--rob')).toMatchObject({ path: 'acme--rob', tenant: undefined });
    await annotate('t-acme--rob', { ...good, [ANNOTATION_PARENT_ID]: 'acme-2' });
    expect(owner('t-acme--rob')).toBeUndefined();
    await annotate('kube-system', good);
    expect(owner('kube-system')).toBeUndefined();
    await annotate('t-lone', { [ANNOTATION_PATH]: 'lone' });
    expect(owner('t-lone')).toBeUndefined();
  });

  it('is nobody below a seller whose namespace is gone', async () => {
    const { server } = harness;
    server.remove(TENANTS, 'sublet-root/acme');
    const bob = server.get(TENANTS, 't-acme/bob') as KubeObject;
    server.put(TENANTS, { ...bob, metadata: { ...bob.metadata, finalizers: [] } });
    server.remove(NAMESPACES, 't-acme');
    await settle(20);
    expect(server.get(NAMESPACES, 't-acme')).toBeUndefined();
    expect(owner('t-acme--bob')).toBeUndefined();
  });

  it('keeps its path but not its Tenant when that is of another identity', async () => {
    await annotate('t-acme', { [ANNOTATION_TENANT_ID]: 'acme-2' });
    expect(owner('t-acme')).toMatchObject({ path: 'acme', tenant: undefined });
    expect(owner('t-acme--bob')).toBeUndefined();
  });

  it('is found in a hashed namespace by the path that is written on it', async () => {
    const name = 'evergreen-desktops-of-the-northern-light';
    harness.server.put(TENANTS, tenant('t-acme--bob', name, { id: 'evergreen' }));
    harness.server.put(TENANTS, tenant('t-acme--bob', 'b'.repeat(39), { id: 'bs' }));
    await harness.converge();
    const place = tenantNamespace(`acme--bob--${name}`);
    expect(place.length).toBeLessThanOrEqual(63);
    expect(owner(place)).toMatchObject({ path: `acme--bob--${name}`, tenant: { metadata: { name } } });
  });
});

describe('suspensions', () => {
  it('are inherited from every ancestor, nearest first', async () => {
    await edit('sublet-root/acme', { suspensions: [{ reason: 'Payment' }] });
    await edit('t-acme--bob/eve', { suspensions: [{ reason: 'Request' }] });
    expect(suspensions('t-acme')).toEqual(['Payment by acme']);
    expect(suspensions('t-acme--bob')).toEqual(['Payment by acme']);
    expect(suspensions('t-acme--bob--eve')).toEqual(['Request by acme--bob--eve', 'Payment by acme']);
  });

  it('by a hold reach a descendant through whoever is in between, and all below it', async () => {
    await edit('sublet-root/acme', { holds: [{ tenant: 'bob--eve', reason: 'Abuse' }] });
    expect(suspensions('t-acme--bob')).toEqual([]);
    expect(suspensions('t-acme--bob--eve')).toEqual(['Abuse by acme']);
    await edit('sublet-root/acme', { holds: [{ tenant: 'bob', reason: 'Abuse' }] });
    expect(suspensions('t-acme--bob')).toEqual(['Abuse by acme']);
    expect(suspensions('t-acme--bob--eve')).toEqual(['Abuse by acme']);
    expect(suspensions('t-acme')).toEqual([]);
  });

  it('by a hold do not reach a name that only begins alike', async () => {
    await edit('sublet-root/acme', {
      holds: [
        { tenant: 'bo', reason: 'Abuse' },
        { tenant: 'bob--ev', reason: 'Abuse' },
      ],
    });
    expect(suspensions('t-acme--bob--eve')).toEqual([]);
  });

  it('follow from the removal of an ancestor, unless the breaker holds it', async () => {
    await annotate('t-acme', { [ANNOTATION_REMOVED_AT]: '2026-11-21T09:00:00Z', [ANNOTATION_HELD]: '1' });
    expect(suspensions('t-acme--bob--eve')).toEqual([]);
  });

  it('follow from the removal of an ancestor through a tenant that is still there', async () => {
    harness.server.remove(TENANTS, 'sublet-root/acme');
    await harness.converge();
    expect(owner('t-acme')).toMatchObject({ removed: true, tenant: undefined });
    expect(suspensions('t-acme--bob--eve')).toEqual(['Removed by acme']);
  });
});

describe('mapping', () => {
  it('finds the Tenant of a namespace, also when the namespace is gone or in the way', () => {
    expect(tenantKeyOfNamespace(harness.context, 't-acme--bob')).toEqual(['t-acme/bob']);
    expect(tenantKeyOfNamespace(harness.context, 't-acme')).toEqual(['sublet-root/acme']);
    expect(tenantKeyOfNamespace(harness.context, 't-zoe--zed')).toEqual(['t-zoe/zed']);
    expect(tenantKeyOfNamespace(harness.context, 'default')).toEqual([]);
  });

  it('finds everything that was sold below', () => {
    const acme = harness.context.informers.tenants.get('sublet-root/acme');
    expect(acme && listDescendants(harness.context, acme)).toEqual(['t-acme/bob', 't-acme--bob/eve']);
  });
});
