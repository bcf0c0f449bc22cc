import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SECRETS } from './builtin.ts';
import { apiVersionOf, compareResourceVersions, objectKey, parseKey, qualifiedName } from './object.ts';

test('keys are namespace/name, or the name alone, and parse back', () => {
  expect(objectKey({ metadata: { namespace: 'a', name: 'b' } })).toBe('a/b');
  expect(objectKey({ metadata: { name: 'b' } })).toBe('b');
  expect(parseKey('a/b')).toEqual({ namespace: 'a', name: 'b' });
  expect(parseKey('b')).toEqual({ name: 'b' });
});

test('the core group is not written', () => {
  expect(apiVersionOf(SECRETS)).toBe('v1');
  expect(qualifiedName(SECRETS)).toBe('secrets');
  expect(apiVersionOf({ ...SECRETS, group: 'x.dev', version: 'v2' })).toBe('x.dev/v2');
  expect(qualifiedName({ ...SECRETS, group: 'x.dev' })).toBe('secrets.x.dev');
});

test('resource versions order as big integers do', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 130n }), fc.bigInt({ min: 0n, max: 2n ** 130n }), (a, b) => {
      const order = compareResourceVersions(String(a), String(b)) ?? Number.NaN;
      expect(Math.sign(order)).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
  );
});

test.each(['', '-1', '01', '1.5', 'abc', '1e3', ' 1', undefined])('%j says nothing about order', (version) => {
  expect(compareResourceVersions(version, '1')).toBeUndefined();
  expect(compareResourceVersions('1', version)).toBeUndefined();
});
