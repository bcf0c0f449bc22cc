import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { desktopChildName, splitPath, tenantNamespace, tenantPath } from './names.ts';

/** Names as the schema lets them be: lower-case letters, digits and single hyphens between them, at most 40. */
const name = fc
  .array(fc.string({ unit: fc.constantFrom(...'abz019'), minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('-').slice(0, 40).replace(/-$/, ''));
const path = fc
  .array(name, { minLength: 1, maxLength: 5 })
  .map((names) => names.reduce<string | undefined>(tenantPath, undefined) ?? '');

describe('tenantPath', () => {
  it.each([
    [undefined, 'acme', 'acme'],
    ['acme', 'bob', 'acme--bob'],
    ['acme--bob', 'eve', 'acme--bob--eve'],
  ])('of %s and %s is %s', (parent, child, expected) => {
    expect(tenantPath(parent, child)).toBe(expected);
    expect(splitPath(expected)).toEqual({ parentPath: parent, name: child });
  });

  it('is taken apart exactly as it was put together', () => {
    fc.assert(
      fc.property(fc.option(path, { nil: undefined }), name, (parentPath, last) => {
        expect(splitPath(tenantPath(parentPath, last))).toEqual({ parentPath, name: last });
      }),
    );
  });
});

describe('tenantNamespace', () => {
  it.each([
    ['acme', 't-acme'],
    ['acme--bob', 't-acme--bob'],
    ['a-b--c', 't-a-b--c'],
    ['a--b-c', 't-a--b-c'],
  ])('of %s is %s', (from, expected) => {
    expect(tenantNamespace(from)).toBe(expected);
  });

  it('is plain up to 63 characters and hashed from 64 on', () => {
    expect(tenantNamespace('a'.repeat(61))).toBe(`t-${'a'.repeat(61)}`);
    expect(tenantNamespace('a'.repeat(62))).toMatch(/^th-a{43}-[0-9a-f]{16}$/);
  });

  it('hashes the whole path, not the part that is shown', () => {
    const head = 'x'.repeat(70);
    expect(tenantNamespace(`${head}--one`)).not.toBe(tenantNamespace(`${head}--two`));
  });

  it('leaves no hyphen at the end of the head', () => {
    expect(tenantNamespace(`${'a'.repeat(42)}--${'b'.repeat(30)}`)).toMatch(/^th-a{42}-[0-9a-f]{16}$/);
  });

  it('does not let a tenant choose a hashed name', () => {
    const hashed = tenantNamespace('a'.repeat(62));
    expect(tenantNamespace(hashed.slice(2))).not.toBe(hashed);
    expect(tenantNamespace('h-acme')).toBe('t-h-acme');
  });

  it('is a DNS label of at most 63 characters for every path', () => {
    fc.assert(
      fc.property(path, (from) => {
        const namespace = tenantNamespace(from);
        expect(namespace.length).toBeLessThanOrEqual(63);
        expect(namespace).toMatch(/^th?-[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
      }),
    );
  });

  it('never gives two paths one namespace', () => {
    fc.assert(
      fc.property(fc.uniqueArray(path, { minLength: 2, maxLength: 60 }), (paths) => {
        expect(new Set(paths.map(tenantNamespace)).size).toBe(paths.length);
      }),
    );
  });
});

describe('desktopChildName', () => {
  it('tells that it is a desktop', () => {
    expect(desktopChildName('anna-desk')).toBe('rdp-anna-desk');
  });
});
