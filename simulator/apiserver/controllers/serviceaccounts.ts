import { NAMESPACES, SERVICEACCOUNTS } from '../../../kube/builtin.ts';
import { createClientOn } from '../../../kube/client.ts';
import { isAlreadyExists, isForbidden } from '../../../kube/errors.ts';
import { type KubeObject, qualifiedName } from '../../../kube/object.ts';
import { type ControllerDeps, controllerUser, type RunningController } from './deps.ts';
import { CLIENT_GO_BACKOFF, startWorker } from './worker.ts';

export type ServiceAccountsOptions = {
  /** From a namespace's creation, or the account's removal, to the new account. Default 20. */
  readonly delayMs?: number | undefined;
};

const NAME = 'default';

/** Gives each active namespace its ServiceAccount `default`, and gives it again when somebody takes it away. */
export function startServiceAccounts(deps: ControllerDeps, options: ServiceAccountsOptions = {}): RunningController {
  const { delayMs = 20 } = options;
  const { state } = deps;
  const client = createClientOn(deps.connect(controllerUser('service-account-controller')));
  const isMissing = (namespace: string): boolean =>
    isActive(state.object(NAMESPACES, { name: namespace })) &&
    state.object(SERVICEACCOUNTS, { namespace, name: NAME }) === undefined;
  const worker = startWorker(deps, {
    name: 'serviceaccounts',
    backoff: CLIENT_GO_BACKOFF,
    reconcile: async (namespace) => {
      if (!isMissing(namespace)) return undefined;
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace } };
      try {
        await client.create<KubeObject>(SERVICEACCOUNTS, account, { fieldManager: 'kube-controller-manager' });
      } catch (error) {
        if (!isAlreadyExists(error) && !isTerminating(error)) throw error;
      }
      return undefined;
    },
  });
  const look = (namespace: string): void => {
    if (isMissing(namespace)) worker.add(namespace, delayMs);
  };
  const unsubscribe = state.subscribe(({ resource, type, object }) => {
    const kind = qualifiedName(resource);
    if (kind === 'namespaces' && type !== 'DELETED') look(object.metadata.name);
    if (kind === 'serviceaccounts' && type === 'DELETED') look(object.metadata.namespace ?? '');
  });
  for (const { metadata } of state.objects(NAMESPACES)) look(metadata.name);
  return {
    stop: async () => {
      unsubscribe();
      await worker.stop();
      await client.close();
    },
  };
}

function isActive(namespace: KubeObject | undefined): boolean {
  const { status } = (namespace ?? {}) as { readonly status?: { readonly phase?: string } };
  return status?.phase === 'Active';
}

function isTerminating(error: unknown): boolean {
  return isForbidden(error) && (error.details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating');
}
