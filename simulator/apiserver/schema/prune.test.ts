import { describe, expect, it } from 'vitest';
import { applyDefaults } from './defaults.ts';
import type { JsonObject } from './json.ts';
import { DecodeError } from './metadata.ts';
import { parseNode } from './node.ts';
import { compilePruner } from './prune.ts';

const node = parseNode({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        name: { type: 'string' },
        map: { type: 'object', additionalProperties: { type: 'object', properties: { a: { type: 'string' } } } },
        any: { type: 'object', additionalProperties: true },
        list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } },
        open: {
          type: 'object',
          'x-kubernetes-preserve-unknown-fields': true,
          properties: { shut: { type: 'object', properties: { a: { type: 'string' } } } },
        },
        resource: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } },
        nullable: { type: 'string', nullable: true },
        set: { type: 'string', default: 'set' },
        nested: { type: 'object', default: {}, properties: { deep: { type: 'integer', default: 7 } } },
        absent: { type: 'object', properties: { deep: { type: 'integer', default: 7 } } },
      },
    },
  },
});

const prune = compilePruner(node);

const judge = (spec: unknown): readonly [readonly string[], unknown] => {
  const object: JsonObject = { apiVersion: 'a/v1', kind: 'K', metadata: { name: 'n' }, spec: structuredClone(spec) };
  return [prune(object), object.spec];
};

describe('pruning', () => {
  const cases: readonly [name: string, spec: unknown, unknown: readonly string[], left: unknown][] = [
    ['keeps what is described', { name: 'a', map: { b: { a: '1' } } }, [], { name: 'a', map: { b: { a: '1' } } }],
    ['removes what is not', { z: 1, b: { c: 1 } }, ['spec.b', 'spec.z'], {}],
    ['looks into maps', { map: { 'k.l': { b: 1 } } }, ['spec.map.k.l.b'], { map: { 'k.l': {} } }],
    ['empties objects in maps of anything', { any: { a: 1, b: { c: 1 } } }, ['spec.any.b.c'], { any: { a: 1, b: {} } }],
    ['looks into lists', { list: [{ b: 1 }, { a: '1' }] }, ['spec.list[0].b'], { list: [{}, { a: '1' }] }],
    [
      'keeps open objects, but for what they describe',
      { open: { x: 1, shut: { x: 1 } } },
      ['spec.open.shut.x'],
      {
        open: { x: 1, shut: {} },
      },
    ],
    [
      'keeps type and metadata of resources inside',
      { resource: { kind: 'K', metadata: { x: 1 }, x: 1 } },
      ['spec.resource.x', 'spec.resource.metadata.x'],
      {
        resource: { kind: 'K', metadata: {} },
      },
    ],
    ['drops nulls that are not allowed', { name: null, nullable: null, set: null }, [], { nullable: null, set: null }],
    ['leaves scalars of the wrong type', { map: 'text', list: 1 }, [], { map: 'text', list: 1 }],
  ];

  it.each(cases)('%s', (_, spec, unknown, left) => {
    expect(judge(spec)).toEqual([unknown, left]);
  });

  it('removes a member named __proto__ and leaves prototypes alone', () => {
    const object = JSON.parse('{"kind":"K","__proto__":{"polluted":1},"spec":{"__proto__":{"polluted":1}}}');
    expect(prune(object)).toEqual(['__proto__', 'spec.__proto__']);
    expect(Object.keys(object)).toEqual(['kind', 'spec']);
    expect(({} as JsonObject).polluted).toBeUndefined();
  });

  it('reads metadata as Go does', () => {
    const object: JsonObject = {
      metadata: { name: 'a', labels: { b: null }, uid: null, x: 1, ownerReferences: [{ y: 1 }] },
    };
    expect(prune(object)).toEqual(['metadata.ownerReferences[0].y', 'metadata.x']);
    expect(object.metadata).toEqual({ name: 'a', labels: { b: '' }, ownerReferences: [{}] });
    const text = 'json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string';
    expect(() => prune({ metadata: { labels: { a: 1 } } })).toThrow(new DecodeError(text));
  });

  it('forgets unknown type and metadata of the root silently', () => {
    expect(judge({})[0]).toEqual([]);
  });
});

describe('defaults', () => {
  const apply = (spec: unknown): unknown => {
    const object: JsonObject = { spec: structuredClone(spec) };
    applyDefaults(object, node);
    return object.spec;
  };

  it('are set where nothing is, and inside what was set so', () => {
    expect(apply({})).toEqual({ set: 'set', nested: { deep: 7 } });
    expect(apply({ nested: {}, absent: {} })).toEqual({ set: 'set', nested: { deep: 7 }, absent: { deep: 7 } });
  });

  it('replace null where it is not allowed', () => {
    expect(apply({ set: null, nullable: null })).toEqual({ set: 'set', nullable: null, nested: { deep: 7 } });
  });

  it('are copies', () => {
    const first = apply({}) as { nested: JsonObject };
    first.nested.deep = 8;
    expect(apply({})).toEqual({ set: 'set', nested: { deep: 7 } });
  });

  it('stop at an absent parent without a default', () => {
    const object: JsonObject = {};
    applyDefaults(object, node);
    expect(object).toEqual({});
  });
});
