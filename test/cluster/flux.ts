import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { FluxBinaries } from './binaries.ts';
import type { ControlPlane } from './controlplane.ts';
import { installCrds } from './crds.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { pickPorts } from './ports.ts';
import type { Processes } from './processes.ts';
import { APPLY, type Rest } from './rest.ts';
import { requestToken } from './token.ts';
import { waitFor } from './wait.ts';

/** The namespace that Flux's controllers call their own. */
export const FLUX_NAMESPACE = 'flux-system';

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 300_000;
const CONCURRENCY = 10;

type Deps = {
  readonly binaries: FluxBinaries;
  readonly processes: Processes;
  readonly folder: string;
  /** For clones, builds and archives: made and removed with each revision, thousands of small files. */
  readonly scratch: string;
  readonly controlPlane: ControlPlane;
  readonly log: (message: string) => void;
};

/**
 * Installs Flux's CRDs and rights and starts source-controller and kustomize-controller as processes under ServiceAccounts
 * of their own, locked down as a shared cluster wants it: no references across namespaces, no remote bases, impersonation
 * by default. Returns when both answer their readiness probe.
 */
export async function startFlux(deps: Deps): Promise<void> {
  const { controlPlane, processes, scratch } = deps;
  await installCrds(controlPlane.admin, deps.binaries.crdFolders);
  for (const object of buildFluxAccess()) await applyObject(controlPlane.admin, object.path, object.body);
  const storage = path.join(scratch, 'flux-storage');
  await mkdir(storage, { recursive: true });
  const [storagePort, sourceHealth, kustomizeHealth] = await pickPorts(3);
  const env = async (name: string) => ({
    RUNTIME_NAMESPACE: FLUX_NAMESPACE,
    KUBECONFIG: await writeControllerKubeconfig(deps, name),
    TMPDIR: scratch,
  });
  const common = ['--metrics-addr=0', '--watch-all-namespaces=true', '--log-level=info', `--concurrent=${CONCURRENCY}`];
  await processes.start({
    name: 'source-controller',
    command: deps.binaries.sourceController,
    env: await env('source-controller'),
    args: [
      ...common,
      `--health-addr=${HOST}:${sourceHealth}`,
      `--storage-path=${storage}`,
      `--storage-addr=${HOST}:${storagePort}`,
      `--storage-adv-addr=${HOST}:${storagePort}`,
    ],
  });
  await processes.start({
    name: 'kustomize-controller',
    command: deps.binaries.kustomizeController,
    env: await env('kustomize-controller'),
    args: [
      ...common,
      '--default-service-account=default',
      '--no-cross-namespace-refs=true',
      '--no-remote-bases=true',
      '--feature-gates=ExternalArtifact=true',
      '--requeue-dependency=5s',
      `--health-addr=${HOST}:${kustomizeHealth}`,
    ],
  });
  await waitForReady(processes, 'source-controller', sourceHealth ?? 0);
  await waitForReady(processes, 'kustomize-controller', kustomizeHealth ?? 0);
  deps.log('Flux source- and kustomize-controller ready');
}

async function waitForReady(processes: Processes, name: string, port: number): Promise<void> {
  await waitFor({ what: `ready ${name}`, timeoutMs: START_TIMEOUT_MS, processes, programs: [name] }, async () => {
    const response = await fetch(`http://${HOST}:${port}/readyz`);
    return response.ok ? true : undefined;
  });
}

async function writeControllerKubeconfig(deps: Deps, name: string): Promise<string> {
  const { url, caPath, admin } = deps.controlPlane;
  const token = await requestToken(admin, FLUX_NAMESPACE, name);
  const file = path.join(deps.folder, `${name}.kubeconfig`);
  await writeKubeconfig(file, { url, caPath, user: name, token, namespace: FLUX_NAMESPACE });
  return file;
}

async function applyObject(admin: Rest, objectPath: string, body: unknown): Promise<void> {
  await admin.ask('PATCH', `${objectPath}?fieldManager=flux&force=true`, body, APPLY);
}

/** Namespace, accounts and rights as Flux's own installation gives them; the applying controller impersonates tenants. */
function buildFluxAccess(): readonly { readonly path: string; readonly body: object }[] {
  const rbac = 'rbac.authorization.k8s.io';
  const controllers = ['source-controller', 'kustomize-controller'];
  const subjects = controllers.map((name) => ({ kind: 'ServiceAccount', name, namespace: FLUX_NAMESPACE }));
  const all = ['*'];
  const namespaced = `/api/v1/namespaces/${FLUX_NAMESPACE}`;
  const roles = `/apis/${rbac}/v1`;
  return [
    { path: namespaced, body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: FLUX_NAMESPACE } } },
    ...controllers.map((name) => ({
      path: `${namespaced}/serviceaccounts/${name}`,
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: FLUX_NAMESPACE } },
    })),
    {
      path: `${roles}/clusterroles/flux-controllers`,
      body: {
        apiVersion: `${rbac}/v1`,
        kind: 'ClusterRole',
        metadata: { name: 'flux-controllers' },
        rules: [
          { apiGroups: ['source.toolkit.fluxcd.io', 'kustomize.toolkit.fluxcd.io'], resources: all, verbs: all },
          {
            apiGroups: [''],
            resources: ['namespaces', 'secrets', 'configmaps', 'serviceaccounts'],
            verbs: ['get', 'list', 'watch'],
          },
          { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
          { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] },
        ],
      },
    },
    {
      path: `${roles}/clusterrolebindings/flux-controllers`,
      body: buildBinding('flux-controllers', 'flux-controllers', subjects),
    },
    {
      path: `${roles}/clusterrolebindings/flux-cluster-reconciler`,
      body: buildBinding('flux-cluster-reconciler', 'cluster-admin', subjects.slice(1)),
    },
  ];
}

function buildBinding(name: string, role: string, subjects: readonly object[]): object {
  const apiGroup = 'rbac.authorization.k8s.io';
  return {
    apiVersion: `${apiGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup, kind: 'ClusterRole', name: role },
    subjects,
  };
}
