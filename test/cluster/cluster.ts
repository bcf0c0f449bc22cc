import { mkdir, mkdtemp, realpath, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type GitServer, startGitServer } from '../../simulator/git/server.ts';
import { type LogLine, obtainBinaries } from './binaries.ts';
import { connectCluster } from './connect.ts';
import type { Cluster, ClusterInfo } from './contract.ts';
import { type ApiServerIssuer, type AuditLevel, startControlPlane } from './controlplane.ts';
import type { CrdSource } from './crds.ts';
import { startFlux } from './flux.ts';
import { Processes } from './processes.ts';

const ATTEMPTS = 3;
const SUBLET_CRDS = path.join(import.meta.dirname, '..', '..', 'crds');

/** What to start, and where progress goes. */
export type ClusterOptions = {
  /** Start Flux's source- and kustomize-controller too. Default: false. */
  readonly flux?: boolean;
  /** How much of a write the audit log keeps. Default: `Metadata`. */
  readonly auditLevel?: AuditLevel;
  /**
   * CRDs that are there before the controller manager starts: it counts and collects objects of kinds that come later only
   * after up to 30 s. Default: Sublet's own.
   */
  readonly crds?: readonly CrdSource[];
  /** Whose ID tokens the API server takes, besides the tokens that it was started with. */
  readonly issuer?: ApiServerIssuer;
  /** Takes one line a phase, with the seconds since the start. Default: nobody. */
  readonly log?: LogLine;
};

/** A cluster that this process started: it can also stop and restart its programs. */
export type OwnCluster = Cluster & {
  readonly info: ClusterInfo;
  /** Ends one program (`etcd`, `kube-apiserver`, `kustomize-controller`, ...) and resolves when it is gone. */
  kill(program: string, signal?: NodeJS.Signals): Promise<void>;
  /** Sends a signal, such as SIGSTOP, and does not wait. */
  signal(program: string, signal: NodeJS.Signals): void;
  /** Starts a program that was killed, with the same arguments and data. */
  startAgain(program: string): Promise<void>;
};

/**
 * Starts a real control plane on loopback, with everything that it writes in one temporary folder. Its processes end and
 * the folder goes when `stop()` is called, or when this process is gone, however it went.
 *
 * Throws UnavailableError when the programs cannot be had on this machine.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<OwnCluster> {
  const startedAt = performance.now();
  const log = (message: string) =>
    options.log?.(`[${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(5)} s] ${message}`);
  const binaries = await obtainBinaries({ flux: options.flux === true, log });
  for (let attempt = 1; ; attempt++) {
    const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'sublet-cluster-')));
    const scratch = await makeScratch(folder);
    const processes = new Processes(folder, scratch);
    try {
      const controlPlane = await startControlPlane({
        binaries,
        processes,
        folder,
        auditLevel: options.auditLevel ?? 'Metadata',
        crds: options.crds ?? [SUBLET_CRDS],
        ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
        log,
      });
      if (binaries.flux !== undefined)
        await startFlux({ binaries: binaries.flux, processes, folder, scratch, controlPlane, log });
      const git = await startGitServer(path.join(folder, 'git'));
      await controlPlane.admin.close();
      const info: ClusterInfo = {
        folder,
        kubeconfigPath: controlPlane.kubeconfigPath,
        auditLog: controlPlane.auditLog,
        etcdUrl: controlPlane.etcdUrl,
        flux: binaries.flux !== undefined,
        git: { url: git.url, folder: path.join(folder, 'git') },
        kubectl: binaries.program('kubectl'),
      };
      return own(await connectCluster(info), info, processes, git);
    } catch (error) {
      await processes.stop();
      if (attempt >= ATTEMPTS || !isPortConflict(error)) throw error;
      log('a port was taken by another program meanwhile; starting again with others');
    }
  }
}

const MEMORY_FOLDER = '/dev/shm';

/**
 * A folder in memory where there is one, as `docs/guides/install.md` advises for Flux (`emptyDir` with `medium: Memory`): source-controller clones the whole repository at
 * each revision, and on some file systems making and removing thousands of files takes seconds. Elsewhere the cluster's own folder.
 */
async function makeScratch(folder: string): Promise<string> {
  try {
    const { type } = await statfs(MEMORY_FOLDER);
    if (type !== TMPFS_MAGIC) return folder;
    const scratch = path.join(MEMORY_FOLDER, path.basename(folder));
    await mkdir(scratch, { mode: 0o700 });
    return scratch;
  } catch {
    return folder;
  }
}

/** `f_type` of tmpfs in statfs(2). */
const TMPFS_MAGIC = 0x01021994;

function own(cluster: Cluster, info: ClusterInfo, processes: Processes, git: GitServer): OwnCluster {
  const stop = async () => {
    await cluster.stop();
    await git.stop();
    await processes.stop();
  };
  return {
    ...cluster,
    info,
    kill: (program, signal) => processes.kill(program, signal),
    signal: (program, signal) => processes.signal(program, signal),
    startAgain: async (program) => {
      await processes.startAgain(program);
    },
    stop,
  };
}

function isPortConflict(error: unknown): boolean {
  return error instanceof Error && /address already in use/i.test(error.message);
}
