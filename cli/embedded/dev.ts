import path from 'node:path';
import { pino } from 'pino';
import { DEFAULT_TIMINGS, QUICK_TIMINGS } from '../../simulator/kubevirt/options.ts';
import { createProgress } from '../progress.ts';
import { type EmbeddedWorld, startEmbeddedWorld } from './embedded.ts';
import { claimFolder, lockFolder } from './folder.ts';

export type DevOptions = {
  readonly data: string;
  readonly port: number;
  readonly environment: 'staging' | 'production';
  readonly quick: boolean;
};

/** Runs until the signal aborts. Rejects when something cannot be had, or a part gives up by itself. */
export async function runDev(options: DevOptions, signal: AbortSignal): Promise<void> {
  const folder = path.resolve(options.data);
  const progress = createProgress(Date.now(), (line) => process.stderr.write(`${line}\n`));
  const lock = await lockFolder(folder);
  try {
    await claimFolder(folder, options.environment);
    const log = pino({ level: 'info' }, pino.destination({ dest: path.join(folder, 'sublet.log'), sync: true }));
    const world = await startEmbeddedWorld(
      { log, step: progress.step },
      {
        folder,
        environment: options.environment,
        apiPort: options.port,
        gitPort: options.port + 1,
        restPort: options.port + 2,
        orders: true,
        kubevirt: { timings: options.quick ? QUICK_TIMINGS : DEFAULT_TIMINGS },
      },
    );
    progress.step('everything is started');
    progress.rest();
    process.stdout.write(renderHints(world, folder));
    try {
      await Promise.race([world.stopped, aborted(signal)]);
    } finally {
      progress.step('stopping');
      await world.stop();
    }
  } finally {
    progress.stop();
    await lock.release();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function renderHints({ kubeconfigPath, remote, checkout, environment, api }: EmbeddedWorld, folder: string): string {
  return `
Sublet runs on an embedded API server. This is a development tool; production is Kubernetes.

  export KUBECONFIG=${kubeconfigPath}
  kubectl get sublet --all-namespaces
  kubectl -n t-acme--bob get rdp anna-desk --watch
  kubectl -n t-acme--bob patch rdp anna-desk --type merge -p '{"spec":{"power":"Stopped"}}'
  kubectl -n sublet-fleet get gitrepositories,externalartifacts,kustomizations

Sublet's own API is ${api.url}, and each order by it is a commit:

  export SUBLET_SERVER=${api.url} SUBLET_TOKEN=$(cat ${api.tokenPath})
  node launch.mjs cli/main.ts desktop list --tenant acme--bob

The fleet repository is ${remote.url}, and a clone of it
${checkout.path}: change a file below tenants/${environment}/, commit, git push, and look again.

What the parts say is in ${path.join(folder, 'sublet.log')}. Ctrl-C stops everything; the next
start with this folder goes on from here. Remove the folder to begin anew.
`;
}
