import { describe, expect, it } from 'vitest';
import { checkResource, checkUpdate, parseResource, type RuleFacts, renderPath } from './index.ts';

const resource = (kind: string, spec: object, metadata: object = {}) => ({
  apiVersion: 'sublet.dev/v1alpha1',
  kind,
  metadata: { name: 'bob', ...metadata },
  spec,
});
const tenant = resource('Tenant', { id: 'bob-1', plan: 'team' });
const quota = resource('Quota', { hard: {} });
const desktop = resource('RDPInstance', { plan: 'pro', image: 'ubuntu-24', username: 'anna' });
const sizes = { vcpu: 4, memory: '8Gi', storage: '100Gi', images: ['ubuntu-24', 'windows-11'] };
const rootPlan = resource('Plan', { title: 'P', offers: 'Desktop', currency: 'USD', desktop: sizes });
const plan = (spec: object) => resource('Plan', { title: 'P', offers: 'Desktop', currency: 'USD', ...spec });

const at = (owner: RuleFacts['owner'], more: Partial<RuleFacts> = {}): RuleFacts => ({
  namespace: 't-acme',
  owner,
  ...more,
});
const check = (input: unknown, facts: RuleFacts) =>
  checkResource(input, facts).map(({ rule, path, message }) => `${rule} ${renderPath(path)} ${message}`);

describe('Schema', () => {
  it('is told before all other rules, and alone', () => {
    expect(check({ ...tenant, spec: { id: 'b' } }, at('Customer'))).toEqual(['Schema spec.plan is required: a text']);
  });
});

describe('NoSeller', () => {
  it.each([tenant, quota, rootPlan])('lets the provider have a $kind', (input) => {
    expect(check(input, at('Root'))).toEqual([]);
  });

  it('keeps the provider from owning what is sold', () => {
    expect(check(desktop, at('Root', { namespace: 'sublet-root' }))).toEqual([
      "NoSeller kind sublet-root holds Tenants, Plans and Quotas only; RDPInstance belongs in a tenant's namespace",
    ]);
  });

  it.each([tenant, quota, rootPlan])('keeps a customer from having a $kind', (input) => {
    expect(check(input, at('Customer'))).toEqual([
      `NoSeller kind the tenant of t-acme is a Customer; only a Reseller may have a ${input.kind}`,
    ]);
  });

  it('lets customers and resellers have desktops, and resellers sell', () => {
    expect(check(desktop, at('Customer'))).toEqual([]);
    expect(check(desktop, at('Reseller'))).toEqual([]);
    expect(check(tenant, at('Reseller'))).toEqual([]);
  });

  it('says nothing while nobody is known to own the namespace', () => {
    expect(check(tenant, at('Unknown'))).toEqual([]);
  });
});

describe('ForeignNamespace', () => {
  it('refuses another namespace and takes none or the same', () => {
    expect(check(resource('Quota', { hard: {} }, { namespace: 't-eve' }), at('Reseller'))).toEqual([
      'ForeignNamespace metadata.namespace is t-eve, but the resource lives in t-acme; leave it out, or move the resource',
    ]);
    expect(check(resource('Quota', { hard: {} }, { namespace: 't-acme' }), at('Reseller'))).toEqual([]);
  });
});

