import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { RDPINSTANCES } from '../crds/v1alpha1/resources.ts';
import { Member } from '../crds/v1alpha1/tenant.ts';
import { qualifiedName } from '../kube/object.ts';
import { computeTenantId } from '../model/identity.ts';
import type { DesktopInput } from '../operator/desired/rdpinstance/build.ts';
import { buildRole, buildRoleBinding } from '../operator/desired/rdpinstance/role.ts';
import type { TenantInput } from '../operator/desired/tenant/build.ts';
import { buildMemberBindings, buildSellerAccess } from '../operator/desired/tenant/roles.ts';
import type { OwnCluster } from '../test/cluster/cluster.ts';
import { describeWithOwnCluster } from '../test/support/cluster.ts';
import { authorize, type Membership, type Question } from './authorize.ts';
import { describeRoutes } from './openapi/document.ts';
import { parsePlace } from './place.ts';

const ROLES = Member.shape.role.options;
const PATHS = ['acme', 'acme--bob', 'acme--eve', 'acme--bob--kim'];
const MEMBERS = path.join(import.meta.dirname, '..', 'deploy', 'prerequisites', 'members.yaml');
const SAR = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

/** Each path has one user a role and, in a group, another. */
const membersOf = (tenant: string): TenantInput['members'] =>
  ROLES.flatMap((role) => [
    { kind: 'User', name: `oidc:${tenant}.${role}`, role },
    { kind: 'Group', name: `oidc:group.${tenant}.${role}`, role },
  ]);

function inputOf(tenantPath: string): TenantInput {
  const { namespace, tenant } = parsePlace(tenantPath, 'sublet-root');
  const id = computeTenantId('root', tenantPath);
  return {
    name: tenant?.name ?? '',
    uid: '00000000-0000-0000-0000-000000000000',
    sellerNamespace: tenant?.namespace ?? '',
    namespace,
    path: tenantPath,
    tenantId: id,
    parentId: 'root',
    type: 'Reseller',
    members: membersOf(tenantPath),
    source: undefined,
  };
}

describeWithOwnCluster('rights of a member', {}, (cluster) => {
  beforeAll(() => install(cluster()));

  it('are through the API what the API server says of the same user and groups, on every route', async () => {
    // The API server learns of bindings, Roles and ClusterRoles by a watch each; the last ones come last.
    const namespace = 't-acme--bob--kim';
    const ofRole = { verb: 'get', resource: 'secrets', namespace, name: 'rdp-x' } as const;
    const ofClusterRole = { verb: 'list', resource: 'rdpinstances', namespace } as const;
    const hears = (question: Question, role: string) =>
      expect.poll(() => review(cluster(), question, `oidc:${namespace.slice(2)}.${role}`, []));
    await hears(ofRole, 'Owner').toBe(true);
    await hears(ofClusterRole, 'Billing').toBe(true);
    const questions = describeRoutes().flatMap(({ access }) =>
      typeof access === 'function'
        ? PATHS.flatMap(
            (tenantPath) =>
              access(parsePlace(tenantPath, 'sublet-root'), { name: 'x', kind: 'User', member: 'x', id: 'x' }) ?? [],
          )
        : [],
    );
    const distinct = [...new Map(questions.map((question) => [JSON.stringify(question), question])).values()];
    expect(distinct.length).toBeGreaterThan(60);
    const differing: string[] = [];
    for (const question of distinct) {
      const asked = PATHS.flatMap((tenantPath) => ROLES.map((role) => ({ tenantPath, role })));
      await Promise.all(
        asked.map(async ({ tenantPath, role }) => {
          const ours = authorize({}, [membershipOf(tenantPath, role)], question);
          const byName = await review(cluster(), question, `oidc:${tenantPath}.${role}`, []);
          const byGroup = await review(cluster(), question, 'oidc:somebody', [`oidc:group.${tenantPath}.${role}`]);
          if (ours !== byName || ours !== byGroup) {
            differing.push(
              `${role} of ${tenantPath}: ${JSON.stringify(question)}: ours ${ours}, by name ${byName}, by group ${byGroup}`,
            );
          }
        }),
      );
    }
    expect(differing).toEqual([]);
  });
});

async function install(cluster: OwnCluster): Promise<void> {
  await cluster.installManifests(MEMBERS);
  for (const name of ['sublet-root', ...PATHS.map((tenantPath) => inputOf(tenantPath).namespace)]) {
    await cluster.admin.ask('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  for (const input of PATHS.map(inputOf)) {
    const { namespace, tenantId, members } = input;
    const readers = members.filter(({ role }) => ['Owner', 'Admin', 'Developer'].includes(role));
    const desk = { namespace, name: 'x', tenantId, readers } as unknown as DesktopInput;
    const made = [
      ...buildMemberBindings(input, {}),
      ...buildSellerAccess(input, {}),
      buildRole(desk),
      ...buildRoleBinding(desk, { systemNamespace: 'sublet-system', vcpusPerCpu: 4 }),
    ];
    for (const object of made) {
      const { ownerReferences: _, ...metadata } = object.metadata;
      const plural = object.kind === 'Role' ? 'roles' : 'rolebindings';
      await cluster.admin.ask('POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/${metadata.namespace}/${plural}`, {
        ...object,
        metadata,
      });
    }
  }
}

function membershipOf(tenantPath: string, role: Membership['role']): Membership {
  const { name, namespace, sellerNamespace } = inputOf(tenantPath);
  return { role, namespace, tenant: { path: tenantPath, name, sellerNamespace } };
}

const OF_KUBERNETES = { events: 'events.k8s.io', secrets: '' } as const;

async function review(
  cluster: OwnCluster,
  question: Question,
  user: string,
  groups: readonly string[],
): Promise<boolean> {
  const { verb, resource, namespace, name } = question;
  const own = qualifiedName(RDPINSTANCES).split('.').slice(1).join('.');
  const group = resource === 'events' || resource === 'secrets' ? OF_KUBERNETES[resource] : own;
  const attributes = { verb, resource, group, namespace, ...(name === undefined ? {} : { name }) };
  const spec = { user, groups: [...groups, 'system:authenticated'], resourceAttributes: attributes };
  const answer = await cluster.admin.ask('POST', SAR, {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec,
  });
  return (answer as { readonly status: { readonly allowed: boolean } }).status.allowed;
}
