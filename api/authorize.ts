import type { Member } from '../crds/v1alpha1/tenant.ts';

export type Role = Member['role'];

/** The verbs and resources of Kubernetes, in which every route says what it needs. */
export type Verb = 'get' | 'list' | 'create' | 'patch' | 'delete';
export type Plural = 'tenants' | 'plans' | 'quotas' | 'rdpinstances' | 'events' | 'secrets';
export type Question = {
  readonly verb: Verb;
  readonly resource: Plural;
  readonly namespace: string;
  readonly name?: string | undefined;
};

/** Who asks: the user and groups as the API server names them. */
export type Principal = {
  readonly username: string;
  readonly groups: readonly string[];
  /** The asker is an API key of that user: it does what its maker may do in this subtree (`undefined`: everywhere) and what this role may. */
  readonly key?: { readonly id: string; readonly scope: string | undefined; readonly role: Role } | undefined;
};

/** Who asks, as people are told: a user, and its key where one acts in its name. */
export function renderAsker(username: string, keyId: string | undefined): string {
  return keyId === undefined ? username : `${username.slice(0, MOST_NAME)} (key ${keyId})`;
}

/** Who asks now, as people are told. */
export function renderPrincipal({ username, key }: Principal): string {
  return renderAsker(username, key?.id);
}

/** With the key it fits wherever a user name does. */
const MOST_NAME = 480;

/** That the asker is a member of a tenant, or of the provider's staff. */
export type Membership = {
  readonly role: Role;
  /** The tenant's own namespace. */
  readonly namespace: string;
  /** Absent for the provider. */
  readonly tenant?: { readonly path: string; readonly name: string; readonly sellerNamespace: string } | undefined;
};

/**
 * Whether the asker, who has these memberships, may do this: exactly what the API server would say to the same user (`deploy/prerequisites/members.yaml`
 * and the bindings that the operator makes). The only place where rights are decided.
 */
export function authorize(
  { key }: Pick<Principal, 'key'>,
  memberships: readonly Membership[],
  question: Question,
): boolean {
  return memberships.some((membership) => {
    if (key === undefined) return grants(membership, membership.role, question);
    if (!isWithin(membership.tenant?.path, key.scope)) return false;
    return grants(membership, membership.role, question) && grants(membership, key.role, question);
  });
}

/** Whether whoever has `roles` may do all that `wanted` may, so that he can pass it on. */
export function covers(roles: readonly Role[], wanted: Role): boolean {
  return RESOURCES.every((resource) =>
    verbsOf(wanted, resource).every((verb) => roles.some((role) => verbsOf(role, resource).includes(verb))),
  );
}

/** Whether a tenant's path is `scope` or below it. `undefined` is the provider, above all. */
export function isWithin(path: string | undefined, scope: string | undefined): boolean {
  if (scope === undefined) return true;
  return path !== undefined && (path === scope || path.startsWith(`${scope}--`));
}

function grants({ namespace, tenant }: Membership, role: Role, question: Question): boolean {
  const { verb, resource, name } = question;
  if (question.namespace === namespace) {
    if (resource !== 'secrets') return verbsOf(role, resource).includes(verb);
    return verb === 'get' && name?.startsWith(DESKTOP_SECRET) === true && SECRET_READERS.has(role);
  }
  if (tenant === undefined || question.namespace !== tenant.sellerNamespace) return false;
  if (resource === 'plans') return READ.includes(verb);
  return (resource === 'tenants' || resource === 'quotas') && verb === 'get' && name === tenant.name;
}

function verbsOf(role: Role, resource: Plural): readonly Verb[] {
  if (resource === 'secrets') return SECRET_READERS.has(role) ? ['get'] : [];
  if (resource === 'events') return READ;
  return WRITES[role].has(resource) ? WRITE : READ;
}

const READ: readonly Verb[] = ['get', 'list'];
const WRITE: readonly Verb[] = ['get', 'list', 'create', 'patch', 'delete'];
const RESOURCES = [
  'tenants',
  'plans',
  'quotas',
  'rdpinstances',
  'events',
  'secrets',
] as const satisfies readonly Plural[];

/** What a role writes in its tenant's namespace; it reads all of Sublet's kinds. */
const WRITES = {
  Owner: new Set(['rdpinstances', 'tenants', 'quotas', 'plans']),
  Admin: new Set(['rdpinstances', 'tenants', 'quotas']),
  Developer: new Set(['rdpinstances']),
  Billing: new Set(['plans']),
  Viewer: new Set(),
} as const satisfies Record<Role, ReadonlySet<string>> as Readonly<Record<Role, ReadonlySet<string>>>;

/** Roles that read the one Secret of a desktop, which is named after it. */
const SECRET_READERS: ReadonlySet<Role> = new Set(['Owner', 'Admin', 'Developer']);
const DESKTOP_SECRET = 'rdp-';
