import { describe, expect, it } from 'vitest';
import { compilePattern } from './regex.ts';

describe('patterns', () => {
  const cases: readonly [pattern: string, matched: readonly string[], unmatched: readonly string[]][] = [
    ['^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', ['a', 'a-b'], ['-a', 'a\n', '']],
    ['^\\P{Cc}*$', ['', 'é b'], ['a\nb', '\u0007']],
    ['a.b', ['a\rb', 'a\u2028b'], ['a\nb']],
    ['(?s)a.b', ['a\nb'], []],
    ['^\\s$', [' ', '\t'], ['\u00a0', '\v']],
    ['^\\d+$', ['12'], ['\u0663']],
    ['(?i)^abc$', ['ABC', 'abc'], ['abd']],
    ['^a(?i)b|c$', ['aB', 'xC'], ['AB']],
    ['^(?i:a)b$', ['Ab'], ['AB']],
    ['^(?:(?i)a|b)c$', ['Ac', 'Bc'], ['aC']],
    ['\\Aab\\z', ['ab'], ['ab\n', 'xab']],
    ['(?m)^b$', ['a\nb\nc', 'b'], ['a\rb', 'ab']],
    ['^\\Qa.b\\E+$', ['a.b', 'a.bb'], ['axb']],
    ['^[[:alpha:][:^digit:]]$', ['a', '-'], ['1']],
    ['^[]a]$', [']', 'a'], ['b']],
    ['^[^]a]$', ['b'], [']', 'a']],
    ['^[\\D5]$', ['a', '5'], ['4']],
    ['^[^\\D5]$', ['4'], ['a', '5']],
    ['^[a\\-z]$', ['-', 'a', 'z'], ['b']],
    ['^[-a]$|^[a-]$', ['-', 'a'], ['b']],
    ['^\\pL\\p{Greek}\\p{^L}$', ['aα1'], ['1α1', 'aa1']],
    ['^{a}{,2}]$', ['{a}{,2}]'], ['a']],
    ['^a{2,3}$', ['aa', 'aaa'], ['a', 'aaaa']],
    ['^(?P<n>a)(?<m>b)$', ['ab'], []],
    ['^\\x41\\x{1F600}\\101\\_\\/$', ['A😀A_/'], []],
    ['^😀?$', ['', '😀'], ['😀😀']],
    ['^(?U)a+?$', ['aaa'], ['']],
    ['^a|b$', ['ax', 'xb'], ['xa']],
    ['^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$', ['1h30m', '1.5s'], ['1', 'h']],
  ];

  it.each(cases)('%s', (pattern, matched, unmatched) => {
    const compiled = compilePattern(pattern);
    expect(matched.filter((text) => !compiled.test(text))).toEqual([]);
    expect(unmatched.filter((text) => compiled.test(text))).toEqual([]);
  });

  const refused: readonly [pattern: string, message: string][] = [
    ['a(?=b)', 'invalid or unsupported Perl syntax: `(?=`'],
    ['a(?!b)', 'invalid or unsupported Perl syntax: `(?!`'],
    ['(?<=a)b', 'invalid named capture: `(?<=a)b`'],
    ['(?<!a)b', 'invalid named capture: `(?<!a)b`'],
    ['(a)\\1', 'invalid escape sequence: `\\1`'],
    ['(?P<n-a>b)', 'invalid named capture: `(?P<n-a>`'],
    ['(?P=n)', 'invalid or unsupported Perl syntax: `(?P`'],
    ['(?>a)', 'invalid or unsupported Perl syntax: `(?>`'],
    ['(?i', 'invalid or unsupported Perl syntax: `(?i`'],
    ['a++', 'invalid nested repetition operator: `++`'],
    ['a**', 'invalid nested repetition operator: `**`'],
    ['*a', 'missing argument to repetition operator: `*`'],
    ['a{1001}', 'invalid repeat count: `{1001}`'],
    ['a{2,1}', 'invalid repeat count: `{2,1}`'],
    ['(a', 'missing closing ): `(a`'],
    ['a)', 'unexpected ): `a)`'],
    ['[a', 'missing closing ]: `[a`'],
    ['[b-a]', 'invalid character class range: `b-a`'],
    ['a\\', 'trailing backslash at end of expression: ``'],
    ['\\y', 'invalid escape sequence: `\\y`'],
    ['\\p{Nope}', 'invalid character class range: `\\p{Nope}`'],
    ['[[:nope:]]', 'invalid character class range: `[:nope:]`'],
  ];

  it.each(refused)('refuse %s', (pattern, message) => {
    expect(() => compilePattern(pattern)).toThrow(`error parsing regexp: ${message}`);
  });
});
