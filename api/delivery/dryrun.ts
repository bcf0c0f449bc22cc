import type { DryRun } from '../../gitops/writer/target.ts';
import type { Client } from '../../kube/client.ts';
import { isNotFound, StatusError } from '../../kube/errors.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';
import { TENANT_REPOSITORY_NAME } from '../../model/repository.ts';

/** What Flux names itself when it applies. */
const FLUX_FIELD_MANAGER = 'kustomize-controller';
/** Refusals that are about the resource. Everything else may be otherwise in a moment, or is our own fault. */
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 422]);

/**
 * Asks the API server whether it would take a change, as the account that Flux applies the folder with, so that schema, admission and rights answer before the commit and to its
 * author. A namespace that is not there yet, or whose objects are not counted yet, is no refusal: what makes it may be on the way.
 */
export function createDryRun(
  client: Client,
  resources: readonly Resource[],
  accountOf: (namespace: string) => string | undefined,
): DryRun {
  return async (change, object, signal) => {
    const { kind, namespace, name } = change.intent.target;
    const resource = resources.find((one) => one.kind === kind);
    const impersonate = accountOf(namespace);
    if (resource === undefined || impersonate === undefined) return { type: 'accepted' };
    const options = { dryRun: true, impersonate, signal } as const;
    try {
      if (object === undefined) await client.delete(resource, { namespace, name }, options);
      else
        await client.apply(resource, asApplied(object, namespace), {
          ...options,
          fieldManager: FLUX_FIELD_MANAGER,
          force: true,
        });
      return { type: 'accepted' };
    } catch (error) {
      if (isNotFound(error) || isUncounted(error)) return { type: 'accepted' };
      if (!(error instanceof StatusError) || !REFUSALS.has(error.code)) throw error;
      if (error.message.includes('cannot impersonate')) throw error;
      return { type: 'refused', message: error.message };
    }
  };
}

/** Whether a ResourceQuota names the kind before Kubernetes has counted it: Flux does not apply the folder before that either. */
function isUncounted(error: unknown): boolean {
  return error instanceof StatusError && error.code === 403 && error.message.includes('status unknown for quota: ');
}

/** As whom Flux applies a tenant's namespace: an account of the fleet's namespace, or where it has a repository of its own one beside that. */
export function nameFluxAccount(
  namespace: string,
  { isOwn, fleetNamespace }: { readonly isOwn: boolean; readonly fleetNamespace: string },
): string {
  const [at, name] = isOwn ? [namespace, TENANT_REPOSITORY_NAME] : [fleetNamespace, namespace];
  return `system:serviceaccount:${at}:${name}`;
}

/** Flux puts what stands in a folder into the folder's namespace. */
function asApplied(object: Readonly<Record<string, unknown>>, namespace: string): KubeObject {
  const { metadata, ...rest } = object as { readonly metadata: { readonly name: string } };
  return { ...rest, metadata: { ...metadata, namespace } } as KubeObject;
}
