import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { kubevirtCrds } from '../../../simulator/kubevirt/crds.ts';
import { type OwnCluster, startCluster } from '../../cluster/cluster.ts';
import { installSublet } from '../../support/install.ts';
import { AuditTail } from './audittail.ts';
import type { Print } from './bench.ts';
import { wipeRun } from './etcd.ts';
import { buildPlan, buildTenantResource, locate, tenantNames } from './workload.ts';

/** The operator's account; every contender works under it, with its rights and through the same admission. */
export const OPERATOR_USER = 'system:serviceaccount:sublet-system:sublet-operator';

/** A control plane with everything installed that a converging tenant touches, and nothing else running on it. */
export type Testbed = {
  readonly cluster: OwnCluster;
  /** Kubeconfig of {@link OPERATOR_USER}. */
  readonly kubeconfigPath: string;
  /** For logs of contenders. */
  readonly folder: string;
  readonly kubernetesVersion: string;
  createTenants(run: string, count: number): Promise<void>;
  /** Removes a run's objects and waits until the control plane has nothing more to do. */
  wipe(run: string): Promise<void>;
  /** Waits until nobody has written for a second. */
  settle(): Promise<void>;
  stop(): Promise<void>;
};

export async function startTestbed(print: Print): Promise<Testbed> {
  const cluster = await startCluster({ flux: true, log: print });
  const folder = await mkdtemp(path.join(tmpdir(), 'sublet-bench-'));
  try {
    // Flux's CRDs are needed; its controllers would work on the Kustomizations meanwhile.
    await cluster.kill('kustomize-controller');
    await cluster.kill('source-controller');
    for (const crd of kubevirtCrds()) await cluster.installManifests(`---\n${JSON.stringify(crd)}`);
    const installation = await installSublet(cluster);
    const kubeconfigPath = path.join(folder, 'operator.kubeconfig');
    await writeFile(kubeconfigPath, installation.operator.exportConfig(), { mode: 0o600 });
    const plan = buildPlan();
    await cluster.admin.ask('POST', locate(plan).collection, plan);
    const testbed = { cluster, kubeconfigPath, folder };
    return { ...testbed, kubernetesVersion: await readVersion(cluster), ...buildActions(cluster, folder) };
  } catch (error) {
    await cluster.stop();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function buildActions(
  cluster: OwnCluster,
  folder: string,
): Pick<Testbed, 'createTenants' | 'wipe' | 'settle' | 'stop'> {
  const settle = () => waitForQuiet(cluster);
  return {
    createTenants: async (run, count) => {
      const pending = tenantNames(run, count).map(buildTenantResource);
      const create = async () => {
        for (let tenant = pending.pop(); tenant !== undefined; tenant = pending.pop()) {
          await cluster.admin.ask('POST', locate(tenant).collection, tenant);
        }
      };
      await Promise.all(Array.from({ length: CREATORS }, create));
      await settle();
    },
    wipe: async (run) => {
      const { etcdUrl } = cluster.info;
      if (etcdUrl === undefined) throw new Error('this cluster does not say where its etcd is');
      await wipeRun(etcdUrl, run);
      await settle();
    },
    settle,
    stop: async () => {
      await cluster.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const CREATORS = 16;
const QUIET_MS = 1_000;
const SETTLE_TIMEOUT_MS = 60_000;

/** Waits until no write by anybody was recorded for a second; gives up silently after a minute. */
async function waitForQuiet(cluster: OwnCluster): Promise<void> {
  const tail = await AuditTail.open(cluster.auditLog);
  const endMs = performance.now() + SETTLE_TIMEOUT_MS;
  try {
    for (let quiet = false; !quiet && performance.now() < endMs; ) {
      const before = tail.calls.length;
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      await tail.read();
      quiet = !tail.calls.slice(before).some(({ write }) => write);
    }
  } finally {
    await tail.close();
  }
}

async function readVersion(cluster: OwnCluster): Promise<string> {
  const version = await cluster.admin.ask('GET', '/version');
  return typeof version === 'object' && version !== null && 'gitVersion' in version ? String(version.gitVersion) : '?';
}
