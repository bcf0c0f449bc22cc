import { z } from 'zod';
import { parseQuantity } from '../../kube/quantity.ts';
import { LIMIT_NAMES, type LimitName } from '../../model/limits.ts';
import { Condition } from './conditions.ts';
import { EDITOR_PATTERN, keyedList, pattern, withRules } from './schema.ts';

/** A name as the API server takes it for most kinds: RFC 1123 label. */
export const DnsLabel = pattern(
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  63,
  'a name of lower-case letters, digits and hyphens between them',
);

/** RFC 1123 subdomain: what Kubernetes lets most objects be named. */
export const DnsSubdomain = pattern(
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  253,
  'a name of lower-case letters, digits, hyphens and dots between them',
);

/** Longest name of a tenant. Long enough for people, short enough that three levels fit a namespace unhashed. */
export const MAX_TENANT_NAME = 40;

/** Lower-case letters, digits and single hyphens, so that `--` separates the names of a path. */
export const TENANT_NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** A path relative to a Tenant: `eve` or `bob--eve`. */
export const TenantPath = pattern(
  /^[a-z0-9]+(--?[a-z0-9]+)*$/,
  512,
  'a path below the Tenant, such as eve or bob--eve',
);

/** RFC 3339 with a date that the calendar has, of any offset, at most nanoseconds. */
export const DateTime = pattern(buildDateTimePattern(), 40, 'a time such as 2026-11-21T09:00:00Z');

/** A decimal amount in the currency's major unit: at most 12 digits before and 12 after the point. */
export const Amount = pattern(
  /^(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?$/,
  25,
  'an amount as text, such as "28.00", with at most 12 digits before and 12 after the point',
);

/** A whole number as text, for counts of what is metered. */
export const WholeNumber = pattern(/^(0|[1-9][0-9]{0,17})$/, 18, 'a whole number as text, such as "1024"');

export const CurrencyCode = pattern(/^[A-Z]{3}$/, 3, 'three upper-case letters, such as USD');

/** A round number that JSON, CEL and JavaScript all hold exactly. */
const MAX_INTEGER = 9_000_000_000_000_000;
const MEBIBYTE = 2 ** 20;
const BYTE_QUANTITY = /^(0|[1-9][0-9]{0,8}(Mi|Gi|Ti))$/;

/**
 * Bytes in whole MiB between two bounds, as a quantity in Mi, Gi or Ti or as a number of bytes. CEL compares quantities and does not turn
 * them into integers, because its `asInteger` fails on some from 100Ti on.
 */
export function bytes(min: string, max: string, message: string) {
  const quantity = z.union([z.int().min(0).max(MAX_INTEGER), z.string().max(20)]);
  const compare = (bound: string, operator: string) =>
    `quantity(string(self)).compareTo(quantity('${bound}')) ${operator} 0`;
  const isWhole = `(type(self) == int ? self % ${MEBIBYTE} == 0 : self.matches('${BYTE_QUANTITY.source}'))`;
  const rules = [
    {
      rule: [isWhole, compare(min, '>='), compare(max, '<=')].join(' && '),
      message: `must be ${message}`,
      check: (value: string | number) => {
        if (typeof value === 'number' ? value % MEBIBYTE !== 0 : !BYTE_QUANTITY.test(value)) return false;
        const amount = parseQuantity(value);
        return amount >= parseQuantity(min) && amount <= parseQuantity(max);
      },
    },
  ];
  return withRules(quantity, rules).meta({ [EDITOR_PATTERN]: BYTE_QUANTITY.source });
}

const count = (max: number) => z.int().min(0).max(max);
const MAX_COUNT = 1_000_000;

/** Limits as they are stated: counts as integers, memory and storage as quantities. */
export const LimitSet = z.strictObject({
  vcpu: count(MAX_COUNT).optional().describe('Virtual CPUs of all desktops, in any power state.'),
  memory: bytes('0', '1Ei', 'whole Mi, Gi or Ti, such as 64Gi, up to 1048576Ti')
    .optional()
    .describe('RAM of all desktops.'),
  storage: bytes('0', '1Ei', 'whole Mi, Gi or Ti, such as 500Gi, up to 1048576Ti')
    .optional()
    .describe('Disks of all desktops.'),
  gpus: count(MAX_COUNT).optional().describe('GPUs of all desktops.'),
  desktops: count(MAX_COUNT).optional().describe('RDPInstances.'),
  addresses: count(MAX_COUNT).optional().describe('Addresses of load balancers.'),
  tenants: count(MAX_COUNT).optional().describe('Tenants sold below.'),
} satisfies Record<LimitName, z.ZodType>);
export type LimitSet = z.infer<typeof LimitSet>;

const AmountText = z
  .string()
  .max(40)
  .regex(/^[0-9]+(Ki|Mi|Gi|Ti|Pi|Ei)?$/)
  .optional();

/** Amounts as a status shows them: text by name, bytes with a binary suffix. */
export const AmountSet = z.strictObject(
  Object.fromEntries(LIMIT_NAMES.map((name) => [name, AmountText])) as Record<LimitName, typeof AmountText>,
);
export type AmountSet = z.infer<typeof AmountSet>;

export const Deletion = z
  .strictObject({
    policy: z
      .enum(['Retain', 'Delete'])
      .default('Retain')
      .describe('Retain keeps what was removed for `graceDays`; Delete removes it at once.'),
    graceDays: z
      .int()
      .min(0)
      .max(90)
      .default(7)
      .describe('Days after removal in which the same identity gets its data back. Free of charge.'),
  })
  .describe('What happens to data after removal.');
export type Deletion = z.infer<typeof Deletion>;

/** Members that every status has. */
export const statusFields = {
  observedGeneration: z.int().min(-1).max(MAX_INTEGER).optional().describe('The generation that this status is about.'),
  conditions: keyedList(Condition, ['type'], 16).optional().describe('Ready, and what keeps it from being so.'),
};

/** Months have their days, and 29 February its years. */
function buildDateTimePattern(): RegExp {
  const common = [
    '(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])',
    '(0[469]|11)-(0[1-9]|[12][0-9]|30)',
    '02-(0[1-9]|1[0-9]|2[0-8])',
  ].join('|');
  const leapYear = '([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)';
  const time = '([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])';
  return new RegExp(`^([0-9]{4}-(${common})|${leapYear}-02-29)T${time}$`);
}
