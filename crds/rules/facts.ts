import type { PlanStore, SellerChain } from '../../model/planlookup.ts';
import type { SubletResource } from '../v1alpha1/resources.ts';
import type { PathSegment } from './walk.ts';

/** Who owns a namespace; what may live there follows. `Unknown` when nobody is known to, so that nothing is judged by it. */
export type OwnerType = 'Root' | 'Reseller' | 'Customer' | 'Unknown';

/** What rules may know of a resource's surroundings. A rule whose fact is absent says nothing. */
export type RuleFacts = {
  /** Where the resource lives or shall live. */
  readonly namespace: string;
  readonly owner: OwnerType;
  /** The resource comes from a person (a file, a request) and not from the cluster. */
  readonly isDeclared?: boolean | undefined;
  /** Other Tenants in the namespace. */
  readonly tenants?: readonly { readonly name: string; readonly id: string }[] | undefined;
  /** The seller of the namespace and its price lists, up to the provider's. */
  readonly prices?: { readonly plans: PlanStore; readonly seller: SellerChain } | undefined;
  /** Hosts inside that a tenant's repository may be on, as `host` or `host:port`. */
  readonly allowedGitHosts?: readonly string[] | undefined;
};

/** A rule that is broken: its name, where, and what to do. */
export type RuleViolation = {
  readonly rule: string;
  readonly path: readonly PathSegment[];
  readonly message: string;
};

export type Rule = (resource: SubletResource, facts: RuleFacts) => readonly RuleViolation[];
