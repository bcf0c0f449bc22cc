import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { keyedList, setOf } from '../v1alpha1/schema.ts';
import { computePlanRevision, renderCanonical } from './revision.ts';

const spec = {
  title: 'Performance',
  offers: 'Desktop',
  currency: 'USD',
  price: [
    {
      name: 'base',
      type: 'Recurring',
      per: 'Resource',
      accrues: 'Exists',
      recurring: { amount: '28.00', interval: 'Month' },
    },
    {
      name: 'disk',
      type: 'Recurring',
      per: 'Resource',
      accrues: 'Stored',
      recurring: { amount: '2.00', interval: 'Month' },
    },
  ],
  desktop: { vcpu: 4, memory: '8Gi', storage: '100Gi', images: ['ubuntu-24', 'windows-11'] },
};

describe('computePlanRevision', () => {
  it('stays from version to version', () => {
    expect(computePlanRevision(spec)).toBe('fefae554ac47698e');
  });

  it('does not depend on the order of members, maps and sets', () => {
    const { title, desktop, ...rest } = spec;
    const images = desktop.images.toReversed();
    expect(
      computePlanRevision({ ...rest, price: spec.price.toReversed(), desktop: { ...desktop, images }, title }),
    ).toBe(computePlanRevision(spec));
  });

  it('is another one when anything is', () => {
    const changed = [
      { ...spec, title: 'Other' },
      { ...spec, price: spec.price.slice(1) },
      { ...spec, desktop: { ...spec.desktop, vcpu: 5 } },
      { ...spec, sla: { availability: '99' } },
    ];
    expect(new Set([spec, ...changed].map(computePlanRevision)).size).toBe(5);
  });
});

describe('renderCanonical', () => {
  const before = z.strictObject({ a: z.string() });
  const after = z.strictObject({
    a: z.string(),
    mode: z.enum(['Old', 'New']).default('Old'),
    more: z.strictObject({ days: z.int().default(7) }).prefault({}),
  });

  it('is the same before and after a default came, whether it was filled in or not', () => {
    const filled = { a: 'x', mode: 'Old', more: { days: 7 } };
    expect(renderCanonical(after, filled)).toBe('{"a":"x"}');
    expect(renderCanonical(after, { a: 'x', more: {} })).toBe('{"a":"x"}');
    expect(renderCanonical(before, { a: 'x' })).toBe('{"a":"x"}');
    expect(renderCanonical(after, { ...filled, mode: 'New' })).toBe('{"a":"x","mode":"New"}');
  });

  it('sorts maps by their keys and sets, and keeps other lists', () => {
    const schema = z.strictObject({
      set: setOf(z.string(), 9),
      map: keyedList(z.strictObject({ k: z.string(), v: z.int() }), ['k'], 9),
      list: z.array(z.string()),
    });
    const value = {
      list: ['b', 'a'],
      map: [
        { v: 1, k: 'b' },
        { k: 'a', v: 2 },
      ],
      set: ['y', 'x'],
    };
    expect(renderCanonical(schema, value)).toBe(
      '{"list":["b","a"],"map":[{"k":"a","v":2},{"k":"b","v":1}],"set":["x","y"]}',
    );
  });
});
