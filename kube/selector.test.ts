import { expect, test } from 'vitest';
import { buildMatcher } from './selector.ts';

const object = { metadata: { name: 'a', namespace: 'n', labels: { tier: 'web', env: 'prod', empty: '' } } };

test.each([
  ['tier=web', true],
  ['tier==web,env=prod', true],
  ['tier=db', false],
  ['tier!=db', true],
  ['missing!=x', true],
  ['tier in (web, db)', true],
  ['tier notin (web,db)', false],
  ['missing notin (x)', true],
  ['missing in (x)', false],
  ['tier', true],
  ['!tier', false],
  ['!missing', true],
  ['empty=', true],
  ['toString', false],
  ['', true],
])('label selector %j: %s', (labelSelector, expected) => {
  expect(buildMatcher({ labelSelector })(object)).toBe(expected);
});

test('namespace and field selectors', () => {
  expect(buildMatcher({ namespace: 'n' })(object)).toBe(true);
  expect(buildMatcher({ namespace: 'm' })(object)).toBe(false);
  expect(buildMatcher({ fieldSelector: 'metadata.name=a,metadata.namespace!=m' })(object)).toBe(true);
  expect(buildMatcher({ fieldSelector: 'metadata.name=b,spec.x=1' })(object)).toBe(false);
  expect(buildMatcher({ fieldSelector: 'spec.x=1' })(object)).toBeUndefined();
});

test('a selector that the API server refuses is refused', () => {
  expect(() => buildMatcher({ labelSelector: 'a=b=c d' })).toThrow('is not a label requirement');
});
