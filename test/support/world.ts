import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { DATASOURCES, DATAVOLUMES, VIRTUALMACHINEINSTANCES, VIRTUALMACHINES } from '../../kubevirt/index.ts';
import type { GitRemote } from '../../simulator/git/server.ts';
import type { Cluster } from '../cluster/contract.ts';
import { pickPorts } from '../cluster/ports.ts';
import { Processes } from '../cluster/processes.ts';
import { type Forge, startForge } from './forge.ts';
import { installSublet } from './install.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const READY_MS = 300_000;
const READY_POLL_MS = 50;

/** What has to be served before a fleet orders it. */
const SIMULATED = [VIRTUALMACHINES, VIRTUALMACHINEINSTANCES, DATAVOLUMES, DATASOURCES];

export type WorldOptions = {
  readonly cluster: Cluster;
  /** Which folder of the reference fleet is used. */
  readonly environment?: 'staging' | 'production';
  /** Settings of the operator and the fleet source, over the defaults for tests. */
  readonly operator?: Readonly<Record<string, unknown>>;
  readonly source?: Readonly<Record<string, unknown>>;
  /** Arguments of the simulated KubeVirt; `--quick` where time does not matter. */
  readonly simulator?: readonly string[];
  readonly log?: (message: string) => void;
};

export type Role = 'operator' | 'source' | 'simulator';

/** Sublet as a whole on a control plane: each role a process of its own, under its own ServiceAccount, and a fleet repository. */
export type World = {
  readonly cluster: Cluster;
  readonly remote: GitRemote;
  /** Where a tenant's own repository can be; the operator and the fleet source allow it. */
  readonly forge: Forge;
  /** A clone of the fleet repository, as a person has it. */
  readonly checkout: string;
  readonly environment: string;
  /** Commits whatever changed in the checkout. */
  commit(message: string): Promise<void>;
  /** The same, pushes it and tells Flux; gives the commit. Without a message what is committed already is pushed. */
  push(message?: string): Promise<string>;
  /** Writes a file below `tenants/<environment>/`. */
  write(file: string, content: string): Promise<void>;
  remove(fileOrFolder: string): Promise<void>;
  kill(role: Role, signal?: NodeJS.Signals): Promise<void>;
  startAgain(role: Role): Promise<void>;
  /** Resolves when operator and fleet source say that they are ready. */
  ready(): Promise<void>;
  /** Where the role serves /metrics, /healthz and /readyz. */
  endpoint(role: 'operator' | 'source'): string;
  logTail(role: Role): string;
  logPath(role: Role): string;
  git(...args: readonly string[]): Promise<string>;
  stop(): Promise<void>;
};

/** Installs the software, starts its roles and bootstraps Flux from the reference fleet; the first revision is pushed by the caller. */
export async function startWorld(given: WorldOptions): Promise<World> {
  const { cluster, environment = 'staging', log = () => {} } = given;
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'sublet-world-')));
  const processes = new Processes(folder);
  const forge = await startForge(folder);
  const inside = { allowedGitHosts: [forge.host] };
  const options = { ...given, operator: { ...inside, ...given.operator }, source: { ...inside, ...given.source } };
  try {
    const accounts = await installSublet(cluster);
    log('installed deploy/ (CRDs, roles, policies)');
    await startSimulator(options, processes, folder, accounts.simulator);
    log('simulated KubeVirt is running');
    const [operatorPort = 0, sourcePort = 0, artifactPort = 0] = await pickPorts(3);
    await startOperator(options, processes, folder, accounts.operator, operatorPort);
    await startSource(options, processes, folder, accounts.source, { manage: sourcePort, artifacts: artifactPort });
    const ready = async () => {
      await untilReady('operator', operatorPort, processes);
      await untilReady('source', sourcePort, processes);
    };
    const remote = await cluster.gitRemote(
      `fleet-${path
        .basename(folder)
        .toLowerCase()
        .replace(/[^a-z0-9]/g, '')}`,
    );
    const checkout = path.join(folder, 'fleet');
    await cloneFleet(remote, checkout);
    await bootstrap(cluster, checkout, environment, remote);
    await ready();
    log('operator and fleet source are running; Flux follows the fleet repository');
    const endpoint = (role: 'operator' | 'source') =>
      `http://127.0.0.1:${role === 'operator' ? operatorPort : sourcePort}`;
    return createWorld({ cluster, environment, folder, processes, forge, remote, checkout, ready, endpoint });
  } catch (error) {
    const tails = ['operator', 'source', 'simulator'].map((role) => `${role}: ${processes.logTail(role)}`);
    await Promise.all([processes.stop(), forge.stop()]);
    throw new Error(`Sublet did not start\n${tails.join('\n')}`, { cause: error });
  }
}

type Parts = Pick<World, 'cluster' | 'environment' | 'forge' | 'remote' | 'checkout' | 'ready' | 'endpoint'> & {
  readonly folder: string;
  readonly processes: Processes;
};

function createWorld({ processes, ...parts }: Parts): World {
  const { cluster, environment, forge, remote, checkout, folder, ready } = parts;
  const tenants = path.join(checkout, 'tenants', environment);
  const git = async (...args: readonly string[]) => (await run('git', ['-C', checkout, ...args])).stdout.trim();
  const commit = async (message: string): Promise<void> => {
    await git('add', '--all');
    await git('commit', '--quiet', '--allow-empty', '--message', message);
  };
  return {
    cluster,
    environment,
    forge,
    remote,
    checkout,
    ready,
    endpoint: parts.endpoint,
    git,
    write: async (file, content) => {
      await mkdir(path.dirname(path.join(tenants, file)), { recursive: true });
      await writeFile(path.join(tenants, file), content);
    },
    remove: (name) => rm(path.join(tenants, name), { recursive: true }),
    commit,
    push: async (message) => {
      if (message !== undefined) await commit(message);
      await git('push', '--quiet', '--force', 'origin', 'HEAD:main');
      await requestReconcile(cluster);
      return git('rev-parse', 'HEAD');
    },
    kill: (role, signal) => processes.kill(role, signal),
    startAgain: async (role) => void (await processes.startAgain(role)),
    logTail: (role) => processes.logTail(role, 8_000),
    logPath: (role) => processes.logPath(role),
    stop: async () => {
      await processes.kill('operator', 'SIGTERM');
      await processes.kill('source', 'SIGTERM');
      await processes.stop();
      await forge.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 20 });
    },
  };
}

