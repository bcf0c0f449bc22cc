import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseResource } from './index.ts';

const tenant = {
  apiVersion: 'sublet.dev/v1alpha1',
  kind: 'Tenant',
  metadata: { name: 'bob' },
  spec: { id: 'b', plan: 'p' },
};
const refusals = (input: unknown) => {
  const parsed = parseResource(input);
  return parsed.ok ? [] : parsed.errors.map(({ path, message }) => `${path}: ${message}`);
};

describe('parseResource', () => {
  it('applies defaults', () => {
    const parsed = parseResource(tenant);
    expect(parsed.ok && parsed.value.spec).toEqual({
      id: 'b',
      plan: 'p',
      type: 'Customer',
      deletion: { policy: 'Retain', graceDays: 7 },
    });
  });

  it.each([
    [null, ': must be a map with apiVersion, kind, metadata and spec'],
    [[tenant], ': must be a map with apiVersion, kind, metadata and spec'],
    ['kind: Tenant', ': must be a map with apiVersion, kind, metadata and spec'],
    [{}, 'apiVersion: must be sublet.dev/v1alpha1'],
    [{ ...tenant, apiVersion: 'v1' }, 'apiVersion: must be sublet.dev/v1alpha1, is "v1"'],
    [{ ...tenant, kind: 'Secret' }, 'kind: must be one of Tenant, Plan, Quota, RDPInstance, is "Secret"'],
    [{ ...tenant, kind: '__proto__' }, 'kind: must be one of Tenant, Plan, Quota, RDPInstance, is "__proto__"'],
    [{ ...tenant, kind: { toString: 'Tenant' } }, 'kind: must be one of Tenant, Plan, Quota, RDPInstance'],
    [{ ...tenant, metadata: undefined }, 'metadata: is required: a map'],
    [{ ...tenant, spec: null }, 'spec: is required: a map'],
  ])('refuses %j', (input, message) => {
    expect(refusals(input)).toEqual([message]);
  });

  it('takes no prototype and changes none', () => {
    const input: unknown = JSON.parse(
      '{"apiVersion":"sublet.dev/v1alpha1","kind":"Tenant","__proto__":{"x":1},"metadata":{"name":"bob","__proto__":{"name":"eve"},"labels":{"__proto__":"x"}},"spec":{"__proto__":{"id":"b","plan":"p"},"constructor":1}}',
    );
    const errors = refusals(input);
    expect(errors).toContainEqual(expect.stringMatching(/^__proto__: is not known/));
    expect(errors).toContainEqual(expect.stringMatching(/^metadata.__proto__: is not known/));
    expect(errors).toContainEqual('metadata.labels: "__proto__" is no key; remove it');
    expect(errors).toContainEqual(expect.stringMatching(/^spec.__proto__: is not known/));
    expect(errors).toContainEqual(expect.stringMatching(/^spec.constructor: is not known/));
    expect(errors).toContainEqual('spec.id: is required: a text');
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  it('stands deep nesting', () => {
    const depth = 200_000;
    const deep: unknown = Array.from({ length: depth }).reduce((inside) => ({ inside }), {});
    expect(refusals({ ...tenant, spec: deep })).toContainEqual(expect.stringMatching(/^spec.inside: is not known/));
    expect(refusals({ ...tenant, spec: { id: deep, plan: 'p' } })).toEqual(['spec.id: must be a text, is a map']);
  });

  it.each([
    ['a long text', { ...tenant, spec: { ...tenant.spec, id: 'a'.repeat(2 ** 20) } }],
    [
      'a text of near misses',
      { ...tenant, spec: { ...tenant.spec, holds: [{ tenant: `${'a-'.repeat(2 ** 19)}`, reason: 'Abuse' }] } },
    ],
    ['a long list', { ...tenant, spec: { ...tenant.spec, members: Array.from({ length: 2 ** 17 }, () => 1) } }],
    ['many members', { ...tenant, spec: Object.fromEntries(Array.from({ length: 2 ** 16 }, (_, i) => [`k${i}`, i])) }],
    ['a long title', { ...tenant, spec: { ...tenant.spec, displayName: '𝒜'.repeat(2 ** 18) } }],
    [
      'many labels',
      {
        ...tenant,
        metadata: {
          name: 'a',
          labels: Object.fromEntries(Array.from({ length: 2 ** 16 }, (_, i) => [`a b${i}`, '!'])),
        },
      },
    ],
  ])('refuses 1 MiB of %s quickly and in few words', (_, input) => {
    const before = process.threadCpuUsage();
    const errors = refusals(input);
    const { user, system } = process.threadCpuUsage(before);
    // Processor time of this thread: a busy machine does not count.
    expect((user + system) / 1_000).toBeLessThan(2_000);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThanOrEqual(50);
    expect(errors.join('\n').length).toBeLessThan(50_000);
  });

  it('names the number, and shows no more of a value than needed', () => {
    const spec = { ...tenant.spec, id: 'a'.repeat(41), deletion: { graceDays: 91 }, type: 'x'.repeat(200) };
    expect(refusals({ ...tenant, spec })).toEqual([
      'spec.id: must have at most 40 characters, has 41',
      `spec.type: must be one of Customer, Reseller, is "${'x'.repeat(64)}…"`,
      'spec.deletion.graceDays: must be at most 90, is 91',
    ]);
  });

  it('never throws', () => {
    const kinds = fc.constantFrom('Tenant', 'Plan', 'Quota', 'RDPInstance');
    const input = fc.record({
      apiVersion: fc.constant('sublet.dev/v1alpha1'),
      kind: kinds,
      metadata: fc.anything(),
      spec: fc.anything(),
      status: fc.anything(),
    });
    fc.assert(fc.property(fc.oneof(fc.anything(), input), (value) => typeof parseResource(value).ok === 'boolean'));
  });
});
