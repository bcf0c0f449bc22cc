import { describe, expect, it } from 'vitest';
import { countMarks } from './marks.ts';
import { DEFAULT_FILE_LIMITS } from './parse.ts';

describe('marks', () => {
  it.each([
    ['', 0],
    ['kind: Plan\n', 2],
    ['name: anna-desk\nat: 2026-11-21T09:00:00Z\n', 4],
    ['- [a, {b: c}]\n', 8],
    ['-\n-', 2],
    ['é: ☃\n', 2],
  ])('of %j are %i', (text, marks) => {
    expect(countMarks(text)).toBe(marks);
  });

  it('of the largest file that people write are far from the limit', () => {
    const members = '    - { kind: User, name: "oidc:anna", role: Owner }\n';
    const price = '    - name: base\n      type: Recurring\n      recurring: {amount: "28.00", interval: Month}\n';
    const json = '{"name":"base","type":"Recurring","per":"Resource","accrues":"Exists"},\n';
    for (const text of [members, price, json]) {
      const whole = text.repeat(DEFAULT_FILE_LIMITS.fileBytes / text.length);
      expect(countMarks(whole)).toBeLessThan(DEFAULT_FILE_LIMITS.fileMarks * 0.9);
    }
  });
});
