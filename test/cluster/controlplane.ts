import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Binaries, ControlPlaneProgram } from './binaries.ts';
import { type CrdSource, installCrds } from './crds.ts';
import { loadKubeConfig, writeKubeconfig } from './kubeconfig.ts';
import { pickPorts } from './ports.ts';
import type { Processes } from './processes.ts';
import { createRest, type Rest } from './rest.ts';
import { waitFor } from './wait.ts';

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 300_000;
const SERVICE_CIDR = '10.96.0.0/16';
const CONTROLLER_MANAGER = 'system:kube-controller-manager';
const SCHEDULER = 'system:kube-scheduler';

/** How much of each mutating request the audit log keeps; reads are always kept as metadata. */
export type AuditLevel = 'Metadata' | 'Request' | 'RequestResponse';

/** A running control plane. */
export type ControlPlane = {
  readonly url: string;
  readonly etcdUrl: string;
  readonly caPath: string;
  readonly auditLog: string;
  readonly kubeconfigPath: string;
  readonly admin: Rest;
};

/** An issuer of ID tokens that the API server takes, by the names of its `--oidc-*` flags. */
export type ApiServerIssuer = {
  readonly issuerUrl: string;
  readonly clientId: string;
  readonly usernameClaim: string;
  readonly usernamePrefix: string;
  readonly groupsClaim: string;
  readonly groupsPrefix: string;
  /** PEM file of the certificate that the issuer serves with. */
  readonly caPath: string;
};

type Deps = {
  readonly binaries: Binaries;
  readonly processes: Processes;
  readonly folder: string;
  readonly auditLevel: AuditLevel;
  readonly crds: readonly CrdSource[];
  readonly issuer?: ApiServerIssuer;
  readonly log: (message: string) => void;
};

/**
 * Starts etcd, the API server, the controller manager and the scheduler, all on loopback, and returns once namespaces
 * get their default ServiceAccount, which is what the first Pod or token needs.
 */
export async function startControlPlane(deps: Deps): Promise<ControlPlane> {
  const { folder, processes } = deps;
  const [etcdPort, peerPort, apiPort] = await pickPorts(3);
  const etcdUrl = `http://${HOST}:${etcdPort}`;
  const url = `https://${HOST}:${apiPort}`;
  const tokens = await writeSecrets(folder);
  const auditPolicy = path.join(folder, 'audit-policy.json');
  await writeFile(auditPolicy, JSON.stringify(buildAuditPolicy(deps.auditLevel)));
  const auditLog = path.join(folder, 'audit.log');
  await writeFile(auditLog, '');

  await start(deps, 'etcd', etcdArgs(folder, etcdUrl, `http://${HOST}:${peerPort}`));
  // The API server ends when etcd does not answer within 20 s.
  await waitFor({ processes, programs: ['etcd'], what: 'healthy etcd', timeoutMs: START_TIMEOUT_MS }, async () => {
    return (await fetch(`${etcdUrl}/health`)).ok ? true : undefined;
  });
  await start(deps, 'kube-apiserver', [
    ...apiServerArgs({ folder, etcdUrl, port: apiPort ?? 0, auditPolicy, auditLog }),
    ...(deps.issuer === undefined ? [] : issuerArgs(deps.issuer)),
  ]);
  // The serving certificate that the API server made for itself carries its signer along.
  const caPath = path.join(folder, 'pki', 'apiserver.crt');
  const waiting = { processes, programs: ['etcd', 'kube-apiserver'], timeoutMs: START_TIMEOUT_MS };
  await waitFor({ ...waiting, what: 'serving certificate' }, async () => (await stat(caPath)).size > 0 || undefined);
  const admin = await createRest(await loadKubeConfig({ url, caPath, user: 'admin', token: tokens.admin }));
  await waitFor({ ...waiting, what: 'ready API server' }, async () => {
    return (await admin.call('GET', '/readyz')).status === 200 ? true : undefined;
  });
  deps.log('API server ready');
  // Quotas and garbage collection learn of kinds when the controller manager starts, and then every 30 s only.
  await installCrds(admin, deps.crds);

  const kubeconfigPath = path.join(folder, 'kubeconfig');
  await writeKubeconfig(kubeconfigPath, { url, caPath, user: 'admin', token: tokens.admin });
  await startControllers(deps, { url, caPath, tokens });
  await waitFor({ ...waiting, programs: ['kube-controller-manager'], what: 'default ServiceAccount' }, async () => {
    const reply = await admin.call('GET', '/api/v1/namespaces/default/serviceaccounts/default');
    return reply.status === 200 ? true : undefined;
  });
  deps.log('controller manager and scheduler running');
  return { url, etcdUrl, caPath, auditLog, kubeconfigPath, admin };
}

type Tokens = { readonly admin: string; readonly controllerManager: string; readonly scheduler: string };

