import { parseArgs } from 'node:util';
import { createProgress } from '../cli/progress.ts';
import { listenForStop } from '../cli/stop.ts';
import { CLUSTERS, type ClusterChoice, startDemoWorld } from './start.ts';
import { type OrderedDesktop, orderDesktop } from './story.ts';
import type { DemoWorld } from './world.ts';

const HELP = `Orders through the API and by the command line become commits, and a desktop answers RDP.

Usage: npm run demo -- [--cluster embedded|local|current] [--once]

  --cluster embedded  an API server in this process, simulated Flux; Node and git are enough (default)
            local     a real control plane with real Flux on this machine; the first run builds Kubernetes and Flux from their
                      Go modules (about ten minutes on two cores) and keeps them in a cache
            current   the cluster of the current kubeconfig context, which must have neither Flux nor KubeVirt; it says what it installs
  --once              end with exit code 0 after the story; otherwise everything stays up until Ctrl-C
  --help              this text

Exit codes: 0 done or stopped as asked, 1 failed, 2 wrong usage.

No virtual machine boots: KubeVirt is simulated, each desktop is an RDP listener on a loopback address. The last line is JSON; P21 is the
number of seconds from the start of this command to the Ready desktop.

Examples:
  npm run demo
  npm run demo -- --cluster local
  npm run demo -- --once | tail -n 1    # only the line of JSON`;

/** Milliseconds since the epoch at which the launcher started, so that installing and building count. */
const startedAt = Number(process.env.SUBLET_LAUNCHED_AT ?? Date.now());

async function main(): Promise<void> {
  const values = parse();
  if (values.help === true) return void console.log(HELP);
  const { choice } = values;
  const progress = createProgress(startedAt, (line) => process.stderr.write(`${line}\n`));
  const stop = listenForStop();
  try {
    const world = await startDemoWorld(choice, progress);
    try {
      const desktop = await orderDesktop(world, progress, stop);
      progress.rest();
      if (values.once !== true) {
        console.error(renderHints(world, desktop));
        await new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));
        progress.step('stopping');
      }
      const seconds = Number(((desktop.readyAtMs - startedAt) / 1_000).toFixed(1));
      const { address, selectedProtocol } = desktop;
      await world.stop();
      console.log(JSON.stringify({ address, selectedProtocol, seconds, P21: seconds }));
    } catch (error) {
      await world.stop();
      throw error;
    }
  } finally {
    progress.stop();
  }
}

function parse() {
  try {
    const { values } = parseArgs({
      options: { once: { type: 'boolean' }, cluster: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    return { ...values, choice: parseCluster(values.cluster ?? 'embedded') };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${message}\nnpm run demo -- --help shows the options.`);
  }
}

class UsageError extends Error {
  override readonly name = 'UsageError';
}

function parseCluster(text: string): ClusterChoice {
  const found = CLUSTERS.find((choice) => choice === text);
  if (found === undefined) throw new Error(`--cluster is ${CLUSTERS.join(', ')}, not ${JSON.stringify(text)}`);
  return found;
}

function renderHints({ kubeconfigPath, checkout }: DemoWorld, { configPath, rdpFile }: OrderedDesktop): string {
  return `
Everything stays up until Ctrl-C. Try, in another terminal and in this folder, as anna:

  export SUBLET_CONFIG=${configPath}
  node launch.mjs cli/main.ts desktop list
  node launch.mjs cli/main.ts desktop stop anna-desk --wait

and as an administrator of the cluster:

  export KUBECONFIG=${kubeconfigPath}
  kubectl get sublet --all-namespaces
  kubectl -n t-acme--bob describe rdp anna-desk
  kubectl -n t-acme--bob patch rdp anna-desk --type merge -p '{"spec":{"power":"Stopped"}}'
  kubectl -n sublet-fleet get externalartifacts,kustomizations

A clone of the fleet repository is ${checkout}: git pull, change a file below tenants/, commit, and git push origin main.
The .rdp file of the desktop is ${rdpFile}`;
}

function renderCauses(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\nbecause: ${renderCauses(error.cause)}`;
}

try {
  await main();
} catch (error) {
  console.error(`demo: ${renderCauses(error)}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