describe('ReservedMetadata', () => {
  const marked = resource(
    'Quota',
    { hard: {} },
    {
      labels: { 'sublet.dev/tenant-id': 'x', team: 'a' },
      annotations: { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' },
    },
  );

  it('refuses the marks of the software on what people declare', () => {
    expect(check(marked, at('Reseller', { isDeclared: true }))).toEqual([
      'ReservedMetadata metadata.labels.sublet.dev/tenant-id sublet.dev/tenant-id is for the software to write; remove it',
      'ReservedMetadata metadata.annotations.kustomize.toolkit.fluxcd.io/prune kustomize.toolkit.fluxcd.io/prune is for the software to write; remove it',
    ]);
  });

  it('takes them on what the cluster has', () => {
    expect(check(marked, at('Reseller'))).toEqual([]);
  });
});

describe('DeclaredStatus', () => {
  it('refuses a status in a file', () => {
    const input = { ...quota, status: { observedGeneration: 1 } };
    expect(check(input, at('Reseller', { isDeclared: true }))).toEqual([
      'DeclaredStatus status is what was observed; remove it',
    ]);
    expect(check(input, at('Reseller'))).toEqual([]);
  });
});

describe('DuplicateIdentity', () => {
  it('refuses the id of another Tenant of the seller', () => {
    const tenants = [{ name: 'eve', id: 'bob-1' }];
    expect(check(tenant, at('Reseller', { tenants }))).toEqual([
      'DuplicateIdentity spec.id bob-1 is the id of Tenant eve already; give this one an id of its own',
    ]);
  });

  it('takes the Tenant itself for no other', () => {
    expect(check(tenant, at('Reseller', { tenants: [{ name: 'bob', id: 'bob-1' }] }))).toEqual([]);
  });
});

describe('BasedOn', () => {
  it('is for resellers, who sell no desktop without it', () => {
    expect(check(plan({ basedOn: 'x' }), at('Root'))).toEqual([
      'BasedOn spec.basedOn must be absent: the provider buys from nobody; state sizes and images',
    ]);
    expect(check(rootPlan, at('Reseller'))).toEqual([
      'BasedOn spec.basedOn is required below the provider; name the Plan that you buy',
    ]);
    expect(check(resource('Plan', { title: 'T', offers: 'Tenant', currency: 'USD' }), at('Reseller'))).toEqual([]);
  });
});

describe('terms of what is sold on', () => {
  const base = {
    metadata: { name: 'performance', namespace: 'sublet-root' },
    spec: { offers: 'Desktop', currency: 'USD', desktop: sizes },
  };
  const facts = at('Reseller', {
    prices: {
      plans: new Map([['sublet-root/performance', base]]),
      seller: { namespace: 't-acme', seller: { namespace: 'sublet-root' } },
    },
  });

  it.each([
    [{ basedOn: 'none' }, 'BasedOnNotFound spec.basedOn'],
    [{ basedOn: 'performance', currency: 'EUR' }, 'CurrencyMismatch spec.currency'],
    [{ basedOn: 'performance', desktop: { vcpu: 5 } }, 'Widened spec.desktop.vcpu'],
    [{ basedOn: 'performance', desktop: { memory: '9Gi' } }, 'Widened spec.desktop.memory'],
    [{ basedOn: 'performance', desktop: { images: ['debian'] } }, 'Widened spec.desktop.images'],
  ])('refuses %j', (spec, start) => {
    const found = check(plan(spec), facts);
    expect(found).toHaveLength(1);
    expect(found[0]?.startsWith(start)).toBe(true);
  });

  it('takes what is narrowed', () => {
    expect(
      check(plan({ basedOn: 'performance', desktop: { vcpu: 4, memory: '1Gi', images: ['ubuntu-24'] } }), facts),
    ).toEqual([]);
  });
});

describe('checkUpdate', () => {
  const parse = (input: unknown) => {
    const parsed = parseResource(input);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    return parsed.value;
  };

  it('names the fields that keep their first value', () => {
    const after = { ...tenant, spec: { id: 'other', plan: 'free', type: 'Reseller' } };
    expect(checkUpdate(parse(tenant), parse(after))).toEqual([
      {
        rule: 'Immutable',
        path: ['spec', 'id'],
        message: 'is the identity of the Tenant and never changes; make a new Tenant instead',
      },
    ]);
  });

  it('lets everything else change', () => {
    expect(
      checkUpdate(parse(desktop), parse({ ...desktop, spec: { ...desktop.spec, plan: 'x', power: 'Stopped' } })),
    ).toEqual([]);
  });
});
