import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../schema/json.ts';
import { keepTimesWhenUnchanged } from './keeptimes.ts';
import { apply, owned, owners, stored, update } from './testing/owned.ts';

const later = '2026-02-01T00:00:00Z';
const withEntries = (object: JsonObject, managedFields: unknown): JsonObject => {
  const { managedFields: _, ...metadata } = object.metadata as JsonObject;
  return { ...object, metadata: managedFields === undefined ? metadata : { ...metadata, managedFields } };
};

describe('updateManagedFields', () => {
  it('gives a new object to who made it, but for what nobody owns', () => {
    const created = update(
      undefined,
      owned({ text: 'a', granular: { x: '1' } }, { metadata: { labels: { a: 'b' }, generateName: 'o-' } }),
      {
        manager: 'maker',
      },
    );
    expect(owners(created)).toEqual([
      'maker Update 2026-01: {f:metadata:{f:generateName,f:labels:{.,f:a}},f:spec:{.,f:granular:{.,f:x},f:text}}',
    ]);
  });

  it('gives what changed to who changed it', () => {
    const live = apply(undefined, owned({ text: 'a', number: 1, set: ['p', 'q'] }), { manager: 'one' });
    const next = update(live, { ...live, spec: { text: 'b', set: ['q', 'r'] } }, { manager: 'two', now: later });
    expect(owners(next)).toEqual([
      'one Apply 2026-01: {f:spec:{f:set:{v:\\q\\}}}',
      'two Update 2026-02: {f:spec:{f:set:{v:\\r\\},f:text}}',
    ]);
  });

  it('leaves times alone where nothing changed', () => {
    const live = update(undefined, owned({ text: 'a' }), { manager: 'one' });
    const again = update(
      live,
      withEntries(owned({ text: 'a' }, { metadata: { uid: 'u', resourceVersion: '1' } }), undefined),
      {
        manager: 'two',
        now: later,
      },
    );
    expect(again).toEqual(live);
    expect(keepTimesWhenUnchanged(again, live)).toBe(live);
  });

  it('knows a manager without a name as unknown', () => {
    expect(owners(update(undefined, owned({ text: 'a' }), { manager: '' }))).toEqual([
      'unknown Update 2026-01: {f:spec:{.,f:text}}',
    ]);
  });

  it.each([[[]], [[{}]], [[{ manager: '' }]]])('ends all ownership on %j', (managedFields) => {
    const live = update(undefined, owned({ text: 'a' }), { manager: 'one' });
    expect(owners(update(live, withEntries(live, managedFields), { manager: 'two' }))).toEqual([]);
  });

  it('keeps an object without managers so, until it is applied', () => {
    const live = stored(owned({ text: 'a' }));
    expect(owners(update(live, { ...live, spec: { text: 'b' } }, { manager: 'two' }))).toEqual([]);
  });

  it('takes what the request says in managedFields', () => {
    const live = update(undefined, owned({ text: 'a', number: 1 }), { manager: 'one' });
    const [entry] = (live.metadata as JsonObject).managedFields as JsonObject[];
    const sent = [{ ...entry, manager: 'other', fieldsV1: { 'f:spec': { 'f:number': {}, 'f:text': {} } } }];
    expect(owners(update(live, withEntries(live, sent), { manager: 'two' }))).toEqual([
      'other Update 2026-01: {f:spec:{f:number,f:text}}',
    ]);
  });

  it.each([
    ['none', undefined],
    ['null', null],
    ['no operation', [{ manager: 'x', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }]],
    ['no version', [{ manager: 'x', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: {} }]],
    ['another type', [{ manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV2', fieldsV1: {} }]],
    ['garbage', [{ manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { x: 1 } }]],
    ['no entry', [7]],
  ])('keeps those of the stored object when the request says %s', (_what, managedFields) => {
    const live = update(undefined, owned({ text: 'a' }), { manager: 'one' });
    expect(owners(update(live, withEntries(live, managedFields), { manager: 'two' }))).toEqual(owners(live));
  });

  it('takes none from a write to the status', () => {
    const live = update(undefined, owned({ text: 'a' }), { manager: 'one' });
    const next = { ...withEntries(live, []), status: { phase: 'x' } };
    expect(owners(update(live, next, { manager: 'two', subresource: 'status' }))).toEqual([
      'one Update 2026-01: {f:spec:{.,f:text}}',
      'two Update status 2026-01: {f:status:{.,f:phase}}',
    ]);
  });

  it('merges the oldest of more than ten managers', () => {
    let live = update(undefined, owned({ granular: {} }), { manager: 'm00' });
    for (let index = 1; index <= 11; index += 1) {
      const granular = { ...((live.spec as JsonObject).granular as JsonObject), [`k${index}`]: 'v' };
      const now = `2026-${String(index).padStart(2, '0')}-02T00:00:00Z`;
      live = update(live, { ...live, spec: { granular } }, { manager: `m${String(index).padStart(2, '0')}`, now });
    }
    expect(owners(live).map((text) => text.split(' ')[0])).toEqual([
      'ancient-changes',
      ...['m03', 'm04', 'm05', 'm06', 'm07', 'm08', 'm09', 'm10', 'm11'],
    ]);
    expect(owners(live)[0]).toBe('ancient-changes Update 2026-02: {f:spec:{.,f:granular:{.,f:k1,f:k2}}}');
  });

  it('ends ownership of what does not fit its type', () => {
    const live = update(undefined, owned({ text: 'a' }), { manager: 'one' });
    expect(owners(update(live, { ...live, spec: { text: 7 } }, { manager: 'two' }))).toEqual([]);
  });

  it('takes items with equal keys together', () => {
    const live = update(undefined, owned({ items: [{ name: 'a', value: '1' }] }), { manager: 'one' });
    const doubled = update(
      live,
      {
        ...live,
        spec: {
          items: [
            { name: 'a', value: '1' },
            { name: 'a', value: '2' },
          ],
        },
      },
      { manager: 'two' },
    );
    expect(owners(doubled)).toEqual([
      'one Update 2026-01: {f:spec:{.,f:items}}',
      'two Update 2026-01: {f:spec:{f:items:{k:{\\name\\:\\a\\}}}}',
    ]);
  });
});
