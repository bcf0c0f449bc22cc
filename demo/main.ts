import { parseArgs } from 'node:util';
import { UnavailableError } from '../test/cluster/binaries.ts';
import { startCluster } from '../test/cluster/cluster.ts';
import { startWorld } from '../test/support/world.ts';
import { createProgress } from './progress.ts';
import { orderDesktop } from './story.ts';

const HELP = `A desktop is ordered by a commit and answers RDP, on a real control plane with real Flux on this machine.

Usage: npm run demo -- [--once]

  --once   end with exit code 0 after the story; otherwise everything stays up until Ctrl-C
  --help   this text

The first run builds Kubernetes and Flux from their Go modules (about ten minutes on two cores) and keeps them in a cache. No
virtual machine boots: KubeVirt is simulated, each desktop is an RDP listener on a loopback address.

Examples:
  npm run demo
  npm run demo -- --once | tail -n 1    # only the line of JSON`;

/** Milliseconds since the epoch at which the launcher started, so that installing and building count. */
const startedAt = Number(process.env.SUBLET_LAUNCHED_AT ?? Date.now());

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { once: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
  if (values.help === true) return void console.log(HELP);
  const progress = createProgress(startedAt, (line) => process.stderr.write(`${line}\n`));
  progress.step('starting etcd, the API server, controller manager, scheduler and Flux');
  const cluster = await startCluster({ flux: true, log: progress.detail });
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  try {
    progress.step('installing Sublet and starting its roles under their own ServiceAccounts');
    const world = await startWorld({
      cluster,
      log: progress.detail,
    });
    try {
      const desktop = await orderDesktop(world, progress, stop.signal);
      progress.rest();
      if (values.once !== true) {
        console.error(renderHints(cluster.kubeconfigPath, world.checkout, desktop));
        await new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true }));
        progress.step('stopping');
      }
      const seconds = Number(((desktop.readyAtMs - startedAt) / 1_000).toFixed(1));
      console.log(JSON.stringify({ address: desktop.address, selectedProtocol: desktop.selectedProtocol, seconds }));
    } finally {
      await world.stop();
    }
  } finally {
    await cluster.stop();
    progress.stop();
  }
}

function renderHints(kubeconfig: string, checkout: string, desktop: { readonly rdpFile: string }): string {
  return `
Everything stays up until Ctrl-C. Try, in another terminal:

  export KUBECONFIG=${kubeconfig}
  kubectl get sublet --all-namespaces
  kubectl -n t-acme--bob describe rdp anna-desk
  kubectl -n t-acme--bob patch rdp anna-desk --type merge -p '{"spec":{"power":"Stopped"}}'
  kubectl -n sublet-fleet get externalartifacts,kustomizations

The fleet repository is ${checkout}: change a file below tenants/, commit, and git push origin main.
The .rdp file of the desktop is ${desktop.rdpFile}`;
}

function renderCauses(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\nbecause: ${renderCauses(error.cause)}`;
}

try {
  await main();
} catch (error) {
  const hint =
    error instanceof UnavailableError ? '' : '\nRun npm test to see which part does not work on this machine.';
  console.error(`demo: ${renderCauses(error)}${hint}`);
  process.exitCode = 1;
}
