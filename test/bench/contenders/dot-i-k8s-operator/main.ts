// An operator on @dot-i/k8s-operator, doing the same work with the client library that it brings.

import dotI from '@dot-i/k8s-operator';
import * as k8s from '@kubernetes/client-node';
import { GROUP, VERSION } from '../../../../model/group.ts';
import { FIELD_MANAGER, FINALIZER } from '../../../../model/labels.ts';
import { FLEET_NAMESPACE, ROOT_NAMESPACE } from '../../../../model/names.ts';
import { serveRole } from '../../lib/rolechild.ts';
import { buildChildren, buildStatus, withAppliedHash } from '../../lib/workload.ts';

const FLUX = ['kustomize.toolkit.fluxcd.io', 'v1'] as const;

class TenantOperator extends dotI.default {
  protected override async init(): Promise<void> {
    await this.watchResource(GROUP, VERSION, 'tenants', (event) => this.reconcile(event), ROOT_NAMESPACE);
  }

  private async reconcile(event: dotI.ResourceEvent): Promise<void> {
    const object = event.object as k8s.KubernetesObject & { status?: { observedGeneration?: number } };
    const { name, uid = '', generation = 1 } = object.metadata ?? {};
    if (name === undefined || object.status?.observedGeneration === generation) return;
    if (await this.handleResourceFinalizer(event, FINALIZER, async () => {})) return;
    for (const stage of buildChildren(name, uid)) await Promise.all(stage.map(create));
    const nowIso = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    // A resourceVersion in the patch would make it conflict with every write since the event.
    await this.patchResourceStatus(
      { ...event.meta, resourceVersion: undefined as never },
      buildStatus(name, generation, nowIso),
    );
  }
}

const kubeConfig = new k8s.KubeConfig();
kubeConfig.loadFromDefault();
const core = kubeConfig.makeApiClient(k8s.CoreV1Api);
const networking = kubeConfig.makeApiClient(k8s.NetworkingV1Api);
const rbac = kubeConfig.makeApiClient(k8s.RbacAuthorizationV1Api);
const custom = kubeConfig.makeApiClient(k8s.CustomObjectsApi);

async function create(intent: Parameters<typeof withAppliedHash>[0]): Promise<void> {
  const body = withAppliedHash(intent) as never;
  const options = [undefined, undefined, FIELD_MANAGER] as const;
  const namespace = intent.metadata.namespace ?? '';
  try {
    switch (intent.kind) {
      case 'Namespace':
        await core.createNamespace(body, ...options);
        return;
      case 'ResourceQuota':
        await core.createNamespacedResourceQuota(namespace, body, ...options);
        return;
      case 'ServiceAccount':
        await core.createNamespacedServiceAccount(namespace, body, ...options);
        return;
      case 'NetworkPolicy':
        await networking.createNamespacedNetworkPolicy(namespace, body, ...options);
        return;
      case 'Role':
        await rbac.createNamespacedRole(namespace, body, ...options);
        return;
      case 'RoleBinding':
        await rbac.createNamespacedRoleBinding(namespace, body, ...options);
        return;
      case 'Kustomization':
        await custom.createNamespacedCustomObject(...FLUX, FLEET_NAMESPACE, 'kustomizations', body, ...options);
        return;
      default:
        throw new Error(`no client for ${intent.kind}`);
    }
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode !== 409) throw error;
  }
}

const operator = new TenantOperator();
await operator.start();
serveRole({ stop: async () => operator.stop() });
