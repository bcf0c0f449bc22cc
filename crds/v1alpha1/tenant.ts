import { z } from 'zod';
import { API_VERSION } from '../../model/group.ts';
import { ROOT_TENANT_ID } from '../../model/names.ts';
import { GIT_SECRET_TYPE, GIT_URL } from '../../model/repository.ts';
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

const Branch = withRules(
  pattern(
    /^[A-Za-z0-9_][A-Za-z0-9._+#@=/-]*$/,
    200,
    'a branch of letters, digits and . _ + # @ = / - that begins with a letter, a digit or _',
  ),
  [
    {
      rule: "!self.contains('..') && !self.contains('//') && !self.contains('/.') && !self.endsWith('/') && !self.endsWith('.') && !self.contains('.lock/') && !self.endsWith('.lock')",
      message:
        'must be a branch that git takes: no .. or //, no part that begins with a dot or ends in .lock, no / or . at the end',
      check: (branch) =>
        !['..', '//', '/.', '.lock/'].some((part) => branch.includes(part)) && !/([/.]|\.lock)$/.test(branch),
    },
  ],
);

const SecretRef = z.strictObject({
  name: pattern(
    /^git([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)+$/,
    253,
    'git.<host>, as the Secret for a host is named',
  ).describe('git.<host of url>, or git.<host>.<port> where the URL states a port.'),
});

export const Repository = withRules(
  z.strictObject({
    url: pattern(
      GIT_URL,
      400,
      'https://<host>/<path> or ssh://<user>@<host>/<path>, the host in lower case, without password, query or fragment',
    ).describe('Where Flux fetches it: https:// or ssh://, on the internet.'),
    branch: Branch.default('main').describe('The branch that is applied.'),
    path: pattern(
      /^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/,
      255,
      'a folder of the repository such as fleet/acme, no part of which begins with a dot or a hyphen',
    )
      .optional()
      .describe('The folder that holds the resources; absent: all of the repository.'),
    secretRef: SecretRef.optional().describe(
      `Secret in the tenant's namespace, of type ${GIT_SECRET_TYPE}, with the keys that Flux reads; absent: the repository is public.`,
    ),
  }),
  [
    {
      rule: "has(self.secretRef) || !self.url.startsWith('ssh://')",
      message: 'is required where url begins with ssh://: the Secret holds the key',
      path: ['secretRef'],
      check: ({ url, secretRef }) => secretRef !== undefined || !url.startsWith('ssh://'),
    },
    {
      rule: "!has(self.secretRef) || (self.secretRef.name.startsWith('git.') && (self.url.replace(':', '.').startsWith('https.//' + self.secretRef.name.substring(4) + '/') || self.url.replace(':', '.').contains('@' + self.secretRef.name.substring(4) + '/')))",
      message:
        'must be git.<host of url>, or git.<host>.<port> where the URL states a port: a Secret is sent to no other host',
      path: ['secretRef', 'name'],
      check: ({ url, secretRef }) => secretRef === undefined || isSecretOf(secretRef.name, url),
    },
  ],
);
export type Repository = z.infer<typeof Repository>;

/** As the rule says it in CEL, also of a URL that is of no form. */
function isSecretOf(name: string, url: string): boolean {
  if (!name.startsWith('git.')) return false;
  const [flat, host] = [url.replaceAll(':', '.'), name.slice('git.'.length)];
  return flat.startsWith(`https.//${host}/`) || flat.includes(`@${host}/`);
}

const Source = withRules(
  z.strictObject({
    type: z
      .enum(['Fleet', 'Repository'])
      .describe(
        "Fleet: the tenant's resources are a folder of the fleet repository. Repository: they are in one of its own.",
      ),
    repository: Repository.optional().describe("The tenant's own repository."),
  }),
  [
    {
      rule: "self.type != 'Repository' || has(self.repository)",
      message: 'is required where type is Repository',
      path: ['repository'],
      check: ({ type, repository }) => type !== 'Repository' || repository !== undefined,
    },
    {
      rule: "self.type == 'Repository' || !has(self.repository)",
      message: 'must be stated only where type is Repository',
      path: ['repository'],
      check: ({ type, repository }) => type === 'Repository' || repository === undefined,
    },
  ],
);

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
