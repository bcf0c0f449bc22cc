import { expect, test } from 'vitest';
import { createFakeRandom } from '../../../kube/testing/fakeclock.ts';
import { generatePassword } from './password.ts';

test('20 characters of every class that Windows asks for, whatever the bytes', () => {
  const constant = (value: number) => ({
    next: () => 0,
    bytes: (length: number) => new Uint8Array(length).fill(value),
  });
  const randoms = [constant(0), constant(255), ...Array.from({ length: 200 }, (_, seed) => createFakeRandom(seed))];
  const passwords = randoms.map(generatePassword);
  for (const password of passwords) {
    expect(password).toMatch(/^[A-Z][a-z][2-9]-[A-Za-z2-9_+=.:@-]{16}$/);
    expect(password).not.toMatch(/[IOl01]/);
  }
  expect(new Set(passwords).size).toBe(passwords.length);
});
