import { z } from 'zod';
import { API_VERSION } from '../../model/group.ts';
import { Amount, ByteQuantity, Count, CurrencyCode, DnsLabel, LimitSet, Metadata, statusFields } from './common.ts';

const Tier = z.strictObject({ upTo: Count.optional(), amount: Amount });

export const PriceItem = z.strictObject({
  name: DnsLabel,
  type: z.enum(['Recurring', 'Metered']),
  per: z.enum(['Resource', 'Buyer', 'Seat']),
  accrues: z.enum(['Exists', 'Stored', 'Running']).optional(),
  recurring: z.strictObject({ amount: Amount, interval: z.enum(['Month']), minimum: Amount.optional(), trialDays: z.number().int().min(0).max(365).optional() }).optional(),
  metered: z
    .strictObject({
      meter: DnsLabel,
      unit: Count,
      amount: Amount.optional(),
      included: Count.optional(),
      minimum: Amount.optional(),
      tiers: z.array(Tier).min(1).max(16).optional(),
    })
    .optional(),
});
export type PriceItem = z.infer<typeof PriceItem>;

export const DesktopTerms = z.strictObject({
  vcpu: z.number().int().min(1).max(256).optional(),
  memory: ByteQuantity.optional(),
  storage: ByteQuantity.optional(),
  storageClassName: z.string().min(1).max(253).optional(),
  images: z.array(DnsLabel).min(1).max(64).optional(),
  gpus: z.strictObject({ count: z.number().int().min(1).max(16), deviceName: z.string().min(3).max(253) }).optional(),
});

export const Plan = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('Plan'),
  metadata: Metadata,
  spec: z.strictObject({
    title: z.string().min(1).max(120),
    offers: z.enum(['Desktop', 'Tenant']),
    basedOn: DnsLabel.optional(),
    currency: CurrencyCode,
    price: z.array(PriceItem).max(16).optional(),
    desktop: DesktopTerms.optional(),
    limits: LimitSet.optional(),
    sla: z.strictObject({ availability: z.string().max(10).regex(/^(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)$/) }).optional(),
  }),
  status: z.strictObject({ ...statusFields, revision: z.string().max(64).optional() }).optional(),
});
export type Plan = z.infer<typeof Plan>;
