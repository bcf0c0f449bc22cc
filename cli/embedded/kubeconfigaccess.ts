import { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { realClock, realRandom } from '../../kube/clock.ts';
import { createTransport } from '../../kube/transport.ts';
import { type Access, createAccess, usernameOf } from './access.ts';

/** The cluster of a kubeconfig's current context; ServiceAccounts are impersonated. Throws an Error when there is no such context. */
export function accessByKubeConfig(kubeConfig: KubeConfig, log: Logger): Access {
  const [cluster, user] = [kubeConfig.getCurrentCluster(), kubeConfig.getCurrentUser()];
  if (cluster === null || user === null)
    throw new Error('the kubeconfig has no current context with a cluster and a user');
  const deps = { clock: realClock, random: realRandom, log };
  return createAccess((account) => {
    if (account === undefined)
      return createTransport({ ...deps, kubeConfig }, { connections: 32, userAgent: 'sublet-demo' });
    const acting = new KubeConfig();
    acting.loadFromClusterAndUser(cluster, { ...user, impersonateUser: usernameOf(account) });
    return createTransport({ ...deps, kubeConfig: acting }, { connections: 8, userAgent: account.name });
  });
}
