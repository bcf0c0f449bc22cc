import { TENANT_REPOSITORY_NAME } from '../../../model/repository.ts';
import type { Manifest } from '../manifest.ts';
import type { RepositoryInput, TenantInput, TenantSettings } from './build.ts';
import { buildFluxAccess, buildKustomization } from './flux.ts';
import { buildSubject } from './roles.ts';

type Labels = Readonly<Record<string, string>>;

/** Longest fetch, and longest apply: one tenant's repository must not keep a worker of Flux's from the others. */
const FETCH_TIMEOUT = '60s';
const APPLY_TIMEOUT = '2m';

/** Who may put the repository's credentials in place. */
const KEEPERS: ReadonlySet<string> = new Set(['Owner', 'Admin']);

const RBAC = 'rbac.authorization.k8s.io';

/** With what rights Flux applies the tenant's own repository, and who may write the Secret that it is fetched with. */
export function buildRepositoryAccess(
  input: TenantInput,
  { secretName }: RepositoryInput,
  settings: TenantSettings,
  labels: Labels,
): readonly Manifest[] {
  const account = { name: TENANT_REPOSITORY_NAME, namespace: input.namespace };
  return [
    ...buildFluxAccess(input, account, labels),
    ...buildApiAccess(input, secretName, settings, labels),
    ...(secretName === undefined ? [] : buildSecretAccess(input, secretName, labels)),
  ];
}

/** Who commits what is ordered through the API, with the repository's own credentials, and asks Flux to look. */
const API_ACCOUNT = 'sublet-api';

function buildApiAccess(
  input: TenantInput,
  secretName: string | undefined,
  { systemNamespace }: TenantSettings,
  labels: Labels,
): readonly Manifest[] {
  const name = `${TENANT_REPOSITORY_NAME}-api`;
  const rules = [
    {
      apiGroups: ['source.toolkit.fluxcd.io'],
      resources: ['gitrepositories'],
      resourceNames: [TENANT_REPOSITORY_NAME],
      verbs: ['patch'],
    },
    ...(secretName === undefined
      ? []
      : [{ apiGroups: [''], resources: ['secrets'], resourceNames: [secretName], verbs: ['get'] }]),
  ];
  const subjects = [{ kind: 'ServiceAccount', name: API_ACCOUNT, namespace: systemNamespace }];
  return buildGrant({ name, namespace: input.namespace, labels }, rules, subjects);
}

function buildGrant(
  metadata: { readonly name: string; readonly namespace: string; readonly labels: Labels },
  rules: readonly object[],
  subjects: readonly object[],
): readonly Manifest[] {
  const roleRef = { apiGroup: RBAC, kind: 'Role', name: metadata.name };
  return [
    { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata, rules },
    { apiVersion: `${RBAC}/v1`, kind: 'RoleBinding', metadata, roleRef, subjects },
  ];
}

/**
 * The least that members need to put credentials in place: to write the one Secret, by its name, and never to read it. RBAC knows no name in an
 * ordinary create, but in a server-side apply.
 */
function buildSecretAccess(input: TenantInput, secretName: string, labels: Labels): readonly Manifest[] {
  const keepers = input.members.filter(({ role }) => KEEPERS.has(role));
  if (keepers.length === 0) return [];
  const name = `${TENANT_REPOSITORY_NAME}-secret`;
  const verbs = ['create', 'patch', 'delete'];
  const rules = [{ apiGroups: [''], resources: ['secrets'], resourceNames: [secretName], verbs }];
  return buildGrant({ name, namespace: input.namespace, labels }, rules, keepers.map(buildSubject));
}

/**
 * What fetches and applies the repository, all in the tenant's namespace. Without its GitRepository, while that is refused, the Kustomization stays and
 * remembers what it applied, so that nothing is lost track of.
 */
export function buildRepositoryFeed(
  input: TenantInput,
  repository: RepositoryInput,
  settings: TenantSettings,
  labels: Labels,
): readonly Manifest[] {
  const metadata = { name: TENANT_REPOSITORY_NAME, namespace: input.namespace };
  const kustomization = buildKustomization(input, settings, labels, {
    metadata,
    sourceRef: { kind: 'GitRepository', name: TENANT_REPOSITORY_NAME },
    path: `./${repository.path}`,
    timeout: APPLY_TIMEOUT,
  });
  if (!repository.isAdmitted) return [kustomization];
  const { url, branch, secretName } = repository;
  const gitRepository: Manifest = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { ...metadata, labels },
    spec: {
      url,
      ref: { branch },
      interval: settings.repositoryInterval,
      timeout: FETCH_TIMEOUT,
      ...(secretName === undefined ? {} : { secretRef: { name: secretName } }),
    },
  };
  return [gitRepository, kustomization];
}