async function startControllers(deps: Deps, options: { url: string; caPath: string; tokens: Tokens }): Promise<void> {
  const { folder } = deps;
  const { url, caPath, tokens } = options;
  const controllerManager = path.join(folder, 'controller-manager.kubeconfig');
  const scheduler = path.join(folder, 'scheduler.kubeconfig');
  await writeKubeconfig(controllerManager, { url, caPath, user: CONTROLLER_MANAGER, token: tokens.controllerManager });
  await writeKubeconfig(scheduler, { url, caPath, user: SCHEDULER, token: tokens.scheduler });
  await start(deps, 'kube-controller-manager', [
    `--kubeconfig=${controllerManager}`,
    `--bind-address=${HOST}`,
    '--secure-port=0',
    '--leader-elect=false',
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${path.join(folder, 'service-account.key')}`,
    `--root-ca-file=${caPath}`,
    '--kube-api-qps=2000',
    '--kube-api-burst=4000',
    '--concurrent-namespace-syncs=30',
    '--concurrent-serviceaccount-token-syncs=20',
    '--concurrent-resource-quota-syncs=20',
  ]);
  await start(deps, 'kube-scheduler', [
    `--kubeconfig=${scheduler}`,
    `--bind-address=${HOST}`,
    '--secure-port=0',
    '--leader-elect=false',
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
  ]);
}

async function start(deps: Deps, name: ControlPlaneProgram, args: readonly string[]): Promise<void> {
  const { command, args: before } = deps.binaries.program(name);
  await deps.processes.start({ name, command, args: [...before, ...args] });
}

async function writeSecrets(folder: string): Promise<Tokens> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await mkdir(path.join(folder, 'pki'), { recursive: true });
  const mode = 0o600;
  await writeFile(path.join(folder, 'service-account.key'), privateKey.export({ type: 'sec1', format: 'pem' }), {
    mode,
  });
  const token = () => randomBytes(24).toString('hex');
  const tokens: Tokens = { admin: token(), controllerManager: token(), scheduler: token() };
  const lines = [
    `${tokens.admin},admin,admin,system:masters`,
    `${tokens.controllerManager},${CONTROLLER_MANAGER},controller-manager`,
    `${tokens.scheduler},${SCHEDULER},scheduler`,
  ];
  await writeFile(path.join(folder, 'tokens.csv'), `${lines.join('\n')}\n`, { mode });
  return tokens;
}

function etcdArgs(folder: string, clientUrl: string, peerUrl: string): readonly string[] {
  return [
    '--name=etcd',
    `--data-dir=${path.join(folder, 'etcd')}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=etcd=${peerUrl}`,
    '--unsafe-no-fsync=true',
    `--quota-backend-bytes=${4 * 1024 ** 3}`,
    '--log-level=warn',
  ];
}

function apiServerArgs(options: {
  readonly folder: string;
  readonly etcdUrl: string;
  readonly port: number;
  readonly auditPolicy: string;
  readonly auditLog: string;
}): readonly string[] {
  const key = path.join(options.folder, 'service-account.key');
  return [
    `--etcd-servers=${options.etcdUrl}`,
    `--bind-address=${HOST}`,
    `--advertise-address=${HOST}`,
    `--secure-port=${options.port}`,
    `--cert-dir=${path.join(options.folder, 'pki')}`,
    '--endpoint-reconciler-type=none',
    `--service-cluster-ip-range=${SERVICE_CIDR}`,
    '--authorization-mode=RBAC',
    `--token-auth-file=${path.join(options.folder, 'tokens.csv')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    `--audit-policy-file=${options.auditPolicy}`,
    `--audit-log-path=${options.auditLog}`,
    '--audit-log-maxsize=100000',
    '--audit-log-mode=blocking',
    '--max-requests-inflight=2000',
    '--max-mutating-requests-inflight=1000',
    '--allow-privileged=true',
    '--profiling=false',
  ];
}

function issuerArgs(issuer: ApiServerIssuer): readonly string[] {
  return [
    `--oidc-issuer-url=${issuer.issuerUrl}`,
    `--oidc-client-id=${issuer.clientId}`,
    `--oidc-username-claim=${issuer.usernameClaim}`,
    `--oidc-username-prefix=${issuer.usernamePrefix}`,
    `--oidc-groups-claim=${issuer.groupsClaim}`,
    `--oidc-groups-prefix=${issuer.groupsPrefix}`,
    `--oidc-ca-file=${issuer.caPath}`,
  ];
}

/** Every write of everybody, every read but those by which the control plane watches itself. */
function buildAuditPolicy(level: AuditLevel): object {
  const readers = [CONTROLLER_MANAGER, SCHEDULER, 'system:apiserver'];
  const reads = ['get', 'list', 'watch'];
  return {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    omitManagedFields: true,
    rules: [
      { level: 'None', users: readers, verbs: reads },
      { level: 'None', userGroups: ['system:serviceaccounts:kube-system'], verbs: reads },
      { level: 'None', nonResourceURLs: ['/readyz*', '/livez*', '/healthz*', '/version', '/openapi/*'] },
      { level: 'Metadata', verbs: reads },
      // What a Secret or a token holds never reaches the log.
      {
        level: 'Metadata',
        resources: [
          { group: '', resources: ['secrets', 'serviceaccounts/token'] },
          { group: 'authentication.k8s.io', resources: ['tokenreviews'] },
        ],
      },
      { level },
    ],
  };
}
