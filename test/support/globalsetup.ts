import type { TestProject } from 'vitest/node';
import { UnavailableError } from '../cluster/binaries.ts';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster, ClusterInfo } from '../cluster/contract.ts';
import { openLentCluster } from '../cluster/lent.ts';

/** The control plane that the cluster tests of one run share, or why there is none. */
export type ClusterProvision =
  | { readonly available: true; readonly info: ClusterInfo; readonly lent: boolean }
  | { readonly available: false; readonly reason: string };

declare module 'vitest' {
  export interface ProvidedContext {
    readonly cluster: ClusterProvision;
  }
}

/** Starts the shared control plane once a run, before the first cluster test; stops it after the last. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  try {
    const cluster = await open();
    project.provide('cluster', { available: true, info: cluster.info, lent: cluster.lent });
    return () => cluster.stop();
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    project.provide('cluster', { available: false, reason: error.message });
    return async () => {};
  }
}

async function open(): Promise<Cluster & { readonly info: ClusterInfo; readonly lent: boolean }> {
  const kubeconfig = process.env.SUBLET_TEST_KUBECONFIG;
  // Not spread: a lent cluster has members that throw when they are read.
  if (kubeconfig !== undefined) return Object.assign(await openLentCluster(kubeconfig), { lent: true });
  const log = (message: string) => process.stderr.write(`${message}\n`);
  try {
    return { ...(await startCluster({ flux: true, log })), lent: false };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    log(`no Flux: ${error.message}`);
    return { ...(await startCluster({ log })), lent: false };
  }
}
