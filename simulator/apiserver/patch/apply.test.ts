import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../schema/json.ts';
import { API_VERSION, apply, owned, owners, stored, update } from './testing/owned.ts';

const specOf = (object: JsonObject) => object.spec;
const one = { manager: 'one' };
const two = { manager: 'two' };
const later = '2026-02-01T00:00:00Z';

describe('applyServerSide', () => {
  it('owns exactly what it states', () => {
    const object = apply(
      undefined,
      owned({ text: 'a', struct: { a: 'b' }, granular: { x: '1' }, set: ['p'], list: ['q'] }),
      one,
    );
    expect(owners(object)).toEqual([
      'one Apply 2026-01: {f:spec:{f:granular:{f:x},f:list,f:set:{v:\\p\\},f:struct:{f:a},f:text}}',
    ]);
  });

  it('removes what is stated no more and nobody else owns', () => {
    const first = apply(
      undefined,
      owned({ text: 'a', items: [{ name: 'one', value: 'v' }, { name: 'two' }], granular: { x: '1', y: '2' } }),
      one,
    );
    const shared = apply(first, owned({ items: [{ name: 'two' }], granular: { y: '2' } }), two);
    expect(specOf(apply(shared, owned({}), one))).toEqual({ items: [{ name: 'two' }], granular: { y: '2' } });
  });

  it('removes nothing that it never stated', () => {
    const created = update(undefined, owned({ text: 'a', number: 1 }), two);
    const applied = apply(created, owned({ number: 1 }), one);
    expect(specOf(apply(applied, owned({}), one))).toEqual({ text: 'a', number: 1 });
  });

  it('refuses with a cause for each conflict', () => {
    const live = apply(
      undefined,
      owned({ text: 'a', items: [{ name: 'one', value: 'v' }], pairs: [{ port: 80, note: 'n' }] }),
      one,
    );
    const others = update(live, { ...live, spec: { ...(live.spec as JsonObject), number: 3 } }, two);
    const stating = owned({
      text: 'b',
      items: [{ name: 'one', value: 'w' }],
      number: 4,
      pairs: [{ port: 80, note: 'm' }],
    });
    expect(() => apply(others, stating, { manager: 'three' })).toThrow(
      expect.objectContaining({
        status: expect.objectContaining({
          code: 409,
          reason: 'Conflict',
          message:
            'Apply failed with 4 conflicts: conflicts with "one":\n- .spec.text\n- .spec.items[name="one"].value\n' +
            '- .spec.pairs[port=80,protocol="TCP"].note\n' +
            `conflicts with "two" using ${API_VERSION}:\n- .spec.number`,
          details: {
            causes: [
              { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.text' },
              {
                reason: 'FieldManagerConflict',
                message: 'conflict with "one"',
                field: '.spec.items[name="one"].value',
              },
              {
                reason: 'FieldManagerConflict',
                message: 'conflict with "one"',
                field: '.spec.pairs[port=80,protocol="TCP"].note',
              },
              {
                reason: 'FieldManagerConflict',
                message: `conflict with "two" using ${API_VERSION}`,
                field: '.spec.number',
              },
            ],
          },
        }),
      }),
    );
  });

  it('names a subresource in a conflict', () => {
    const live = apply(undefined, owned({}), one);
    const status = { ...live, status: { phase: 'a' } };
    const written = update(live, status, { manager: 'op', subresource: 'status' });
    expect(() => apply(written, owned({}, { status: { phase: 'b' } }), { ...two, subresource: 'status' })).toThrow(
      `Apply failed with 1 conflict: conflict with "op" with subresource "status" using ${API_VERSION}: .status.phase`,
    );
  });

  it('takes over by force, and shares what is equal', () => {
    const live = apply(undefined, owned({ text: 'a', number: 1 }), one);
    const shared = apply(live, owned({ number: 1 }), two);
    expect(owners(shared)).toEqual([
      'two Apply -: {f:spec:{f:number}}',
      'one Apply 2026-01: {f:spec:{f:number,f:text}}',
    ]);
    const forced = apply(live, owned({ text: 'b' }), { ...two, force: true });
    expect(owners(forced)).toEqual(['one Apply 2026-01: {f:spec:{f:number}}', 'two Apply 2026-01: {f:spec:{f:text}}']);
  });

  it('changes nothing, not even times, where nothing changes', () => {
    const live = apply(undefined, owned({ text: 'a' }, { metadata: { labels: { a: 'b' } } }), one);
    expect(apply(live, owned({ text: 'a' }, { metadata: { labels: { a: 'b' } } }), { ...one, now: later })).toEqual(
      live,
    );
  });

  it('drops a manager that owns nothing any more', () => {
    const live = apply(undefined, owned({ text: 'a' }), one);
    const { spec: _, ...nothing } = owned({});
    expect(owners(apply(live, nothing, one))).toEqual([]);
    expect(owners(apply(live, owned({ text: 'b' }), { ...two, force: true }))).toEqual([
      'two Apply 2026-01: {f:spec:{f:text}}',
    ]);
  });

  it('records who wrote before the first apply', () => {
    const applied = apply(stored(owned({ text: 'a', number: 1 })), owned({ number: 1 }), one);
    expect(owners(applied)).toEqual([
      'one Apply -: {f:spec:{f:number}}',
      'before-first-apply Update 2026-01: {f:spec:{.,f:number,f:text}}',
    ]);
  });

  it('keeps what was set in the status out of a write to the whole, and the other way round', () => {
    const live = apply(undefined, owned({ text: 'a' }, { status: { phase: 'x' } }), one);
    expect(owners(live)).toEqual(['one Apply 2026-01: {f:spec:{f:text}}']);
    const status = apply(live, owned({ text: 'other' }, { status: { phase: 'y' } }), {
      ...two,
      subresource: 'status',
      force: true,
    });
    expect(owners(status)).toEqual([
      'one Apply 2026-01: {f:spec:{f:text}}',
      'two Apply status 2026-01: {f:status:{f:phase}}',
    ]);
  });

  it('brings ownership in line with a type that became one thing', () => {
    const live = apply(undefined, owned({ text: 'x' }), one);
    const entry = {
      ...((live.metadata as JsonObject).managedFields as JsonObject[])[0],
      fieldsV1: { 'f:spec': { 'f:atomic': { 'f:a': {} } } },
    };
    const old = stored({ ...live, spec: { atomic: { a: '1' } }, metadata: { name: 'o', managedFields: [entry] } });
    expect(() => apply(old, owned({ atomic: { a: '2' } }), two)).toThrow('conflict with "one": .spec.atomic');
  });

  it('keeps the order of both lists where it can', () => {
    const names = (list: string[]) => list.map((name) => ({ name }));
    const live = update(undefined, owned({ items: names(['a', 'b', 'c', 'd']) }), one);
    expect(specOf(apply(live, owned({ items: names(['c', 'x', 'b']) }), two))).toEqual({
      items: names(['a', 'c', 'd', 'x', 'b']),
    });
  });

  describe('for kubectl', () => {
    const last = (object: JsonObject) => ({
      'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(object),
    });
    const clientSide = (spec: JsonObject) => owned(spec, { metadata: { annotations: last(owned(spec)) } });
    const live = update(undefined, clientSide({ text: 'a', number: 1 }), { manager: 'kubectl-client-side-apply' });

    it('takes over what it applied on the client side, and keeps its annotation up to date', () => {
      const applied = apply(live, owned({ text: 'b' }), { manager: 'kubectl' });
      expect(applied.spec).toEqual({ text: 'b', number: 1 });
      const { annotations } = applied.metadata as { annotations: Record<string, string> };
      const text = annotations['kubectl.kubernetes.io/last-applied-configuration'];
      expect(text).toBe(
        `{"apiVersion":"${API_VERSION}","kind":"Owned","metadata":{"name":"o","namespace":"n"},"spec":{"text":"b"}}\n`,
      );
    });

    it('refuses what others changed since', () => {
      const changed = update(live, { ...live, spec: { text: 'c', number: 1 } }, two);
      expect(() => apply(changed, owned({ text: 'b', number: 2 }), { manager: 'kubectl' })).toThrow(
        `Apply failed with 1 conflict: conflict with "two" using ${API_VERSION}: .spec.text`,
      );
    });

    it('does so for nobody else', () => {
      expect(() => apply(live, owned({ text: 'b' }), one)).toThrow('Apply failed with 1 conflict');
    });
  });

  it.each([
    [owned({ items: [{ name: 'x' }, { name: 'x' }] }), '.spec.items: duplicate entries for key [name="x"]'],
    [owned({ set: ['a', 'a'] }), '.spec.set: duplicate entries for key [="a"]'],
    [owned({ unknown: 1 }), '.spec.unknown: field not declared in schema'],
    [owned({ text: 7 }), '.spec.text: expected string, got &value.valueUnstructured{Value:7}'],
    [owned({ number: 'x' }), '.spec.number: expected numeric (int or float), got string'],
    [
      owned({ items: [{ value: 'x' }] }),
      `.spec.items: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn't have default values for any key fields)`,
    ],
  ])('refuses what does not fit: %j', (applied, why) => {
    expect(() => apply(undefined, applied, one)).toThrow(
      `failed to create typed patch object (n/o; ${API_VERSION}, Kind=Owned): ${why}`,
    );
  });

  it('refuses managedFields and other kinds', () => {
    expect(() => apply(undefined, owned({}, { metadata: { managedFields: [] } }), one)).toThrow(
      'metadata.managedFields must be nil',
    );
    expect(() => apply(undefined, { ...owned({}), kind: 'Other' }, one)).toThrow(
      `invalid object type: ${API_VERSION}, Kind=Other`,
    );
  });

  it('owns references to owners one by one, each as a whole', () => {
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'c', uid: 'u1', controller: true }];
    const live = apply(undefined, owned({}, { metadata: { ownerReferences, finalizers: ['a/b'] } }), one);
    expect(owners(live)).toEqual([
      'one Apply 2026-01: {f:metadata:{f:finalizers:{v:\\a/b\\},f:ownerReferences:{k:{\\uid\\:\\u1\\}}},f:spec}',
    ]);
  });
});
