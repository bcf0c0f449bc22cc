import type { Clock, Random } from '../../../kube/clock.ts';
import type { UserInfo } from '../kinds.ts';
import type { ApiServer, ApiServerDeps } from '../server.ts';
import { createInProcessTransport } from '../transport.ts';
import type { ControllerDeps, RunningController } from './deps.ts';
import { type GarbageCollectorOptions, startGarbageCollector } from './garbagecollector.ts';
import { type NamespacesOptions, startNamespaces } from './namespaces.ts';
import { type ResourceQuotasOptions, startResourceQuotas } from './resourcequotas.ts';
import { type ServiceAccountsOptions, startServiceAccounts } from './serviceaccounts.ts';
import { createClusterState } from './state.ts';

export type { RunningController } from './deps.ts';

/** Each with its own delays; null leaves a controller out. */
export type ControllersOptions = {
  readonly garbageCollector?: GarbageCollectorOptions | null | undefined;
  readonly namespaces?: NamespacesOptions | null | undefined;
  readonly resourceQuotas?: ResourceQuotasOptions | null | undefined;
  readonly serviceAccounts?: ServiceAccountsOptions | null | undefined;
};

/** No delay anywhere: what follows from a change has happened once the clock stands still. */
export const IMMEDIATE = {
  garbageCollector: { delayMs: 0 },
  namespaces: { graceMs: 0 },
  resourceQuotas: { delayMs: 0 },
  serviceAccounts: { delayMs: 0 },
} as const satisfies ControllersOptions;

/** Starts what a control plane runs beside its API server, from whatever state there is. */
export function startControllers(
  deps: ApiServerDeps & { readonly server: ApiServer },
  options: ControllersOptions = {},
): RunningController {
  const state = createClusterState(deps.server.core);
  return startControllersOn({ ...deps, state, connect: (user) => connect(deps, user) }, options);
}

/** The same with the caller's own way to the server. */
export function startControllersOn(shared: ControllerDeps, options: ControllersOptions = {}): RunningController {
  const { garbageCollector, namespaces, resourceQuotas, serviceAccounts } = options;
  const running: RunningController[] = [];
  if (serviceAccounts !== null) running.push(startServiceAccounts(shared, serviceAccounts));
  if (resourceQuotas !== null) running.push(startResourceQuotas(shared, resourceQuotas));
  if (namespaces !== null) running.push(startNamespaces(shared, namespaces));
  if (garbageCollector !== null) running.push(startGarbageCollector(shared, garbageCollector));
  return { stop: async () => void (await Promise.all(running.map((controller) => controller.stop()))) };
}

const GROUPS = ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'];
const USER_AGENT = 'kube-controller-manager/embedded';

function connect(
  deps: { readonly server: ApiServer; readonly clock: Clock; readonly random: Random },
  username: string,
) {
  const user: UserInfo = { username, groups: GROUPS };
  return createInProcessTransport(deps, { user, userAgent: USER_AGENT });
}
