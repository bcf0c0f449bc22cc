import { z } from 'zod';
import { Amount, DnsLabel, WholeNumber } from './common.ts';
import { keyedList, withRules } from './schema.ts';

const Tier = z.strictObject({
  from: WholeNumber.describe('The tier holds from this many units on, up to the next tier.'),
  amount: Amount.describe('Price of one unit within the tier.'),
});

export const Recurring = z.strictObject({
  amount: Amount.describe('Price of one interval, in the major unit of the currency.'),
  interval: z.enum(['Month']).describe('The UTC calendar month, prorated by the second.'),
  trialDays: z.int().min(1).max(365).optional().describe('Days from the first charge that are free.'),
});

export const Metered = withRules(
  z.strictObject({
    meter: DnsLabel.describe('Name of the meter, such as egress-mib.'),
    unit: WholeNumber.describe('How many of what the meter counts make one unit of the price.'),
    amount: Amount.optional().describe('Price of one unit, when there are no tiers.'),
    tiers: keyedList(Tier, ['from'], 16)
      .min(1)
      .optional()
      .describe('Graduated prices: each unit costs what its tier says.'),
    included: WholeNumber.optional().describe('What the meter counts that is free in each month.'),
    minimum: Amount.optional().describe('Least charge of a month.'),
  }),
  [
    {
      rule: 'has(self.amount) != has(self.tiers)',
      message: 'must have either amount or tiers',
      check: ({ amount, tiers }) => (amount === undefined) !== (tiers === undefined),
    },
    {
      rule: "!has(self.tiers) || self.tiers.exists(tier, tier.from == '0')",
      message: 'must start with a tier from "0"',
      path: ['tiers'],
      check: ({ tiers }) => tiers === undefined || tiers.some(({ from }) => from === '0'),
    },
    {
      rule: "self.unit != '0'",
      message: 'must be at least 1',
      path: ['unit'],
      check: ({ unit }) => unit !== '0',
    },
  ],
);

/** One item of a price: what is charged, for whom, and while what is the case. */
export const PriceItem = withRules(
  z.strictObject({
    name: DnsLabel.describe('Names the line of the invoice; unique in the Plan.'),
    type: z.enum(['Recurring', 'Metered']).describe('Says which of the members below holds the terms.'),
    per: z
      .enum(['Resource', 'Buyer', 'Seat'])
      .describe('Charged for each resource, once for the buyer, or for each member of the Tenant.'),
    accrues: z
      .enum(['Exists', 'Stored', 'Running'])
      .optional()
      .describe(
        'Stored: from first Ready to removal, also while stopped or suspended. Exists: the same, but not while suspended. Running: only in a power epoch.',
      ),
    recurring: Recurring.optional(),
    metered: Metered.optional(),
  }),
  [
    {
      rule: "(self.type == 'Recurring') == has(self.recurring)",
      message: 'must be stated for type Recurring and for no other',
      path: ['recurring'],
      check: ({ type, recurring }) => (type === 'Recurring') === (recurring !== undefined),
    },
    {
      rule: "(self.type == 'Metered') == has(self.metered)",
      message: 'must be stated for type Metered and for no other',
      path: ['metered'],
      check: ({ type, metered }) => (type === 'Metered') === (metered !== undefined),
    },
    {
      rule: "(self.type == 'Recurring') == has(self.accrues)",
      message: 'must be stated for type Recurring and for no other',
      path: ['accrues'],
      check: ({ type, accrues }) => (type === 'Recurring') === (accrues !== undefined),
    },
    {
      rule: "!has(self.accrues) || self.accrues != 'Running' || self.per == 'Resource'",
      message: 'must not be Running unless the item is per Resource: only a resource runs',
      path: ['accrues'],
      check: ({ accrues, per }) => accrues !== 'Running' || per === 'Resource',
    },
    {
      rule: "self.type != 'Metered' || self.per != 'Seat'",
      message: 'must not be Seat for type Metered: a seat is no meter',
      path: ['per'],
      check: ({ type, per }) => type !== 'Metered' || per !== 'Seat',
    },
  ],
);
export type PriceItem = z.infer<typeof PriceItem>;
