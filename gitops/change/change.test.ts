import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { FieldEdit, Json, JsonMap } from '../intent.ts';
import { planLike } from '../testing/styles.ts';
import { applyEdits } from './apply.ts';
import { checkIntent } from './check.ts';
import { computeEdits } from './compute.ts';
import { equalJson, isList, isMap } from './json.ts';
import { shapeOf } from './shape.ts';

// Holds on a machine that is busy with much else.
vi.setConfig({ testTimeout: 200_000, hookTimeout: 120_000 });

const plan = (spec: JsonMap, metadata: JsonMap = {}): JsonMap => ({
  apiVersion: 'sublet.dev/v1alpha1',
  kind: 'Plan',
  metadata: { name: 'pro', ...metadata },
  spec,
});

const applied = (present: JsonMap, ...edits: readonly FieldEdit[]): JsonMap => {
  const result = applyEdits(present, edits);
  if (result.type === 'conflict')
    throw new Error(`a conflict at ${result.differences.map(({ path }) => path).join(', ')}`);
  return result.value;
};

/** A list that is a map by name has no order. */
function unordered(value: Json): Json {
  if (isList(value)) {
    const items = value.map(unordered);
    const isNamed = items.every((item) => isMap(item) && typeof item.name === 'string');
    return isNamed ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
  }
  return isMap(value)
    ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, unordered(member)]))
    : value;
}

const base = { name: 'base', type: 'Recurring', recurring: { amount: '28.00', interval: 'Month' } };
const disk = { name: 'disk', type: 'Recurring', recurring: { amount: '2.00', interval: 'Month' } };

describe('edits', () => {
  it('write what is as their author saw it', () => {
    const amount: FieldEdit = {
      path: ['spec', 'price', { name: 'disk' }, 'recurring', 'amount'],
      from: '2.00',
      to: '3.00',
    };
    expect(applied(plan({ price: [base, disk] }), amount)).toEqual(
      plan({ price: [base, { ...disk, recurring: { amount: '3.00', interval: 'Month' } }] }),
    );
  });

  it('leave alone what is there already', () => {
    const present = plan({ title: 'New' });
    expect(applied(present, { path: ['spec', 'title'], from: 'Old', to: 'New' })).toBe(present);
    expect(applied(present, { path: ['spec', 'sla'], from: 'x' })).toBe(present);
    expect(applied(present, { path: ['spec', 'price', { name: 'base' }], from: base })).toEqual(present);
  });

  it('take what is left out for its default, which the author saw on the live resource', () => {
    const desktop = (spec: JsonMap): JsonMap => ({ ...plan(spec), kind: 'RDPInstance' });
    const stop: FieldEdit = { path: ['spec', 'power'], from: 'Running', to: 'Stopped' };
    const shape = shapeOf('RDPInstance');
    for (const present of [desktop({}), desktop({ power: 'Running' })]) {
      expect(applyEdits(present, [stop], shape)).toEqual({ type: 'applied', value: desktop({ power: 'Stopped' }) });
    }
    const graceless: FieldEdit = { path: ['spec', 'deletion', 'graceDays'], from: 7, to: 1 };
    expect(applyEdits(desktop({}), [graceless], shape)).toMatchObject({ type: 'applied' });
    expect(applyEdits(desktop({ power: 'Off' }), [stop], shape)).toMatchObject({ type: 'conflict' });
    expect(applyEdits(desktop({}), [{ ...stop, from: 'Stopped', to: 'Off' }], shape)).toMatchObject({
      type: 'conflict',
    });
  });

  it('conflict where somebody else was, and say with what', () => {
    const present = plan({ title: 'Theirs', price: [base] });
    const edits: readonly FieldEdit[] = [
      { path: ['spec', 'title'], from: 'Old', to: 'Ours' },
      { path: ['spec', 'price', { name: 'base' }, 'recurring', 'amount'], from: '1.00', to: '2.00' },
      { path: ['spec', 'price', { name: 'disk' }, 'recurring', 'amount'], from: '2.00', to: '3.00' },
      { path: ['spec', 'title', 'short'], to: 'x' },
      { path: ['spec', 'currency'], to: 'USD' },
    ];
    expect(applyEdits(present, edits)).toEqual({
      type: 'conflict',
      differences: [
        { path: 'spec.title', seen: 'Old', wanted: 'Ours', found: 'Theirs' },
        { path: 'spec.price[name=base].recurring.amount', seen: '1.00', wanted: '2.00', found: '28.00' },
        { path: 'spec.price[name=disk].recurring.amount', seen: '2.00', wanted: '3.00' },
        { path: 'spec.title.short', wanted: 'x', found: 'Theirs' },
      ],
    });
  });

  it('add and remove items by key, and make the maps and lists on the way', () => {
    const payment: FieldEdit = { path: ['spec', 'suspensions', { reason: 'Payment' }], to: { reason: 'Payment' } };
    const abuse: FieldEdit = { path: ['spec', 'suspensions', { reason: 'Abuse' }], to: { reason: 'Abuse' } };
    const both = applied(plan({}), payment, abuse);
    expect(both).toEqual(plan({ suspensions: [{ reason: 'Payment' }, { reason: 'Abuse' }] }));
    const lift: FieldEdit = { path: payment.path, from: { reason: 'Payment' } };
    expect(applied(both, lift)).toEqual(plan({ suspensions: [{ reason: 'Abuse' }] }));
    expect(applied(plan({}), { path: ['metadata', 'labels', 'team'], to: 'a' })).toEqual(
      plan({}, { labels: { team: 'a' } }),
    );
  });

  it('refuse a key that stands twice', () => {
    const twice = plan({ price: [base, base] });
    expect(applyEdits(twice, [{ path: ['spec', 'price', { name: 'base' }, 'per'], to: 'Seat' }])).toMatchObject({
      type: 'conflict',
    });
  });

  it('take null for absent', () => {
    expect(applied(plan({ sla: null }), { path: ['spec', 'sla', 'availability'], to: '99' })).toEqual(
      plan({ sla: { availability: '99' } }),
    );
  });

  it('take names as names', () => {
    const edit: FieldEdit = { path: ['metadata', 'labels', '__proto__'], to: 'x' };
    const result = applied(plan({}), edit);
    expect(JSON.stringify(result.metadata)).toBe('{"name":"pro","labels":{"__proto__":"x"}}');
    expect(Object.prototype).not.toHaveProperty('x');
    expect(applied(plan({}), { path: ['spec', 'toString'], from: undefined, to: 1 })).toEqual(plan({ toString: 1 }));
  });
});

