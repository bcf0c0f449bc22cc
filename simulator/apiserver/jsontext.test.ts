import { describe, expect, it } from 'vitest';
import { scanJson } from './jsontext.ts';

describe('what is wrong with JSON, as Go says it', () => {
  const cases: readonly [text: string, error: string | undefined][] = [
    ['{"a":[1,-2.5e+3,true,false,null,"x\\u00e9\\n"],"b":{}} ', undefined],
    ['', 'unexpected end of JSON input'],
    ['{"a":1', 'unexpected end of JSON input'],
    ['{"a":1}x', "invalid character 'x' after top-level value"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"', "invalid character '\"' after object key:value pair"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['[1 2]', "invalid character '2' after array element"],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12"', "invalid character '\"' in \\u hexadecimal character escape"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['nul', "invalid character ' ' in literal null (expecting 'l')"],
    ['-', "invalid character ' ' in numeric literal"],
    ['"a', 'unexpected end of JSON input'],
    ['trux', "invalid character 'x' in literal true (expecting 'e')"],
    ['\x1f', "invalid character '\\x1f' looking for beginning of value"],
    ['['.repeat(10_001), "invalid character '[' exceeded max depth"],
  ];

  it.each(cases)('%s', (text, error) => {
    expect(scanJson(text).error).toBe(error);
    if (!text.startsWith('[[')) expect(isJson(text)).toBe(error === undefined);
  });

  it('finds keys that stand twice', () => {
    const text = '{"a":{"b":1,"b":2,"b":3},"l":[{"x":1,"x":1}],"a":0}';
    expect(scanJson(text).duplicates).toEqual(['a.b', 'l[0].x', 'a']);
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
