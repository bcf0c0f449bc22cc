import { describe, expect, it } from 'vitest';
import { parseNode } from '../schema/node.ts';
import { pathsOf } from './fieldset.ts';
import { toFieldSet } from './tofieldset.ts';
import { typeOf } from './type.ts';

const open = { 'x-kubernetes-preserve-unknown-fields': true };

/** What is owned of a value of a field by whoever states it, as paths below the field. */
function owned(schema: object, value: unknown): readonly string[] {
  const type = typeOf(parseNode({ type: 'object', properties: { field: schema } }));
  return pathsOf(toFieldSet({ field: value }, type)).map((path) => path.slice(1).join(' '));
}

describe('what is owned of a value', () => {
  it.each([
    ['a text', { type: 'string' }, 'a', ['']],
    ['a number or a text', { 'x-kubernetes-int-or-string': true }, 5, ['']],
    ['null', { type: 'object', properties: { a: { type: 'string' } } }, null, ['']],
    ['an empty object', { type: 'object', properties: { a: { type: 'string' } } }, {}, ['']],
    ['an object', { type: 'object', properties: { a: { type: 'string' } } }, { a: 'b' }, ['f:a']],
    ['a map', { type: 'object', additionalProperties: { type: 'string' } }, { a: 'b' }, ['f:a']],
    [
      'a map of objects',
      { type: 'object', additionalProperties: { type: 'object', properties: { x: { type: 'string' } } } },
      { a: { x: '1' } },
      ['f:a', 'f:a f:x'],
    ],
    [
      'an atomic object',
      { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: { type: 'string' } } },
      { a: 'b' },
      [''],
    ],
    ['a list', { type: 'array', items: { type: 'string' } }, ['a'], ['']],
    ['a set', { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'integer' } }, [10, 9], ['v:9', 'v:10']],
    ['an empty set', { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'integer' } }, [], []],
    ['anything', open, { a: { b: [1] }, c: {} }, ['f:a', 'f:c', 'f:a f:b']],
    [
      'an open object',
      { type: 'object', ...open, properties: { a: { type: 'object', properties: {} } } },
      { a: { x: 1 }, b: 2 },
      ['f:b', 'f:a f:x'],
    ],
    [
      'an embedded object',
      { type: 'object', 'x-kubernetes-embedded-resource': true, ...open },
      { kind: 'K', metadata: { finalizers: ['a'], labels: { x: 'y' } } },
      ['f:kind', 'f:metadata f:finalizers v:"a"', 'f:metadata f:labels f:x'],
    ],
  ])('that is %s', (_what, schema, value, paths) => {
    expect(owned(schema, value)).toEqual(paths);
  });

  it('tells items by keys, with their defaults', () => {
    const properties = { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' } };
    const schema = {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
      items: { type: 'object', properties },
    };
    expect(owned(schema, [{ port: 80 }])).toEqual([
      'k:{"port":80,"protocol":"TCP"}',
      'k:{"port":80,"protocol":"TCP"} f:port',
    ]);
  });

  it('is one type for one schema', () => {
    const node = parseNode({ type: 'object' });
    expect(typeOf(node)).toBe(typeOf(node));
  });
});
