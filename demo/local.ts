import { PROVIDER_BINDING } from '../cli/embedded/people.ts';
import { ROOT_NAMESPACE } from '../model/names.ts';
import { startCluster } from '../test/cluster/cluster.ts';
import { startApiProcess } from '../test/support/api.ts';
import { startWorld } from '../test/support/world.ts';
import type { DemoDeps, DemoWorld } from './world.ts';

const ROLEBINDINGS = `/apis/rbac.authorization.k8s.io/v1/namespaces/${ROOT_NAMESPACE}/rolebindings`;

/** On a real control plane with real Flux, which is started on this machine, each role a process under its own ServiceAccount. */
export async function startLocalDemo({ step, detail }: DemoDeps): Promise<DemoWorld> {
  step('starting etcd, the API server, controller manager, scheduler and Flux');
  const cluster = await startCluster({ flux: true, log: detail });
  try {
    step('installing Sublet and starting its roles under their own ServiceAccounts');
    const world = await startWorld({ cluster, log: detail });
    step('starting the API under its ServiceAccount, and an issuer of OpenID Connect tokens');
    await cluster.admin.ask('POST', ROLEBINDINGS, PROVIDER_BINDING);
    const api = await startApiProcess(cluster, world.environment);
    return {
      environment: world.environment,
      checkout: world.checkout,
      api,
      kubeconfigPath: cluster.kubeconfigPath,
      push: world.push,
      git: world.git,
      read: async (url) => {
        const { status, body } = await cluster.admin.call('GET', url);
        return status === 200 ? body : undefined;
      },
      logTail: () =>
        `operator: ${world.logTail('operator')}\nsource: ${world.logTail('source')}\napi: ${api.logTail()}`,
      stop: async () => {
        await api.stop();
        await world.stop();
        await cluster.stop();
      },
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
