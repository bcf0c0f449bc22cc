import { z } from 'zod';
import { API_VERSION } from '../../model/group.ts';
import { ROOT_TENANT_ID } from '../../model/names.ts';
import { Deletion, DnsLabel, MAX_TENANT_NAME, statusFields, TENANT_NAME, TenantPath } from './common.ts';
import { Metadata } from './metadata.ts';
import { immutable, keyedList, pattern, text, withRules } from './schema.ts';

export const Member = z.strictObject({
  kind: z.enum(['User', 'Group']).describe('Whether `name` is a user or a group.'),
  name: withRules(text(253), [
    {
      rule: "!self.startsWith('system:')",
      message: "must not start with system:, which names the cluster's own users and groups",
      check: (name) => !name.startsWith('system:'),
    },
  ]).describe('The user or group exactly as the API server names it, such as oidc:anna.'),
  role: z
    .enum(['Owner', 'Admin', 'Developer', 'Viewer', 'Billing'])
    .describe("What the member may do in the tenant's namespace."),
});
export type Member = z.infer<typeof Member>;

export const SuspensionReason = z
  .enum(['Payment', 'Abuse', 'Request', 'Maintenance', 'Other'])
  .describe('Why. One entry a reason, so that each can be lifted by itself.');
export type SuspensionReason = z.infer<typeof SuspensionReason>;

const Suspension = z.strictObject({ reason: SuspensionReason });

const Hold = z.strictObject({
  tenant: TenantPath.describe('Path of the descendant, relative to this Tenant: eve, or bob--eve.'),
  reason: SuspensionReason,
});

const Source = z.strictObject({
  type: z.enum(['Fleet']).describe("Fleet: the tenant's resources are a folder of the fleet repository."),
});

export const TenantSpec = z.strictObject({
  id: immutable(
    withRules(
      pattern(
        /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
        40,
        'lower-case letters, digits and hyphens between them, such as bob-7f3k9',
      ),
      [
        {
          rule: `self != '${ROOT_TENANT_ID}'`,
          message: `must not be ${ROOT_TENANT_ID}, which is the provider's`,
          check: (id) => id !== ROOT_TENANT_ID,
        },
      ],
    ),
    'is the identity of the Tenant and never changes; make a new Tenant instead',
  ).describe('Identity, unique below the seller; never changes. The same id coming back takes its data back.'),
  displayName: text(120).optional().describe('Name for people.'),
  plan: DnsLabel.describe("A Plan of the seller that offers Tenant, in this Tenant's namespace."),
  type: z
    .enum(['Customer', 'Reseller'])
    .default('Customer')
    .describe('A Reseller may own Plans, Quotas and Tenants in its namespace.'),
  members: keyedList(Member, ['kind', 'name'], 200).optional().describe('Who may use the namespace, and how.'),
  source: Source.optional().describe("Where the tenant's resources come from; absent: only from kubectl."),
  suspensions: keyedList(Suspension, ['reason'], 8)
    .optional()
    .describe('Any entry stops everything of this Tenant and below it.'),
  holds: keyedList(Hold, ['tenant', 'reason'], 200)
    .optional()
    .describe('Suspends descendants, whatever is in between.'),
  deletion: Deletion.prefault({}),
});
export type TenantSpec = z.infer<typeof TenantSpec>;

export const TenantStatus = z.strictObject({
  ...statusFields,
  namespace: DnsLabel.optional().describe("The tenant's namespace."),
  path: z
    .string()
    .max(1024)
    .regex(/^[a-z0-9]+(--?[a-z0-9]+)*$/)
    .optional()
    .describe('Names from the top seller down, joined by --.'),
});

/** The rule on names that Tenants share with the Quotas that limit them. */
export const tenantNameRule = {
  rule: `self.metadata.name.size() <= ${MAX_TENANT_NAME} && self.metadata.name.matches('${TENANT_NAME.source}')`,
  message: `must have at most ${MAX_TENANT_NAME} characters: lower-case letters, digits and single hyphens between them`,
  path: ['metadata', 'name'],
  check: ({ metadata: { name } }: { readonly metadata: { readonly name: string } }) =>
    name.length <= MAX_TENANT_NAME && TENANT_NAME.test(name),
};

export const Tenant = withRules(
  z.strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('Tenant'),
    metadata: Metadata,
    spec: TenantSpec,
    status: TenantStatus.optional(),
  }),
  [tenantNameRule],
).describe("A customer or a reseller. It lives in its seller's namespace: residence is parentage.");
export type Tenant = z.infer<typeof Tenant>;
