import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import type { Access } from '../cli/embedded/access.ts';
import { accessByKubeConfig } from '../cli/embedded/kubeconfigaccess.ts';
import { startWorld } from '../cli/embedded/world.ts';
import { QUICK_TIMINGS } from '../simulator/kubevirt/options.ts';
import { untilCounted } from './counted.ts';
import { asDemoWorld, logPath, makeFolder } from './embedded.ts';
import type { DemoDeps, DemoWorld } from './world.ts';

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const REAL = [
  { name: 'KubeVirt', definition: 'virtualmachines.kubevirt.io', simulator: 'kubevirt-simulator' },
  { name: 'Flux', definition: 'gitrepositories.source.toolkit.fluxcd.io', simulator: 'flux-simulator' },
] as const;

/**
 * On the cluster of the current kubeconfig context. The operator, the fleet source, and simulated Flux and KubeVirt run on this machine, so the cluster
 * has to reach nothing here. Rejects, having changed nothing, where KubeVirt or Flux is installed, or when the context may not do it.
 */
export async function startCurrentDemo({ step, detail }: DemoDeps): Promise<DemoWorld> {
  const kubeConfig = loadKubeConfig();
  const server = kubeConfig.getCurrentCluster()?.server;
  const folder = await makeFolder();
  const log = pino({ level: 'info' }, pino.destination({ dest: logPath(folder), sync: true }));
  const access = accessByKubeConfig(kubeConfig, log);
  const close = async (): Promise<void> => {
    await access.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    step(`looking at context ${kubeConfig.getCurrentContext()}, ${server}`);
    await refuseReal(access);
    for (const line of INSTALLED) detail(line);
    const options = { folder, environment: 'staging', gitPort: 0, restPort: 0, orders: false } as const;
    const world = await startWorld({ access, log, step }, { ...options, kubevirt: { timings: QUICK_TIMINGS } });
    const demo = asDemoWorld(world, folder);
    step('waiting until the cluster counts objects of the new kinds, which takes it up to 30 s');
    await untilCounted(access);
    const kubeconfigPath = path.join(folder, 'kubeconfig');
    await writeFile(kubeconfigPath, kubeConfig.exportConfig(), { mode: 0o600 });
    const stop = async (): Promise<void> => {
      await world.stop();
      await close();
      detail(LEFT);
    };
    return { ...demo, kubeconfigPath, stop };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Where nothing is configured the loader makes up a cluster on localhost, which nobody meant. */
function loadKubeConfig(): KubeConfig {
  const kubeConfig = new KubeConfig();
  try {
    kubeConfig.loadFromDefault();
  } catch (error) {
    throw new Error('the kubeconfig cannot be read: set KUBECONFIG to one with a current context', { cause: error });
  }
  const server = kubeConfig.getCurrentCluster()?.server ?? '';
  if (server.startsWith('https://')) return kubeConfig;
  throw new Error('no cluster: set KUBECONFIG to a kubeconfig with a current context');
}

async function refuseReal(access: Access): Promise<void> {
  for (const { name, definition, simulator } of REAL) {
    const found = (await access.get(`${DEFINITIONS}/${definition}`)) as Labelled | undefined;
    if (found === undefined || found.metadata?.labels?.['app.kubernetes.io/managed-by'] === simulator) continue;
    throw new Error(
      `${name} is installed on this cluster, and the demo would play it: use a cluster without it, or npm run demo without --cluster`,
    );
  }
}

type Labelled = { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } };

const INSTALLED = [
  'it gets: definitions of Sublet, and of KubeVirt, CDI and Flux as the simulators have them',
  '         namespaces sublet-system, sublet-root, sublet-fleet, sublet-images and kubevirt, later t-acme and t-acme--bob',
  '         ClusterRoles, bindings and ValidatingAdmissionPolicies named sublet-*, StorageClasses standard and fast',
  'nothing is asked for; the operator and everything simulated run on this machine and impersonate their ServiceAccounts',
];

const LEFT = 'what was installed stays on the cluster; docs/guides/develop.md says how to remove it';
