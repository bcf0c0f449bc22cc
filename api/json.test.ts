import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonError, MAX_DEPTH, parseJson } from './json.ts';

describe('parseJson', () => {
  it.each([
    ['{"a":1,"a":2}', 'has the member "a" twice, the second at character 7'],
    ['{"a":1,"\\u0061":2}', 'has the member "a" twice'],
    ['[{"x":{"b":1,"c":2,"b":3}}]', 'has the member "b" twice'],
    ['{"__proto__":{"admin":true}}', 'has the member __proto__ at character 1'],
    ['{"a":[{"\\u005f_proto__":1}]}', 'has the member __proto__'],
    ['{"\\u00":1}', 'is no JSON'],
    ['{"a":1', 'is no JSON'],
    ['{a:1}', 'is no JSON'],
    ['{"a":1}}', 'is no JSON'],
    ['{"a":01}', 'is no JSON'],
    ['', 'is no JSON'],
    ['"abc', 'is no JSON'],
    ['"\\', 'is no JSON'],
    ["{'a':1}", 'is no JSON'],
    ['[NaN]', 'is no JSON'],
    [`${'['.repeat(MAX_DEPTH + 1)}${']'.repeat(MAX_DEPTH + 1)}`, `nested deeper than ${MAX_DEPTH} levels`],
    ['{"a":'.repeat(100_000), `nested deeper than ${MAX_DEPTH} levels`],
  ])('refuses %j', (text, message) => {
    expect(() => parseJson(text)).toThrow(message);
    expect(() => parseJson(text)).toThrow(JsonError);
  });

  it.each([
    '{"a":"{\\"a\\":1,\\"a\\":2}","b":"}{][,"}',
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
    '{"constructor":1,"toString":2,"proto":3}',
    `${'['.repeat(MAX_DEPTH)}${']'.repeat(MAX_DEPTH)}`,
    '{"a\\"b":1,"a":2,"a\\\\":3}',
    '["a","a"]',
    '{"x":["a","b"],"a":"x"}',
  ])('takes %s', (text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  it('reads back whatever is written without __proto__', () => {
    const value = fc.jsonValue({ maxDepth: 5 }).filter((json) => !JSON.stringify(json).includes('__proto__'));
    fc.assert(
      fc.property(value, (json) => {
        expect(parseJson(JSON.stringify(json, null, 2))).toEqual(JSON.parse(JSON.stringify(json)));
      }),
    );
  });

  it('never throws anything else, and leaves Object alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0 a1_-.') }), (text) => {
        try {
          parseJson(text);
        } catch (error) {
          expect(error).toBeInstanceOf(JsonError);
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes time in proportion to the length', () => {
    const text = `{${Array.from({ length: 15_000 }, (_, i) => `"k${i}":"\\\\\\""`).join(',')}}`;
    const before = process.threadCpuUsage();
    parseJson(text);
    expect(process.threadCpuUsage(before).user).toBeLessThan(2_000_000);
  });
});
