import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cloneJson, type JsonObject } from '../schema/json.ts';
import { ApiError } from '../status.ts';
import { applyJsonPatch, applyMergePatch, parseJsonPatch } from './index.ts';
import { SPEC } from './testing/fixtures.ts';
import { apply, owned, update } from './testing/owned.ts';

const NAMES = [
  'a',
  'b',
  'x',
  'name',
  'port',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  '.',
  'f:a',
  'a/b',
  '~0',
  'é',
  '😀',
];

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false, 0, -1, 1.5, 1e300, '', 'a', 'b', '<&>', '\u2028', '__proto__'),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.array(fc.tuple(fc.constantFrom(...NAMES), tie('any')), { maxLength: 4 }).map(objectOf),
  ),
})).any;

/** As JSON.parse makes them: every name is an own property. */
function objectOf(entries: readonly (readonly [string, unknown])[]): unknown {
  const members = entries.map(([name, member]) => `${JSON.stringify(name)}:${JSON.stringify(member)}`);
  return JSON.parse(`{${members.join(',')}}`);
}

const spec = fc
  .array(fc.tuple(fc.constantFrom(...Object.keys(SPEC), '__proto__', 'constructor'), value), { maxLength: 6 })
  .map((entries) => objectOf(entries) as JsonObject);

/** Runs what may be refused; anything else that is thrown is a failure. */
function tryTo<T>(write: () => T): T | undefined {
  try {
    return write();
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

function expectCleanPrototypes(): void {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(Object.keys(Array.prototype)).toEqual([]);
}

describe('whatever is written', () => {
  it('is applied, or refused, without harm to anything given', () => {
    fc.assert(
      fc.property(spec, spec, spec, fc.boolean(), (first, second, third, force) => {
        const given = [first, second, third].map((one) => owned(one));
        const before = cloneJson(given);
        const [a, b, c] = given.map((object) => ({ object }));
        const created = tryTo(() => apply(undefined, a?.object ?? {}, { manager: 'one' }));
        const updated = update(created, b?.object ?? {}, { manager: 'two' });
        const frozen = JSON.stringify(updated);
        const applied = tryTo(() => apply(updated, c?.object ?? {}, { manager: 'one', force }));
        expect(JSON.stringify(updated)).toBe(frozen);
        expect(given).toEqual(before);
        if (applied !== undefined)
          expect(tryTo(() => apply(applied, c?.object ?? {}, { manager: 'one' }))).toBeDefined();
        expectCleanPrototypes();
      }),
      { numRuns: 400 },
    );
  });

  it('may say anything in managedFields', () => {
    const entry = fc.record({
      manager: fc.oneof(fc.string(), value),
      operation: fc.oneof(fc.constantFrom('Apply', 'Update'), value),
      apiVersion: fc.oneof(fc.constantFrom('patch.sublet.test/v1', 'v2'), value),
      time: fc.oneof(fc.constantFrom('2026-01-01T00:00:00Z', 'never'), value),
      fieldsType: fc.oneof(fc.constantFrom('FieldsV1'), value),
      fieldsV1: value,
    });
    fc.assert(
      fc.property(
        fc.oneof(fc.array(fc.oneof(entry, value), { maxLength: 3 }), value),
        spec,
        (managedFields, stated) => {
          const live = update(undefined, owned({ text: 'a' }), { manager: 'one' });
          const next = owned(stated, { metadata: { managedFields } });
          const updated = tryTo(() => update(live, next, { manager: 'two' }));
          if (updated !== undefined)
            tryTo(() => apply(updated, owned({ text: 'b' }), { manager: 'three', force: true }));
          expectCleanPrototypes();
        },
      ),
      { numRuns: 400 },
    );
  });

  it('is patched, or refused', () => {
    const operation = fc.record({
      op: fc.oneof(fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'), value),
      path: fc.oneof(
        fc.array(fc.constantFrom('', ...NAMES, '0', '-', '-1')).map((parts) => `/${parts.join('/')}`),
        value,
      ),
      from: fc.constantFrom('', '/a', '/a/b', '/b/0', '/__proto__'),
      value,
    });
    const target = fc.record({ a: value, b: fc.array(value) });
    fc.assert(
      fc.property(target, fc.oneof(fc.array(operation, { maxLength: 5 }), value), value, (object, body, patch) => {
        const before = JSON.stringify(object);
        tryTo(() => applyJsonPatch(object, parseJsonPatch(body).operations));
        tryTo(() => applyMergePatch(object, patch));
        expect(JSON.stringify(object)).toBe(before);
        expectCleanPrototypes();
      }),
      { numRuns: 600 },
    );
  });

  it('may be nested as deeply as JSON can be', () => {
    const deep = (open: string, close: string, depth: number): unknown =>
      JSON.parse(`${open.repeat(depth)}1${close.repeat(depth)}`);
    for (const depth of [500, 9_000, 200_000]) {
      for (const [open, close] of [
        ['[', ']'],
        ['{"a":', '}'],
      ] as const) {
        const value = deep(open, close, depth);
        const live = tryTo(() => apply(undefined, owned({ open: { a: value }, any: value }), { manager: 'one' }));
        if (depth === 500) expect(live).toBeDefined();
        tryTo(() => update(undefined, owned({ open: { a: value } }), { manager: 'one' }));
        tryTo(() => applyMergePatch({ a: 1 }, { a: value }));
        tryTo(() => applyMergePatch({ a: value }, { a: value }));
        tryTo(() => applyJsonPatch({ a: value }, [{ op: 'test', path: '/a', value: deep(open, close, depth) }]));
      }
    }
  });
});
