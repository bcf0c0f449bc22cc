import type { ControllerDeps, RunningController } from './deps.ts';
import { type GarbageCollectorOptions, startGarbageCollector } from './garbagecollector.ts';
import { type NamespacesOptions, startNamespaces } from './namespaces.ts';
import { type ResourceQuotasOptions, startResourceQuotas } from './resourcequotas.ts';
import { type ServiceAccountsOptions, startServiceAccounts } from './serviceaccounts.ts';

export type { Change, ClusterState, ControllerDeps, RunningController } from './deps.ts';
export { startGarbageCollector } from './garbagecollector.ts';
export { startNamespaces } from './namespaces.ts';
export { startResourceQuotas } from './resourcequotas.ts';
export { startServiceAccounts } from './serviceaccounts.ts';

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
export function startControllers(deps: ControllerDeps, options: ControllersOptions = {}): RunningController {
  const { garbageCollector, namespaces, resourceQuotas, serviceAccounts } = options;
  const running: RunningController[] = [];
  if (serviceAccounts !== null) running.push(startServiceAccounts(deps, serviceAccounts));
  if (resourceQuotas !== null) running.push(startResourceQuotas(deps, resourceQuotas));
  if (namespaces !== null) running.push(startNamespaces(deps, namespaces));
  if (garbageCollector !== null) running.push(startGarbageCollector(deps, garbageCollector));
  return { stop: async () => void (await Promise.all(running.map((controller) => controller.stop()))) };
}
