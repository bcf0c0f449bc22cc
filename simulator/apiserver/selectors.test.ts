import { describe, expect, it } from 'vitest';
import { parseFieldSelector } from './fieldselector.ts';
import { parseLabelSelector } from './labelselector.ts';

describe('label selectors', () => {
  const labels = { a: '1', tier: 'front', n: '7', empty: '' };
  const cases: readonly [text: string, matches: boolean][] = [
    ['a=1', true],
    ['a==1,tier!=back', true],
    ['a = 2', false],
    ['tier in (front, back)', true],
    ['tier notin (front)', false],
    ['missing notin (x)', true],
    ['!missing,a', true],
    ['!a', false],
    ['n>6,n<8', true],
    ['n>7', false],
    ['empty=', true],
    ['empty in ()', true],
    ['in=x', false],
  ];

  it.each(cases)('%s: %s', (text, matches) => {
    expect(parseLabelSelector(text)?.(labels)).toBe(matches);
  });

  it('may select everything', () => {
    expect(parseLabelSelector(' ')).toBeUndefined();
  });

  it.each([
    ['a=b=c', "found '=', expected: ',' or 'end of string'"],
    ['a,', "found '', expected: identifier after ','"],
    ['=a', "found '=', expected: !, identifier, or 'end of string'"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a ~ b', "unable to parse requirement: found '~', expected: in, notin, =, ==, !=, gt, lt"],
  ])('refuses %s', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(message);
  });

  it('refuses keys and values that no label has', () => {
    expect(() => parseLabelSelector('-a=b')).toThrow('name part must consist of');
    expect(() => parseLabelSelector(`a=${'x'.repeat(64)}`)).toThrow('must be no more than 63 bytes');
  });
});

describe('field selectors', () => {
  it('are terms, with escapes', () => {
    expect(parseFieldSelector('metadata.name=a,status.phase!=b\\,c')).toEqual([
      { field: 'metadata.name', value: 'a', negated: false },
      { field: 'status.phase', value: 'b,c', negated: true },
    ]);
    expect(parseFieldSelector('')).toEqual([]);
  });

  it.each([
    ['name', "invalid selector: 'name'; can't understand 'name'"],
    ['a=b\\x', 'invalid field selector: invalid escape sequence: \\x'],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
    ['a=b\\', 'invalid field selector: invalid escape sequence: \\'],
  ])('refuse %s', (text, message) => {
    expect(() => parseFieldSelector(text)).toThrow(message);
  });
});