/** What `flux reconcile source git fleet` does. */
export async function requestReconcile(cluster: Cluster): Promise<void> {
  const url = '/apis/source.toolkit.fluxcd.io/v1/namespaces/sublet-fleet/gitrepositories/fleet';
  const annotations = { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() };
  await cluster.admin.ask('PATCH', url, { metadata: { annotations } }, 'application/merge-patch+json');
}

async function startOperator(
  options: WorldOptions,
  processes: Processes,
  folder: string,
  access: KubeConfig,
  port: number,
) {
  const config = {
    bindAddress: '127.0.0.1',
    port,
    nodePortAddress: '127.0.0.1',
    ...options.operator,
  };
  const env = {
    KUBECONFIG: await writeAccess(folder, 'operator', access),
    SUBLET_OPERATOR_CONFIG: JSON.stringify(config),
  };
  await startRole(processes, 'operator', ['cli/main.ts', 'operator'], env);
}

async function startSource(
  options: WorldOptions,
  processes: Processes,
  folder: string,
  access: KubeConfig,
  ports: { readonly manage: number; readonly artifacts: number },
) {
  const directory = path.join(folder, 'artifacts');
  await mkdir(directory);
  const config = {
    environment: options.environment ?? 'staging',
    directory,
    // Outlives a restart: it is part of every artifact's URL.
    listen: { address: '127.0.0.1', port: ports.artifacts },
    manage: { address: '127.0.0.1', port: ports.manage },
    ...options.source,
  };
  const env = { KUBECONFIG: await writeAccess(folder, 'source', access), SUBLET_SOURCE_CONFIG: JSON.stringify(config) };
  await startRole(processes, 'source', ['cli/main.ts', 'source'], env);
}

async function startSimulator(options: WorldOptions, processes: Processes, folder: string, access: KubeConfig) {
  const env = { KUBECONFIG: await writeAccess(folder, 'simulator', access) };
  await startRole(processes, 'simulator', ['simulator/kubevirt/main.ts', ...(options.simulator ?? [])], env);
  for (const { group, version, plural } of SIMULATED) {
    await untilServed(options.cluster, `/apis/${group}/${version}`, plural);
  }
}

async function startRole(
  processes: Processes,
  name: Role,
  [file = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  await processes.start({ name, command: process.execPath, args: [path.join(ROOT, file), ...args], env });
}

/** A group is served with the first of its kinds. */
async function untilServed({ admin }: Cluster, group: string, plural: string): Promise<void> {
  const deadline = Date.now() + READY_MS;
  const isServed = async (): Promise<boolean> => {
    const { body } = await admin.call('GET', group);
    const { resources = [] } = body as { readonly resources?: readonly { readonly name: string }[] };
    return resources.some(({ name }) => name === plural);
  };
  while (!(await isServed())) {
    if (Date.now() > deadline)
      throw new Error(`the simulated KubeVirt did not install ${plural} in ${READY_MS / 1_000} s`);
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
}

/** Polls /readyz; throws with the program's last words when it does not become ready. */
async function untilReady(role: Role, port: number, processes: Processes): Promise<void> {
  const deadline = Date.now() + READY_MS;
  let last = 'no answer';
  while (Date.now() < deadline) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`);
      last = await response.text();
      if (response.ok) return;
    } catch (error) {
      last = String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
  throw new Error(`${role} is not ready after ${READY_MS / 1_000} s: ${last}\n${processes.logTail(role, 4_000)}`);
}

async function writeAccess(folder: string, name: string, access: KubeConfig): Promise<string> {
  const file = path.join(folder, `${name}.kubeconfig`);
  await writeFile(file, access.exportConfig(), { mode: 0o600 });
  return file;
}

async function cloneFleet(remote: GitRemote, checkout: string): Promise<void> {
  await run('git', ['clone', '--quiet', remote.url, checkout]);
  for (const [name, value] of [
    ['user.name', 'Provider'],
    ['user.email', 'provider@example.com'],
    ['commit.gpgsign', 'false'],
  ] as const) {
    await run('git', ['-C', checkout, 'config', name, value]);
  }
  await cp(path.join(ROOT, 'clusters'), path.join(checkout, 'clusters'), { recursive: true });
  await mkdir(path.join(checkout, 'tenants'));
}

/**
 * Applies the fleet's entry point as its provider would, with the local remote in place of the forge; never the file as it is: whoever saw that would read its Secret and call its
 * forge.
 */
async function bootstrap(cluster: Cluster, checkout: string, environment: string, remote: GitRemote): Promise<void> {
  const entry = path.join(checkout, 'clusters', environment);
  const fleet = parse(await readFile(path.join(entry, 'fleet.yaml'), 'utf8'));
  const { secretRef: _, ...spec } = fleet.spec;
  const local = { ...fleet, spec: { ...spec, url: remote.url, interval: '10m' } };
  await cluster.installManifests(`${JSON.stringify(local)}\n`);
  for (const file of ['root.yaml', 'images']) await cluster.installManifests(path.join(entry, file));
}
