import { z } from 'zod';
import { Condition } from './conditions.ts';

/** A name as the API server takes it for most kinds: RFC 1123 label. */
export const DnsLabel = z.string().min(1).max(63).regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);

/** Lower-case letters, digits and single hyphens, so that `--` separates the names of a path. */
export const TenantName = z.string().min(1).max(40).regex(/^[a-z0-9]+(-[a-z0-9]+)*$/);

/** A path relative to a Tenant: `eve` or `bob--eve`. */
export const TenantPath = z.string().min(1).max(512).regex(/^[a-z0-9]+(--?[a-z0-9]+)*$/);

/** Whole bytes: a plain number, or one with Ki, Mi, Gi, Ti. Neither exponents, signs nor fractions. */
export const ByteQuantity = z.string().min(1).max(20).regex(/^[1-9][0-9]{0,14}(Ki|Mi|Gi|Ti)?$/);

/** A decimal amount in the currency's major unit: at most 12 digits before and 12 after the point. */
export const Amount = z.string().min(1).max(26).regex(/^(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?$/);

/** A whole number as text, for counts that may pass 2^53. */
export const Count = z.string().min(1).max(19).regex(/^(0|[1-9][0-9]{0,18})$/);

export const CurrencyCode = z.string().length(3).regex(/^[A-Z]{3}$/);

export const Metadata = z.looseObject({
  name: z.string().min(1).max(253),
  namespace: z.string().max(63).optional(),
  generateName: z.string().max(253).optional(),
  uid: z.string().max(64).optional(),
  resourceVersion: z.string().max(64).optional(),
  generation: z.number().int().optional(),
  creationTimestamp: z.string().max(64).optional(),
  deletionTimestamp: z.string().max(64).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  finalizers: z.array(z.string()).optional(),
});

export const Deletion = z.strictObject({
  policy: z.enum(['Retain', 'Delete']).default('Retain'),
  graceDays: z.number().int().min(0).max(90).default(7),
});
export type Deletion = z.infer<typeof Deletion>;

export const statusFields = {
  observedGeneration: z.number().int().min(-1).optional(),
  conditions: z.array(Condition).max(16).optional(),
};

/** Limits as they are stated: counts as integers, memory and storage as quantities. */
export const LimitSet = z.strictObject({
  vcpu: z.number().int().min(0).max(1_000_000).optional(),
  memory: z.union([ByteQuantity, z.literal('0')]).optional(),
  storage: z.union([ByteQuantity, z.literal('0')]).optional(),
  gpus: z.number().int().min(0).max(1_000_000).optional(),
  desktops: z.number().int().min(0).max(1_000_000).optional(),
  addresses: z.number().int().min(0).max(1_000_000).optional(),
  tenants: z.number().int().min(0).max(1_000_000).optional(),
});
export type LimitSet = z.infer<typeof LimitSet>;

/** Amounts as a status shows them: text by name. */
export const AmountSet = z.partialRecord(
  z.enum(['vcpu', 'memory', 'storage', 'gpus', 'desktops', 'applications', 'databases', 'addresses', 'tenants']),
  z.string().max(40),
);
