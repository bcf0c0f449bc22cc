import { z } from 'zod';
import { API_VERSION } from '../../model/group.ts';
import { bytes, CurrencyCode, DnsLabel, DnsSubdomain, LimitSet, statusFields } from './common.ts';
import { Metadata } from './metadata.ts';
import { PriceItem } from './price.ts';
import { immutable, keyedList, pattern, setOf, text, withRules } from './schema.ts';

export const Gpus = z.strictObject({
  count: z.int().min(1).max(16),
  deviceName: pattern(
    /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/,
    253,
    'a device as the cluster names it, such as nvidia.com/A2',
  ).describe('The device as the cluster names it, such as nvidia.com/A2.'),
});

export const DesktopTerms = z
  .strictObject({
    vcpu: z.int().min(1).max(256).optional().describe('Virtual CPUs of the guest.'),
    memory: bytes('512Mi', '64Ti', 'whole Mi, Gi or Ti from 512Mi to 64Ti, such as 8Gi')
      .optional()
      .describe('RAM of the guest.'),
    storage: bytes('1Gi', '64Ti', 'whole Mi, Gi or Ti from 1Gi to 64Ti, such as 100Gi')
      .optional()
      .describe('Size of the disk.'),
    storageClassName: DnsSubdomain.optional().describe('StorageClass of the disk; only on root Plans.'),
    images: setOf(DnsLabel, 64)
      .min(1)
      .optional()
      .describe('Images that may be chosen: DataSources in the namespace of images.'),
    gpus: Gpus.optional().describe('GPUs passed to the guest.'),
  })
  .describe('What a desktop is. Stated on root Plans; Plans based on another may narrow it.');
export type DesktopTerms = z.infer<typeof DesktopTerms>;

/** The lowest still lets people work and change the Plan. */
const Requests = z.strictObject({
  perMinute: z
    .int()
    .min(10)
    .max(100_000)
    .optional()
    .describe('In a minute; absent: as in the Plan that it is basedOn, else 1000.'),
  perHour: z
    .int()
    .min(10)
    .max(1_000_000)
    .optional()
    .describe('In an hour; absent: as in the Plan that it is basedOn, else 10000.'),
});

const Sla = z.strictObject({
  availability: pattern(
    /^(100(\.0{1,4})?|[1-9]?[0-9](\.[0-9]{1,4})?)$/,
    8,
    'per cent as text, such as "99.9", with at most 4 decimals',
  ).describe('Share of the month in per cent, as a decimal string.'),
});

export const PlanSpec = withRules(
  z.strictObject({
    title: text(120).describe('Name for people, on price lists and invoices.'),
    offers: immutable(z.enum(['Desktop', 'Tenant']), 'never changes; make a new Plan instead').describe(
      'The kind that is sold; never changes.',
    ),
    basedOn: DnsLabel.optional().describe("The Plan of the seller's own seller that this one buys in turn."),
    currency: immutable(CurrencyCode, 'never changes; make a new Plan instead').describe(
      'ISO 4217 code of all amounts; never changes.',
    ),
    price: keyedList(PriceItem, ['name'], 16)
      .optional()
      .describe('What it costs, billed in arrears per UTC month; absent: free.'),
    desktop: DesktopTerms.optional(),
    limits: LimitSet.optional().describe('What the Tenant that buys it may use; only for Plans that offer Tenant.'),
    requests: Requests.optional().describe(
      'How often each user and key of the Tenant that buys it may call the API; only for Plans that offer Tenant. Never more than its seller may. Each replica of the API counts for itself: with two, as many as twice get through.',
    ),
    sla: Sla.optional().describe('What is promised.'),
  }),
  [
    {
      rule: "self.offers == 'Desktop' || !has(self.desktop)",
      message: 'must be stated only on Plans that offer Desktop',
      path: ['desktop'],
      check: ({ offers, desktop }) => offers === 'Desktop' || desktop === undefined,
    },
    {
      rule: "self.offers == 'Tenant' || !has(self.limits)",
      message: 'must be stated only on Plans that offer Tenant',
      path: ['limits'],
      check: ({ offers, limits }) => offers === 'Tenant' || limits === undefined,
    },
    {
      rule: "self.offers == 'Tenant' || !has(self.requests)",
      message: 'must be stated only on Plans that offer Tenant',
      path: ['requests'],
      check: ({ offers, requests }) => offers === 'Tenant' || requests === undefined,
    },
    {
      rule: "self.offers != 'Desktop' || has(self.basedOn) || (has(self.desktop) && has(self.desktop.vcpu) && has(self.desktop.memory) && has(self.desktop.storage) && has(self.desktop.images))",
      message: 'must state vcpu, memory, storage and images, or the Plan must name the one that it is basedOn',
      path: ['desktop'],
      check: ({ offers, basedOn, desktop }) =>
        offers !== 'Desktop' ||
        basedOn !== undefined ||
        (desktop !== undefined &&
          [desktop.vcpu, desktop.memory, desktop.storage, desktop.images].every((term) => term !== undefined)),
    },
    {
      rule: '!has(self.basedOn) || !has(self.desktop) || !has(self.desktop.storageClassName)',
      message: 'must be stated only on root Plans, not beside basedOn',
      path: ['desktop', 'storageClassName'],
      check: ({ basedOn, desktop }) => basedOn === undefined || desktop?.storageClassName === undefined,
    },
    {
      rule: "self.offers == 'Tenant' || !has(self.price) || self.price.all(item, item.per != 'Seat')",
      message: 'must be per Seat only on Plans that offer Tenant: a seat is a member of a Tenant',
      path: ['price'],
      check: ({ offers, price }) =>
        offers === 'Tenant' || price === undefined || price.every(({ per }) => per !== 'Seat'),
    },
    {
      rule: "self.offers != 'Tenant' || !has(self.price) || self.price.all(item, !has(item.accrues) || item.accrues != 'Running')",
      message: 'must not accrue Running on Plans that offer Tenant: a Tenant does not run',
      path: ['price'],
      check: ({ offers, price }) =>
        offers !== 'Tenant' || price === undefined || price.every(({ accrues }) => accrues !== 'Running'),
    },
  ],
);
export type PlanSpec = z.infer<typeof PlanSpec>;

export const PlanStatus = z.strictObject({
  ...statusFields,
  revision: z
    .string()
    .max(64)
    .regex(/^[0-9a-f]+$/)
    .optional()
    .describe('Hash of the canonical spec without defaults.'),
});

/** Plans are named in fields and file names, so they are DNS labels. */
const planNameRule = {
  rule: "self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')",
  message: 'must have at most 63 characters and no dot',
  path: ['metadata', 'name'],
  check: ({ metadata: { name } }: { readonly metadata: { readonly name: string } }) =>
    name.length <= 63 && !name.includes('.'),
};

export const Plan = withRules(
  z.strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('Plan'),
    metadata: Metadata,
    spec: PlanSpec,
    status: PlanStatus.optional(),
  }),
  [planNameRule],
).describe('An entry of the price list of the seller in whose namespace it lives.');
export type Plan = z.infer<typeof Plan>;
