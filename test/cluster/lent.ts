import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { startGitServer } from '../../simulator/git/server.ts';
import { type Invocation, UnavailableError } from './binaries.ts';
import { connectCluster } from './connect.ts';
import type { Cluster, ClusterInfo } from './contract.ts';

const KUSTOMIZATIONS = '/apis/kustomize.toolkit.fluxcd.io/v1';

/**
 * Uses the cluster of `SUBLET_TEST_KUBECONFIG`. Tests that need Flux run when its CRDs are installed there and
 * `SUBLET_TEST_GIT_HOST` is an address of this machine that the cluster's pods can reach, on which git is then served.
 * Such a cluster gives no audit log and none of its programs can be stopped.
 */
export async function openLentCluster(kubeconfigPath: string): Promise<Cluster & { readonly info: ClusterInfo }> {
  if (!existsSync(kubeconfigPath))
    throw new UnavailableError(`SUBLET_TEST_KUBECONFIG names ${kubeconfigPath}, which is not there`);
  const kubectl = await findKubectl();
  const probe = await connectCluster({ kubeconfigPath, kubectl, flux: false });
  const hasFlux = (await probe.admin.call('GET', KUSTOMIZATIONS).finally(() => probe.stop())).status === 200;
  const gitHost = process.env.SUBLET_TEST_GIT_HOST;
  if (!hasFlux || gitHost === undefined) {
    const info: ClusterInfo = { kubeconfigPath, kubectl, flux: false };
    return Object.assign(await connectCluster(info), { info });
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'sublet-git-'));
  const git = await startGitServer(folder, { host: gitHost });
  const info: ClusterInfo = { kubeconfigPath, kubectl, flux: true, git: { url: git.url, folder } };
  const cluster = await connectCluster(info);
  const stop = async () => {
    await cluster.stop();
    await git.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { ...cluster, info, stop };
}

async function findKubectl(): Promise<Invocation> {
  const assets = process.env.KUBEBUILDER_ASSETS;
  const asset = assets === undefined ? undefined : path.join(assets, 'kubectl');
  const command = asset !== undefined && existsSync(asset) ? asset : 'kubectl';
  try {
    await promisify(execFile)(command, ['version', '--client']);
    return { command, args: [] };
  } catch {
    throw new UnavailableError('kubectl is not on PATH: install it, or unset SUBLET_TEST_KUBECONFIG');
  }
}
