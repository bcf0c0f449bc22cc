import { z } from 'zod';
import { API_VERSION } from '../../model/group.ts';
import { Deletion, DnsLabel, Metadata, statusFields, TenantPath } from './common.ts';

export const Member = z.strictObject({
  kind: z.enum(['User', 'Group']),
  name: z.string().min(1).max(256),
  role: z.enum(['Owner', 'Admin', 'Developer', 'Viewer', 'Billing']),
});

export const SuspensionReason = z.enum(['Payment', 'Abuse', 'Request', 'Maintenance', 'Other']);

export const Tenant = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('Tenant'),
  metadata: Metadata,
  spec: z.strictObject({
    id: z.string().min(1).max(40).regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/),
    displayName: z.string().min(1).max(120).optional(),
    plan: DnsLabel,
    type: z.enum(['Customer', 'Reseller']).default('Customer'),
    members: z.array(Member).max(200).optional(),
    source: z.strictObject({ type: z.enum(['Fleet']) }).optional(),
    suspensions: z.array(z.strictObject({ reason: SuspensionReason })).max(8).optional(),
    holds: z.array(z.strictObject({ tenant: TenantPath, reason: SuspensionReason })).max(200).optional(),
    deletion: Deletion.default({ policy: 'Retain', graceDays: 7 }),
  }),
  status: z
    .strictObject({ ...statusFields, namespace: z.string().max(63).optional(), path: z.string().max(1024).optional() })
    .optional(),
});
export type Tenant = z.infer<typeof Tenant>;
