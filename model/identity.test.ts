import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computeResourceId, computeTenantId, computeUuid } from './identity.ts';

const id = fc
  .string({ unit: fc.constantFrom(...'abc-019'), minLength: 1, maxLength: 38 })
  .map((text) => `a${text}z`.slice(0, 40).replace(/-$/, 'z'));

describe('computeTenantId', () => {
  it('stays what it is: a cluster rebuilt from Git has the same identities', () => {
    expect(computeTenantId('root', 'acme-1k2m3')).toBe('acme-1k2m3-4c8252bc80b95aab');
    expect(computeTenantId('acme-1k2m3-4c8252bc80b95aab', 'bob-7f3k9')).toBe('bob-7f3k9-6c3a74c17426d6c9');
  });

  it('differs for one id below two sellers', () => {
    expect(computeTenantId('root', 'bob')).not.toBe(computeTenantId(computeTenantId('root', 'acme'), 'bob'));
  });

  it('is a label value at any length of id', () => {
    fc.assert(
      fc.property(id, id, (parent, own) => {
        expect(computeTenantId(computeTenantId('root', parent), own)).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])$/);
      }),
    );
    expect(computeTenantId('root', 'x'.repeat(63))).toHaveLength(63);
  });

  it('is unique in the whole tree', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(id, id), { selector: String, minLength: 2, maxLength: 50 }), (chains) => {
        const ids = chains.map(([parent, own]) => computeTenantId(computeTenantId('root', parent), own));
        expect(new Set(ids).size).toBe(chains.length);
      }),
    );
  });
});

describe('computeUuid', () => {
  const identity = computeResourceId('bob-7f3k9-6c3a74c17426d6c9', 'RDPInstance', 'anna-desk');

  it('stays what it is for an identity', () => {
    expect(identity).toBe('bob-7f3k9-6c3a74c17426d6c9/RDPInstance/anna-desk');
    expect(computeUuid(identity)).toBe(computeUuid(identity));
    expect(computeUuid(identity)).not.toBe(computeUuid(`${identity}2`));
  });

  it('is a UUID of version 8 and the standard variant', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(computeUuid(text)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      }),
    );
  });
});