describe('computed edits', () => {
  it('are as fine as the schema', () => {
    const seen = plan({ title: 'A', price: [base, disk], desktop: { images: ['x'] } }, { labels: { a: '1' } });
    const wanted = plan(
      {
        title: 'A',
        price: [{ ...base, per: 'Seat' }, { name: 'net' }],
        desktop: { images: ['x', 'y'] },
        sla: { availability: '99' },
      },
      { labels: { a: '1', b: '2' } },
    );
    expect(computeEdits(seen, wanted, 'Plan')).toEqual([
      { path: ['metadata', 'labels', 'b'], to: '2' },
      { path: ['spec', 'price', { name: 'base' }, 'per'], to: 'Seat' },
      { path: ['spec', 'price', { name: 'disk' }], from: disk },
      { path: ['spec', 'price', { name: 'net' }], to: { name: 'net' } },
      { path: ['spec', 'desktop', 'images'], from: ['x'], to: ['x', 'y'] },
      { path: ['spec', 'sla', 'availability'], to: '99' },
    ]);
  });

  it('remove as a whole, so that nobody is overridden', () => {
    expect(computeEdits(plan({ sla: { availability: '99' } }), plan({}), 'Plan')).toEqual([
      { path: ['spec', 'sla'], from: { availability: '99' } },
    ]);
  });

  it('address members by kind and name, holds by tenant and reason, tiers by their beginning', () => {
    const tenant = (spec: JsonMap): JsonMap => ({ ...plan(spec), kind: 'Tenant' });
    const member = { kind: 'User', name: 'oidc:anna', role: 'Owner' };
    const hold = { tenant: 'eve', reason: 'Abuse' };
    expect(
      computeEdits(
        tenant({ members: [member] }),
        tenant({ members: [{ ...member, role: 'Viewer' }], holds: [hold] }),
        'Tenant',
      ),
    ).toEqual([
      { path: ['spec', 'members', { kind: 'User', name: 'oidc:anna' }, 'role'], from: 'Owner', to: 'Viewer' },
      { path: ['spec', 'holds', hold], to: hold },
    ]);
    const tiers = (amount: string) => plan({ price: [{ name: 'net', metered: { tiers: [{ from: '0', amount }] } }] });
    expect(computeEdits(tiers('1'), tiers('2'), 'Plan')).toEqual([
      { path: ['spec', 'price', { name: 'net' }, 'metered', 'tiers', { from: '0' }, 'amount'], from: '1', to: '2' },
    ]);
  });

  it('make one of the other, and are done when made again', () => {
    fc.assert(
      fc.property(planLike, planLike, (seen, wanted) => {
        const edits = computeEdits(seen, wanted, 'Plan');
        const result = applied(seen, ...edits);
        expect(unordered(result)).toEqual(unordered(wanted));
        expect(applied(result, ...edits)).toEqual(result);
        expect(computeEdits(result, wanted, 'Plan')).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('of two people commute when they change different fields', () => {
    fc.assert(
      fc.property(planLike, planLike, planLike, (seen, ours, theirs) => {
        const mine = computeEdits(seen, ours, 'Plan');
        const touched = mine.map(({ path }) => JSON.stringify(path).slice(0, -1));
        const others = computeEdits(seen, theirs, 'Plan').filter(({ path }) => {
          const text = JSON.stringify(path).slice(0, -1);
          return !touched.some((each) => text.startsWith(each) || each.startsWith(text));
        });
        const [first, second] = [
          applied(applied(seen, ...mine), ...others),
          applied(applied(seen, ...others), ...mine),
        ];
        expect(unordered(first)).toEqual(unordered(second));
      }),
      { numRuns: 200 },
    );
  });
});

describe('an intent', () => {
  const target = { kind: 'Plan', namespace: 't-acme', name: 'pro' };
  const edit = (each: FieldEdit) => checkIntent({ type: 'Edit', target, edits: [each] });

  it('is fine as it comes from the API', () => {
    expect(edit({ path: ['spec', 'price', { name: 'base' }], to: base })).toBeUndefined();
    expect(checkIntent({ type: 'Create', target, object: plan({ title: 'x' }) })).toBeUndefined();
    expect(checkIntent({ type: 'Delete', target })).toBeUndefined();
  });

  it.each<readonly [FieldEdit, string]>([
    [{ path: [], to: 1 }, 'cannot be edited'],
    [{ path: ['kind'], to: 'x' }, 'cannot be edited'],
    [{ path: ['metadata', 'name'], to: 'x' }, 'cannot be edited'],
    [{ path: ['metadata', 'finalizers'], to: [] }, 'cannot be edited'],
    [{ path: ['spec'], to: {} }, 'cannot be edited'],
    [{ path: ['status', 'x'], to: {} }, 'cannot be edited'],
    [{ path: ['spec', 'price', { name: 'base' }], to: { name: 'disk' } }, 'must hold its key, name: "base"'],
    [{ path: ['spec', 'price', { name: 'base' }, 'name'], to: 'disk' }, 'is the key of an item'],
    [{ path: ['spec', 'price', {}], to: {} }, 'empty key'],
    [{ path: ['spec', 'title'], to: 'x'.repeat(70_000) }, 'characters, more than'],
    [{ path: ['spec', 'title'], to: '\ud800' }, 'not Unicode'],
    [{ path: ['spec', 'title'], to: Number.NaN }, 'a number that JSON lacks'],
    [{ path: ['spec', ...Array.from({ length: 30 }, () => 'a')], to: 1 }, 'steps deep'],
  ])('is refused for %j', (each, message) => {
    expect(edit(each)).toContain(message);
  });

  it('is refused when it nests too deep, names another resource, or nothing', () => {
    let deep: Json = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(edit({ path: ['spec', 'x'], to: deep })).toContain('nests more than');
    expect(checkIntent({ type: 'Create', target, object: { ...plan({}), kind: 'Quota' } })).toBe(
      'kind must be Plan, not "Quota"',
    );
    expect(checkIntent({ type: 'Create', target, object: plan({}, { namespace: 't-eve' }) })).toContain(
      'metadata.namespace must be t-acme',
    );
    expect(checkIntent({ type: 'Delete', target: { ...target, name: '../x' } })).toContain('name must be');
    expect(checkIntent({ type: 'Edit', target, edits: [] })).toContain('1 to 500 edits, not 0');
  });
});

it('compares values whatever the order of their members', () => {
  expect(equalJson({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toBe(true);
  expect(equalJson({ a: 1 }, { a: 1, b: null })).toBe(false);
  expect(equalJson([1, 2], [2, 1])).toBe(false);
  expect(equalJson(null, undefined)).toBe(true);
  expect(equalJson({}, [])).toBe(false);
});
