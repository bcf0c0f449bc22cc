import { parseArgs } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { createClient } from '../../kube/client.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { renderError } from '../../kube/errors.ts';
import { parseOptions, QUICK_TIMINGS, type SimulatorOptions } from './options.ts';
import { startKubeVirtSimulator } from './simulator.ts';

const USAGE = `Plays KubeVirt, CDI, storage and load balancer on the cluster that KUBECONFIG names. No virtual machine ever boots.

  --quick                           every step within a second
  --rdp-port <port>                 where desktops listen (default 3389)
  --desktop-addresses <cidr>        their range in 127.0.0.0/8 (default 127.64.0.0/12)
  --load-balancer-addresses <cidr>  range of LoadBalancer Services (default 127.96.0.0/12)
  --log-level <level>               default info
`;

try {
  await main();
} catch (error) {
  process.stderr.write(`kubevirt-simulator: ${renderError(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean' },
      'rdp-port': { type: 'string' },
      'desktop-addresses': { type: 'string' },
      'load-balancer-addresses': { type: 'string' },
      'log-level': { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  const desktopAddresses = values['desktop-addresses'];
  const loadBalancerAddresses = values['load-balancer-addresses'];
  const options: SimulatorOptions = {
    ...(values.quick === true ? { timings: QUICK_TIMINGS } : {}),
    ...(values['rdp-port'] === undefined ? {} : { rdpPort: Number(values['rdp-port']) }),
    ...(desktopAddresses === undefined ? {} : { desktopAddresses }),
    ...(loadBalancerAddresses === undefined ? {} : { loadBalancerAddresses }),
  };
  await run(options, values['log-level'] ?? 'info');
}

async function run(options: SimulatorOptions, level: string): Promise<void> {
  const settings = parseOptions(options);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  const server = kubeConfig.getCurrentCluster()?.server;
  if (server === undefined) throw new Error('no cluster: set KUBECONFIG to a kubeconfig with a current context');
  const deps = { clock: realClock, random: realRandom, log: pino({ level }, pino.destination(2)) };
  const client = createClient({ ...deps, kubeConfig });
  try {
    const simulator = await startKubeVirtSimulator({ ...deps, client }, options);
    process.stdout.write(`Simulated KubeVirt on ${server}: no virtual machine ever boots.
  desktops        ${settings.desktopAddresses} port ${settings.rdpPort}, each a real RDP negotiation
  load balancers  ${settings.loadBalancerAddresses}
  storage classes ${settings.storageClasses.join(', ')}
Stop with Ctrl-C.
`);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void simulator.stop());
    await simulator.stopped;
  } finally {
    await client.close();
  }
}
