import { expect, it } from 'vitest';
import { managerOf } from './manager.ts';

it.each([
  ['flux', 'kubectl/v1.36', 'flux'],
  ['', 'kubectl/v1.36.3 (linux/amd64)', 'kubectl'],
  ['', 'Mozilla', 'Mozilla'],
  ['', '', ''],
  ['', 'a\u0000b\u200bc/1', 'abc'],
  ['', `${'é'.repeat(100)}/1`, 'é'.repeat(64)],
])('records %j of %j as %j', (fieldManager, userAgent, name) => {
  expect(managerOf(fieldManager, userAgent)).toBe(name);
});
