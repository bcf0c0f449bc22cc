import { describe, expect, it } from 'vitest';
import { parseResource } from '../rules/index.ts';
import { readInvalidCases, readValidCases } from './cases.ts';

const valid = await readValidCases();
const invalid = await readInvalidCases();

describe('valid cases', () => {
  it.each(valid)('$name', ({ resource }) => {
    expect(parseResource(resource)).toMatchObject({ ok: true });
  });
});

describe('invalid cases', () => {
  it('are at least 60', () => {
    expect(invalid.length).toBeGreaterThanOrEqual(60);
  });

  it.each(invalid)('$name', ({ resource, errors }) => {
    const parsed = parseResource(resource);
    expect(parsed.ok ? [] : parsed.errors.map(({ path, message }) => `${path}: ${message}`)).toEqual(errors);
  });
});
