import { describe, expect, it } from 'vitest';
import { applyMergePatch } from './mergepatch.ts';

describe('applyMergePatch', () => {
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{ e: null }, { e: null }, {}],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [{}, { a: [null, { b: null }] }, { a: [null, {}] }],
    [{ a: {} }, { a: [null, { b: null }] }, { a: [null, { b: null }] }],
  ])('makes of %j by %j', (target, patch, expected) => {
    const before = JSON.stringify(target);
    expect(applyMergePatch(target, patch)).toEqual(expected);
    expect(JSON.stringify(target)).toBe(before);
  });

  it('answers the same object when nothing changes, and shares what did not', () => {
    const target = { a: { b: 1 }, c: { d: 2 } };
    expect(applyMergePatch(target, { a: { b: 1 }, x: null })).toBe(target);
    expect(applyMergePatch(target, { a: { b: 2 } }).c).toBe(target.c);
  });

  it('treats __proto__ as a name like any other', () => {
    const merged = applyMergePatch({ a: 1 }, JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"x": 1}}'));
    expect(JSON.stringify(merged)).toBe('{"a":1,"__proto__":{"polluted":true},"constructor":{"x":1}}');
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  });

  it.each([
    [[1], 'Warn', 'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}'],
    [
      'a',
      'Strict',
      'error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}',
    ],
    [null, 'Warn', 'Invalid JSON Patch'],
    [7, 'Ignore', 'Invalid JSON Patch'],
  ] as const)('refuses %j', (patch, fieldValidation, message) => {
    expect(() => applyMergePatch({}, patch, fieldValidation)).toThrow(message);
  });
});
