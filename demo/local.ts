import { startCluster } from '../test/cluster/cluster.ts';
import { startWorld } from '../test/support/world.ts';
import type { DemoDeps, DemoWorld } from './world.ts';

/** On a real control plane with real Flux, which is started on this machine, each role a process under its own ServiceAccount. */
export async function startLocalDemo({ step, detail }: DemoDeps): Promise<DemoWorld> {
  step('starting etcd, the API server, controller manager, scheduler and Flux');
  const cluster = await startCluster({ flux: true, log: detail });
  try {
    step('installing Sublet and starting its roles under their own ServiceAccounts');
    const world = await startWorld({ cluster, log: detail });
    return {
      environment: world.environment,
      checkout: world.checkout,
      kubeconfigPath: cluster.kubeconfigPath,
      push: world.push,
      read: async (url) => {
        const { status, body } = await cluster.admin.call('GET', url);
        return status === 200 ? body : undefined;
      },
      logTail: () => `operator: ${world.logTail('operator')}\nsource: ${world.logTail('source')}`,
      stop: async () => {
        await world.stop();
        await cluster.stop();
      },
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
