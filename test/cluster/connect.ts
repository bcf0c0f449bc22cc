import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { createRemote } from '../../simulator/git/server.ts';
import { readAuditEvents } from './audit.ts';
import type { Invocation } from './binaries.ts';
import type { Cluster, ClusterInfo, KubectlOptions, KubectlResult } from './contract.ts';
import { dumpObjects } from './dump.ts';
import { createRest } from './rest.ts';
import { requestToken } from './token.ts';

const LOG_TAIL_BYTES = 4_000;
const CRD_TIMEOUT = '180s';
const SERVED_TIMEOUT_MS = 180_000;
const POLL_MS = 200;

/** Opens a cluster that this or another process started, or that was lent by its kubeconfig. */
export async function connectCluster(info: ClusterInfo): Promise<Cluster> {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(info.kubeconfigPath);
  const admin = await createRest(kubeConfig);
  const kubectl = (args: readonly string[], options?: KubectlOptions) =>
    runKubectl(info.kubectl, info.kubeconfigPath, args, options);
  return {
    url: kubeConfig.getCurrentCluster()?.server ?? '',
    flux: info.flux,
    kubeconfigPath: info.kubeconfigPath,
    kubeConfig,
    admin,
    get auditLog() {
      return auditLogOf(info);
    },
    auditEvents: (fromByte) => readAuditEvents(auditLogOf(info), fromByte),
    kubectl,
    serviceAccountKubeConfig: async (namespace, name) => {
      return withUser(kubeConfig, { name: `${namespace}/${name}`, token: await requestToken(admin, namespace, name) });
    },
    userKubeConfig: (user) => impersonate(kubeConfig, user),
    gitRemote: (name) => {
      if (info.git === undefined) throw new Error('a lent cluster has no git server on this machine');
      return createRemote(info.git.folder, info.git.url, name);
    },
    installManifests: (yamlOrPath) => installManifests(kubectl, yamlOrPath),
    dump: (resources) => dumpObjects(admin, resources),
    logTail: async (program) => {
      if (info.folder === undefined) return '(a lent cluster keeps its own logs)';
      const text = await readFile(path.join(info.folder, `${program}.log`), 'utf8').catch(() => '(no output)');
      return text.slice(-LOG_TAIL_BYTES);
    },
    stop: () => admin.close(),
  };
}

function auditLogOf(info: ClusterInfo): string {
  if (info.auditLog === undefined)
    throw new Error('a lent cluster gives no audit log; unset SUBLET_TEST_KUBECONFIG for this test');
  return info.auditLog;
}

function withUser(base: KubeConfig, user: { readonly name: string; readonly token: string }): KubeConfig {
  const cluster = base.getCurrentCluster();
  if (cluster === null) throw new Error('the kubeconfig names no current cluster');
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(cluster, { name: user.name, token: user.token });
  return kubeConfig;
}

function impersonate(base: KubeConfig, user: string): KubeConfig {
  const cluster = base.getCurrentCluster();
  const current = base.getCurrentUser();
  if (cluster === null || current === null) throw new Error('the kubeconfig names no current cluster and user');
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(cluster, { ...current, impersonateUser: user });
  return kubeConfig;
}

type Kubectl = (args: readonly string[], options?: KubectlOptions) => Promise<KubectlResult>;

async function installManifests(kubectl: Kubectl, yamlOrPath: string): Promise<void> {
  const isPath = !yamlOrPath.includes('\n') && existsSync(yamlOrPath);
  const source = isPath ? await sourceOf(yamlOrPath) : ['-f', '-'];
  const apply = ['apply', '--server-side', '--force-conflicts', '--output=name', ...source];
  const applied = await kubectl(apply, isPath ? {} : { input: yamlOrPath });
  const crds = applied.stdout.split('\n').filter((line) => line.startsWith('customresourcedefinition.'));
  if (crds.length > 0) {
    const waited = await kubectl(['wait', '--for=condition=Established', `--timeout=${CRD_TIMEOUT}`, ...crds]);
    if (waited.code !== 0) throw new Error(`CRDs were not established:\n${waited.stderr}`);
  }
  // Objects of a kind whose CRD came in the same call fail at first; they succeed once it is served, which is a moment after it is established.
  const deadline = performance.now() + (crds.length > 0 ? SERVED_TIMEOUT_MS : 0);
  let result = applied;
  while (result.code !== 0) {
    if (performance.now() >= deadline) throw new Error(`kubectl ${apply.join(' ')} failed:\n${result.stderr}`);
    await delay(POLL_MS);
    result = await kubectl(apply, isPath ? {} : { input: yamlOrPath });
  }
}

async function sourceOf(fileOrFolder: string): Promise<readonly string[]> {
  const isFolder = (await stat(fileOrFolder)).isDirectory();
  const kustomized = isFolder && existsSync(path.join(fileOrFolder, 'kustomization.yaml'));
  return kustomized ? ['-k', fileOrFolder] : ['-f', fileOrFolder];
}

function runKubectl(
  invocation: Invocation,
  kubeconfigPath: string,
  args: readonly string[],
  options: KubectlOptions = {},
): Promise<KubectlResult> {
  const identity = options.as === undefined ? [] : [`--as=${options.as}`];
  const groups = (options.asGroups ?? []).map((group) => `--as-group=${group}`);
  const cache = path.join(path.dirname(kubeconfigPath), 'kubectl-cache');
  const all = [...invocation.args, `--cache-dir=${cache}`, ...identity, ...groups, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(invocation.command, all, { env: { ...process.env, KUBECONFIG: kubeconfigPath } });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ stdout, stderr, code: code ?? 1 }));
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}
