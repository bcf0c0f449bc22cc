import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  difference,
  EMPTY_SET,
  type FieldSet,
  hasPath,
  intersection,
  isSubset,
  pathsOf,
  recursiveDifference,
  shareNodes,
  union,
  withNamedFields,
} from './fieldset.ts';
import { setOf } from './fieldsetbuilder.ts';
import { parseFieldsV1, renderFieldsV1 } from './fieldsv1.ts';
import { buildMapOf, buildStruct, STRING } from './typenode.ts';

const element = fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}', 'v:1', 'v:"y"', 'i:0');
const path = fc.array(element, { minLength: 1, maxLength: 4 });
const paths = fc.array(path, { maxLength: 12 });

const textsOf = (set: FieldSet) => pathsOf(set).map((found) => found.join(' '));
const sorted = (texts: Iterable<string>) => [...texts].sort();
const same = (set: FieldSet, texts: Iterable<string>) => expect(sorted(textsOf(set))).toEqual(sorted(texts));
const joined = (list: readonly (readonly string[])[]) => new Set(list.map((one) => one.join(' ')));

/** What an operation on sets of paths is to the texts of the paths. */
const check = (
  operation: (a: FieldSet, b: FieldSet) => FieldSet,
  expected: (a: Set<string>, b: Set<string>) => Iterable<string>,
) =>
  fc.assert(
    fc.property(paths, paths, (a, b) => {
      const [left, right] = [setOf(a), setOf(b)];
      const before = [textsOf(left), textsOf(right)];
      same(operation(left, right), expected(joined(a), joined(b)));
      expect([textsOf(left), textsOf(right)]).toEqual(before);
    }),
  );

describe('sets of paths', () => {
  it('join', () => check(union, (a, b) => [...new Set([...a, ...b])]));
  it('intersect', () => check(intersection, (a, b) => [...a].filter((one) => b.has(one))));
  it('differ', () => check(difference, (a, b) => [...a].filter((one) => !b.has(one))));
  it('differ with all that is below', () =>
    check(recursiveDifference, (a, b) =>
      [...a].filter((one) => ![...b].some((other) => one === other || one.startsWith(`${other} `))),
    ));

  it('know their members and subsets', () => {
    fc.assert(
      fc.property(paths, paths, path, (a, b, one) => {
        const [left, right] = [setOf(a), setOf(b)];
        expect(hasPath(left, one)).toBe(joined(a).has(one.join(' ')));
        expect(isSubset(left, right)).toBe([...joined(a)].every((text) => joined(b).has(text)));
      }),
    );
  });

  it('answer what they were given where that is the result', () => {
    const set = setOf([['f:a'], ['f:b', 'f:c']]);
    expect(union(set, setOf([['f:a']]))).toBe(set);
    expect(difference(set, setOf([['f:b'], ['f:c']]))).toBe(set);
    expect(difference(set, set)).toBe(EMPTY_SET);
  });

  it('share nodes with an older set', () => {
    fc.assert(
      fc.property(paths, paths, (a, b) => {
        const [fresh, old] = [setOf(a), setOf(b)];
        const shared = shareNodes(fresh, old);
        same(shared, joined(a));
        if (isSubset(fresh, old) && isSubset(old, fresh) && old.size > 0) expect(shared).toBe(old);
      }),
    );
  });

  it('gain the named fields that lead to members', () => {
    const type = buildStruct({ spec: buildStruct({ inner: buildStruct({ a: STRING }), map: buildMapOf(STRING) }) });
    const set = setOf([
      ['f:spec', 'f:inner', 'f:a'],
      ['f:spec', 'f:map', 'f:key'],
      ['f:unknown', 'f:x'],
    ]);
    same(withNamedFields(set, type), [
      'f:spec',
      'f:spec f:inner',
      'f:spec f:inner f:a',
      'f:spec f:map',
      'f:spec f:map f:key',
      'f:unknown f:x',
    ]);
  });
});

describe('fieldsV1', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(paths, (a) => {
        const text = JSON.stringify(renderFieldsV1(setOf(a)));
        same(parseFieldsV1(JSON.parse(text)), joined(a));
        expect(JSON.stringify(renderFieldsV1(parseFieldsV1(JSON.parse(text))))).toBe(text);
      }),
    );
  });

  it('has the order and the form of the API server', () => {
    const sent = {
      'i:10': {},
      'i:9': {},
      'v:true': {},
      'v:"b"': {},
      'v:10': {},
      'v:9': {},
      'k:{"port":443,"protocol":"TCP"}': { 'f:port': {}, '.': {} },
      'k:{"protocol":"TCP","port":80}': {},
      'k:{"port":80}': {},
      'f:b': { 'f:x': { 'f:y': {} }, '.': {} },
      'f:a': null,
      'x:future': { 'f:a': {} },
    };
    expect(JSON.stringify(renderFieldsV1(parseFieldsV1(sent)))).toBe(
      '{"f:a":{},"f:b":{".":{},"f:x":{"f:y":{}}},"k:{\\"port\\":80}":{},"k:{\\"port\\":80,\\"protocol\\":\\"TCP\\"}":{},' +
        '"k:{\\"port\\":443,\\"protocol\\":\\"TCP\\"}":{".":{},"f:port":{}},"v:9":{},"v:10":{},"v:\\"b\\"":{},"v:true":{},"i:9":{},"i:10":{}}',
    );
  });

  it('escapes values as the API server does', () => {
    const [value] = [...setOf([['v:"a\\u003cb"']]).keys()];
    expect([...parseFieldsV1({ 'v:"a<b"': {} }).keys()]).toEqual([value]);
  });

  it.each([
    { a: {} },
    { f: {} },
    { fx: {} },
    { 'v:': {} },
    { 'v:{': {} },
    { 'k:[]': {} },
    { 'k:x': {} },
    { 'i:x': {} },
    { 'f:a': 1 },
    7,
    [],
    'x',
  ])('is refused as %j', (fields) => {
    expect(() => parseFieldsV1(fields)).toThrow(SyntaxError);
  });

  it('reads anything without harm', () => {
    fc.assert(
      fc.property(fc.object({ key: fc.oneof(element, fc.string(), fc.constant('__proto__')) }), (fields) => {
        try {
          renderFieldsV1(parseFieldsV1(fields));
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
    );
  });
});
