import { RESOURCEQUOTAS } from '../../../kube/builtin.ts';
import { createClientOn } from '../../../kube/client.ts';
import type { Timer } from '../../../kube/clock.ts';
import { type KubeObject, objectKey, parseKey, type Resource } from '../../../kube/object.ts';
import { computeQuotaStatus, concerns, isQuota, type ResourceQuota } from '../admission/quotacount.ts';
import { type ControllerDeps, controllerUser, type RunningController } from './deps.ts';
import { CLIENT_GO_BACKOFF, orAbsent, startWorker } from './worker.ts';

export type ResourceQuotasOptions = {
  /** From a new limit, or the removal of an object that counts, to the status. Default 50. */
  readonly delayMs?: number | undefined;
  /** Between counts of everything, which find what admission charged and was then not made. 0: never. Default 300 000, as Kubernetes has it. */
  readonly resyncMs?: number | undefined;
};

/** Keeps `status.hard` and `status.used` of ResourceQuotas. What is created, admission adds; what goes, is counted here. */
export function startResourceQuotas(deps: ControllerDeps, options: ResourceQuotasOptions = {}): RunningController {
  const { delayMs = 50, resyncMs = 300_000 } = options;
  const { state } = deps;
  const client = createClientOn(deps.connect(controllerUser('resourcequota-controller')));
  const countIn = (namespace: string) => (resource: Resource) => state.count(resource, namespace);
  const worker = startWorker(deps, {
    name: 'resourcequotas',
    backoff: CLIENT_GO_BACKOFF,
    reconcile: async (key) => {
      const { namespace = '', name } = parseKey(key);
      const quota = state.object(RESOURCEQUOTAS, { namespace, name }) as ResourceQuota | undefined;
      const status = quota && computeQuotaStatus(quota, state.kinds(), countIn(namespace));
      if (status === undefined) return undefined;
      const write = { subresource: 'status', fieldManager: 'kube-controller-manager' };
      await orAbsent(client.update(RESOURCEQUOTAS, { ...quota, status } as ResourceQuota, write));
      return undefined;
    },
  });
  const look = (quota: KubeObject): void => worker.add(objectKey(quota), delayMs);
  const lookAtAll = (): void => {
    for (const quota of state.objects(RESOURCEQUOTAS)) look(quota);
  };
  const unsubscribe = state.subscribe(({ resource, type, object }) => {
    if (isQuota(resource) && type !== 'DELETED' && hasNewLimits(object)) look(object);
    if (type !== 'DELETED' || !resource.namespaced) return;
    for (const quota of state.objects(RESOURCEQUOTAS, object.metadata.namespace)) {
      if (concerns(quota, resource)) look(quota);
    }
  });
  const resync = startResync(deps, resyncMs, lookAtAll);
  lookAtAll();
  return {
    stop: async () => {
      unsubscribe();
      resync.stop();
      await worker.stop();
      await client.close();
    },
  };
}

function hasNewLimits({ spec, status }: ResourceQuota): boolean {
  return JSON.stringify(spec?.hard) !== JSON.stringify(status?.hard);
}

function startResync({ clock }: ControllerDeps, resyncMs: number, resync: () => void): { stop(): void } {
  let timer: Timer | undefined;
  const arm = (): void => {
    timer = clock.setTimeout(() => {
      resync();
      arm();
    }, resyncMs);
  };
  if (resyncMs > 0) arm();
  return { stop: () => clock.clearTimeout(timer) };
}
