import { describe, expect, it } from 'vitest';
import { findDoubledKeys, parseYamlText } from './body.ts';

describe('parseYamlText', () => {
  it.each([
    ['a: yes', { a: true }],
    ['a: 2026-01-01', { a: '2026-01-01' }],
    ['{a: b}', { a: 'b' }],
    ['a: 1\na: 2', { a: 2 }],
    ['---\na: 1\n---\nb: 2\n', { a: 1 }],
    ['', null],
    ['x: &x [1]\nz: *x', { x: [1], z: [1] }],
  ])('reads %j', (text, value) => {
    expect(parseYamlText(text)).toEqual(value);
  });

  it.each([
    ['a: &a\n  b: *a\n', "anchor 'a' value contains itself"],
    ['['.repeat(20_000), 'exceeded max depth of 10000'],
    ['a: [', 'line 1'],
  ])('refuses %.20j', (text, message) => {
    expect(() => parseYamlText(text)).toThrow(message);
  });
});

describe('findDoubledKeys', () => {
  it.each([
    ['a: 1\nb: 2\na: 3\n', ['line 3: key "a" already set in map']],
    ['x:\n  {a: 1, "a": 2}\n', ['line 2: key "a" already set in map']],
    ['{"a":{"b":1,"b":2},"a":3}', ['line 1: key "b" already set in map', 'line 1: key "a" already set in map']],
    ['a: 1\n', []],
  ])('finds in %j', (text, keys) => {
    expect(findDoubledKeys(text)).toEqual(keys);
  });
});
