import { z } from 'zod';
import { API_VERSION } from '../../model/group.ts';
import { AmountSet, LimitSet, statusFields } from './common.ts';
import { Metadata } from './metadata.ts';
import { withRules } from './schema.ts';
import { tenantNameRule } from './tenant.ts';

export const QuotaSpec = z.strictObject({
  hard: LimitSet.describe(
    "Limits on top of the Plan's: the lower of the two holds, name by name. What neither states is 0 below a limited seller, else unlimited.",
  ),
});
export type QuotaSpec = z.infer<typeof QuotaSpec>;

export const QuotaStatus = z.strictObject({
  ...statusFields,
  hard: AmountSet.optional().describe('The limits in force; an absent name is unlimited.'),
  used: AmountSet.optional().describe('What the Tenant itself uses.'),
  allotted: AmountSet.optional().describe('What the Tenant passed on to its own Tenants.'),
});

export const Quota = withRules(
  z.strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('Quota'),
    metadata: Metadata,
    spec: QuotaSpec,
    status: QuotaStatus.optional(),
  }),
  [tenantNameRule],
).describe("A limit on the seller's Tenant of the same name.");
export type Quota = z.infer<typeof Quota>;
