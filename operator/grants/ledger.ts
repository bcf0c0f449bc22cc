import type { Amounts } from '../../model/limits.ts';
import { addAmounts, parseAmounts, renderAmounts } from '../../model/limits.ts';

/**
 * What one buyer of a tenant's limits holds: a desktop holds what it uses; a sub-tenant holds its place (`tenants: 1`) and
 * what was allotted to it.
 */
export type Grant = { readonly used: Amounts; readonly allotted: Amounts };

/** The grants of one namespace by key: `desktops/<name>` or `tenants/<name>`. */
export type Ledger = ReadonlyMap<string, Grant>;

/** What a ConfigMap's data says. Entries that do not parse are named, so that nobody gets a share by corrupting the record. */
export function parseLedger(data: Readonly<Record<string, string>> | undefined): {
  readonly ledger: Ledger;
  readonly unreadable: readonly string[];
} {
  const ledger = new Map<string, Grant>();
  const unreadable: string[] = [];
  for (const [field, text] of Object.entries(data ?? {})) {
    const grant = parseGrant(text);
    if (grant === undefined) unreadable.push(field);
    else ledger.set(field.replace('.', '/'), grant);
  }
  return { ledger, unreadable };
}

/** The ConfigMap field of a grant: keys of a ConfigMap may not hold a slash, and no kind's plural holds a dot. */
export function renderField(key: string): string {
  return key.replace('/', '.');
}

export function renderGrant(grant: Grant): string {
  return JSON.stringify({ used: renderAmounts(grant.used), allotted: renderAmounts(grant.allotted) });
}

/** The sums over all grants but the one that is asked about. */
export function computeTotals(ledger: Ledger, except?: string): Grant {
  let used: Amounts = {};
  let allotted: Amounts = {};
  for (const [key, grant] of ledger) {
    if (key === except) continue;
    used = addAmounts(used, grant.used);
    allotted = addAmounts(allotted, grant.allotted);
  }
  return { used, allotted };
}

function parseGrant(text: string): Grant | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('used' in value) || !('allotted' in value)) return undefined;
  const used = parseAmounts(value.used);
  const allotted = parseAmounts(value.allotted);
  return used === undefined || allotted === undefined ? undefined : { used, allotted };
}
