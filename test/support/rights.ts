import type { AuditEvent } from '../cluster/audit.ts';
import type { Rest } from '../cluster/rest.ts';

/** One thing that a ServiceAccount may do, as `verb resource.group`, such as `patch tenants.sublet.dev/status`. */
export type Right = string;

type Rule = {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
};
type Role = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly Rule[];
};
type Binding = {
  readonly metadata: { readonly namespace?: string };
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[];
};

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** Whether the API server lets a user do something; it learns of roles and bindings by watches, so new ones take a moment. */
export async function isAllowed(
  admin: Rest,
  user: string,
  resourceAttributes: Readonly<Record<'verb' | 'resource', string>> & {
    readonly group?: string;
    readonly namespace?: string;
  },
): Promise<boolean> {
  const answer = await admin.ask('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, resourceAttributes },
  });
  return (answer as { readonly status: { readonly allowed: boolean } }).status.allowed;
}

/** What RBAC grants a ServiceAccount by bindings that name it, wherever they are. */
export async function grantedRights(admin: Rest, namespace: string, name: string): Promise<ReadonlySet<Right>> {
  const list = async <T>(plural: string) =>
    ((await admin.ask('GET', `${RBAC}/${plural}`)) as { readonly items: readonly T[] }).items;
  const bindings = [...(await list<Binding>('clusterrolebindings')), ...(await list<Binding>('rolebindings'))];
  const clusterRoles = await list<Role>('clusterroles');
  const roles = await list<Role>('roles');
  const mine = bindings.filter(({ subjects = [] }) =>
    subjects.some(
      (subject) => subject.kind === 'ServiceAccount' && subject.name === name && subject.namespace === namespace,
    ),
  );
  const granted = mine.flatMap(({ roleRef, metadata }) =>
    roleRef.kind === 'ClusterRole'
      ? clusterRoles.filter((role) => role.metadata.name === roleRef.name)
      : roles.filter((role) => role.metadata.name === roleRef.name && role.metadata.namespace === metadata.namespace),
  );
  return new Set(granted.flatMap((role) => (role.rules ?? []).flatMap(expandRule)));
}

/** What a user really did, and was allowed to do. */
export function usedRights(events: readonly AuditEvent[], username: string): ReadonlySet<Right> {
  return new Set(rightsOf(events.filter((event) => isBy(event, username) && event.responseStatus?.code !== 403)));
}

/** What a user tried and was refused, each once: nothing in a full run of a part whose roles are complete. */
export function refusedRights(events: readonly AuditEvent[], username: string): readonly Right[] {
  return [
    ...new Set(rightsOf(events.filter((event) => isBy(event, username) && event.responseStatus?.code === 403))),
  ].sort();
}

/** What a user may do and never did, sorted: candidates for removal from its roles after a full run. */
export function unusedRights(granted: ReadonlySet<Right>, used: ReadonlySet<Right>): readonly Right[] {
  return [...granted].filter((right) => !used.has(right)).sort();
}

function isBy(event: AuditEvent, username: string): boolean {
  return event.user.username === username;
}

function rightsOf(events: readonly AuditEvent[]): readonly Right[] {
  return events.flatMap(({ verb, objectRef }) =>
    objectRef === undefined
      ? []
      : [renderRight(verb, objectRef.apiGroup ?? '', objectRef.resource, objectRef.subresource)],
  );
}

function expandRule(rule: Rule): readonly Right[] {
  return rule.verbs.flatMap((verb) =>
    (rule.apiGroups ?? []).flatMap((group) =>
      (rule.resources ?? []).map((resource) => {
        const [plural = '', subresource] = resource.split('/');
        return renderRight(verb, group, plural, subresource);
      }),
    ),
  );
}

function renderRight(verb: string, group: string, resource: string, subresource: string | undefined): Right {
  const qualified = group === '' ? resource : `${resource}.${group}`;
  return `${verb} ${qualified}${subresource === undefined ? '' : `/${subresource}`}`;
}
