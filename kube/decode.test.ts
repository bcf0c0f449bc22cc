import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WatchLine } from './client.ts';
import { WatchDecoder } from './decode.ts';
import { RequestError } from './errors.ts';

const managed = [
  {
    manager: 'kubectl',
    operation: 'Apply',
    time: 'T',
    fieldsV1: { 'f:spec': { 'f:a': {}, 'k:{"name":"x"}': { '.': {} } } },
  },
];
const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'n', resourceVersion: '5' } };
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

function expected(line: { readonly object: { readonly metadata: object } }): unknown {
  const copy = structuredClone(line);
  if ('managedFields' in copy.object.metadata) delete copy.object.metadata.managedFields;
  return copy;
}

test.each([
  [
    'in the middle',
    { ...object, metadata: { annotations: { b: '}],"' }, managedFields: managed, ...object.metadata } },
  ],
  ['first', { ...object, metadata: { managedFields: managed, ...object.metadata } }],
  ['last', { ...object, metadata: { ...object.metadata, managedFields: managed }, data: { x: '1' } }],
  ['empty', { ...object, metadata: { managedFields: [], ...object.metadata }, spec: { list: [{}], after: 1 } }],
  ['absent', object],
  ['twice', { ...object, metadata: { ...object.metadata, managedFields: managed }, spec: { managedFields: managed } }],
  ['elsewhere only', { ...object, spec: { managedFields: managed, metadata: { managedFields: managed } } }],
  ['in a template', { ...object, spec: { template: { metadata: { managedFields: managed, name: 'x' } } } }],
  [
    'quoted in a text',
    { ...object, metadata: { ...object.metadata, annotations: { last: JSON.stringify({ managedFields: managed }) } } },
  ],
])('managedFields %s', (_, watched) => {
  const line = { type: 'ADDED', object: watched } as const;
  expect(decodeAll(bytes(`${JSON.stringify(line)}\n`))).toEqual([expected(line)]);
});

const nastyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('}],"name":"', '}]}', '"managedFields":[{', '\\', '"}],"', '__proto__', 'managedFields', '\u2028'),
);
const tree = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    nastyText,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    tie('list'),
    tie('map'),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  map: fc.dictionary(nastyText, tie('value'), { maxKeys: 4 }),
}));
const fields = fc.array(
  fc.record({
    manager: nastyText,
    operation: fc.constant('Apply'),
    fieldsV1: fc.dictionary(nastyText, fc.constant({})),
  }),
  { maxLength: 3 },
);

test('cutting managedFields out never changes anything else, however the bytes are split', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ annotations: tree.map, managedFields: fields, spec: tree.value, before: fc.boolean() }), {
        maxLength: 3,
      }),
      fc.array(fc.nat(4000), { maxLength: 8 }),
      (items, cuts) => {
        const lines = items.map(({ annotations, managedFields, spec, before }) => {
          const metadata = before
            ? { annotations, managedFields, name: 'a', resourceVersion: '1' }
            : { name: 'a', resourceVersion: '1', annotations, managedFields };
          return { type: 'MODIFIED', object: { kind: 'X', metadata, spec } };
        });
        const all = bytes(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
        const decoder = new WatchDecoder();
        const decoded: unknown[] = [];
        let start = 0;
        for (const cut of [...cuts, all.length].sort((a, b) => a - b)) {
          decoder.push(all.subarray(start, cut), (line) => decoded.push(line));
          start = Math.max(start, cut);
        }
        decoder.end();
        expect(decoded).toEqual(lines.map((line) => expected(JSON.parse(JSON.stringify(line)))));
      },
    ),
    { numRuns: 300 },
  );
});

test.each([
  ['torn JSON', '{"type":"ADDED","object":{"metadata":{"na'],
  ['not JSON', '<html>'],
  ['a list', '[]'],
  ['an unknown type', { type: 'PATCHED', object }],
  ['no object', { type: 'ADDED' }],
  ['no metadata', { type: 'ADDED', object: { kind: 'X' } }],
  ['no name', { type: 'ADDED', object: { metadata: { resourceVersion: '1' } } }],
  ['no version', { type: 'BOOKMARK', object: { metadata: {} } }],
  ['a number for a version', { type: 'BOOKMARK', object: { metadata: { resourceVersion: 5 } } }],
])('a line with %s is undecodable', (_, line) => {
  const decoder = new WatchDecoder();
  const seen: WatchLine[] = [];
  const good = bytes(`${JSON.stringify({ type: 'ADDED', object })}\n`);
  const error = catching(() =>
    decoder.push(Buffer.concat([good, bytes(line), bytes('\n'), good]), (one) => seen.push(one)),
  );
  expect(seen.length).toBe(1);
  expect(error).toBeInstanceOf(RequestError);
  expect(error).toMatchObject({ failure: 'undecodable' });
});

test('bytes that are no UTF-8 are undecodable', () => {
  const line = bytes({ type: 'ADDED', object });
  line[line.indexOf('ConfigMap')] = 0xff;
  expect(catching(() => decodeAll(Buffer.concat([line, bytes('\n')])))).toMatchObject({ failure: 'undecodable' });
});

test('a stream that ends inside a line says so, one that ends between lines does not', () => {
  const decoder = new WatchDecoder();
  decoder.push(bytes(`${JSON.stringify({ type: 'ADDED', object })}\n`), () => {});
  decoder.end();
  decoder.push(bytes('{"type"'), () => {});
  expect(catching(() => decoder.end())).toMatchObject({ failure: 'undecodable' });
});

test('a member called __proto__ stays a member', () => {
  const text = `{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"1"},"data":{"__proto__":{"polluted":true}}}}`;
  decodeAll(bytes(`${text}\n`));
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
});

function decodeAll(all: Buffer): readonly WatchLine[] {
  const lines: WatchLine[] = [];
  new WatchDecoder().push(all, (line) => lines.push(line));
  return lines;
}

function catching(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
