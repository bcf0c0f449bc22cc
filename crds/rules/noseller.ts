import type { Rule } from './facts.ts';

/** Kinds by which somebody sells. */
const SELLER_KINDS: ReadonlySet<string> = new Set(['Tenant', 'Plan', 'Quota']);

/** Only the provider and resellers sell; the provider's own namespace holds nothing but what is sold from there. */
export const checkNoSeller: Rule = ({ kind }, { owner, namespace }) => {
  const isSellers = SELLER_KINDS.has(kind);
  if (owner === 'Root' && !isSellers) {
    const message = `${namespace} holds Tenants, Plans and Quotas only; ${kind} belongs in a tenant's namespace`;
    return [{ rule: 'NoSeller', path: ['kind'], message }];
  }
  if (owner === 'Customer' && isSellers) {
    const message = `the tenant of ${namespace} is a Customer; only a Reseller may have a ${kind}`;
    return [{ rule: 'NoSeller', path: ['kind'], message }];
  }
  return [];
};
