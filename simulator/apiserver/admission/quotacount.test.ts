import { describe, expect, it } from 'vitest';
import type { Resource } from '../../../kube/object.ts';
import { computeCharge, computeQuotaStatus, quotaNames, type ResourceQuota, renderCount } from './quotacount.ts';

const TENANTS: Resource = {
  group: 'sublet.dev',
  version: 'v1alpha1',
  plural: 'tenants',
  kind: 'Tenant',
  namespaced: true,
};
const SECRETS: Resource = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true };
const EVENTS: Resource = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };
const NODES: Resource = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false };

const quota = (status: ResourceQuota['status'], spec: ResourceQuota['spec'] = {}): ResourceQuota => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'objects', namespace: 't-acme' },
  spec,
  ...(status === undefined ? {} : { status }),
});

describe('quotaNames', () => {
  it('counts kinds by group, some of the core group also by their bare name', () => {
    expect(quotaNames(TENANTS)).toEqual(['count/tenants.sublet.dev']);
    expect(quotaNames(SECRETS)).toEqual(['count/secrets', 'secrets']);
    expect(quotaNames(EVENTS)).toEqual([]);
    expect(quotaNames(NODES)).toEqual([]);
  });
});

describe('computeCharge', () => {
  const hard = { 'count/secrets': '2', secrets: '5k', 'count/tenants.sublet.dev': '1' };

  it('adds one to each name of the kind and leaves the others', () => {
    const used = { 'count/secrets': '1', secrets: '1', 'count/tenants.sublet.dev': '1' };
    expect(computeCharge(quota({ hard, used }), SECRETS)).toEqual({
      used: { 'count/secrets': '2', secrets: '2', 'count/tenants.sublet.dev': '1' },
    });
  });

  it('refuses with the names that are exceeded, in order, and only those', () => {
    const used = { 'count/secrets': '2', secrets: '5k', 'count/tenants.sublet.dev': '0' };
    expect(computeCharge(quota({ hard, used }), SECRETS)).toEqual({
      refusal:
        'exceeded quota: objects, requested: count/secrets=1,secrets=1, used: count/secrets=2,secrets=5k, limited: count/secrets=2,secrets=5k',
    });
    expect(computeCharge(quota({ hard, used: { ...used, secrets: '4999' } }), SECRETS)).toEqual({
      refusal: 'exceeded quota: objects, requested: count/secrets=1, used: count/secrets=2, limited: count/secrets=2',
    });
  });

  it('refuses while the use is not known', () => {
    expect(computeCharge(quota({ hard, used: { secrets: '1' } }), SECRETS)).toEqual({
      refusal: 'status unknown for quota: objects, resources: count/secrets,secrets',
    });
  });

  it('has nothing to say about other kinds, nor before the limits are in its status', () => {
    expect(computeCharge(quota({ hard: { 'count/configmaps': '0' }, used: {} }), SECRETS)).toBeUndefined();
    expect(computeCharge(quota(undefined, { hard }), SECRETS)).toBeUndefined();
  });
});

describe('computeQuotaStatus', () => {
  const kinds = [TENANTS, SECRETS, EVENTS, NODES];

  it('counts what is served, keeps what it cannot count and drops what is no longer limited', () => {
    const spec = { hard: { 'count/tenants.sublet.dev': '3', 'count/gone.example.com': '1', pods: '1' } };
    const status = { hard: {}, used: { 'count/gone.example.com': '1', secrets: '9' } };
    expect(computeQuotaStatus(quota(status, spec), kinds, () => 2_000)).toEqual({
      hard: spec.hard,
      used: { 'count/tenants.sublet.dev': '2k', 'count/gone.example.com': '1' },
    });
  });

  it('says nothing when nothing changes', () => {
    const spec = { hard: { secrets: '1000' } };
    const status = { hard: { secrets: '1k' }, used: { secrets: '2' } };
    expect(computeQuotaStatus(quota(status, spec), kinds, () => 2)).toBeUndefined();
    expect(computeQuotaStatus(quota(status, spec), kinds, () => 3)?.used).toEqual({ secrets: '3' });
    expect(computeQuotaStatus(quota({ used: { secrets: '2' } }, spec), kinds, () => 2)).toBeDefined();
  });
});

describe('renderCount', () => {
  it.each([
    [0n, '0'],
    [7n, '7'],
    [1_000n, '1k'],
    [1_500n, '1500'],
    [20_000_000n, '20M'],
  ])('%s is %s', (count, text) => expect(renderCount(count)).toBe(text));
});
