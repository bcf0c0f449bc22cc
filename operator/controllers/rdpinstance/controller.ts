import type { Plan } from '../../../crds/v1alpha1/plan.ts';
import { type Controller, createController, type Predicate, type Watch, watchOf } from '../../../kube/controller.ts';
import { type KubeObject, objectKey } from '../../../kube/object.ts';
import { FINALIZER } from '../../../model/labels.ts';
import type { OperatorContext } from '../../context.ts';
import { onSpecChange } from '../../predicates.ts';
import { mapChild, mapGrants, mapImage, mapPlan, mapShortfall, mapSubtree } from './map.ts';
import { createProber } from './prober.ts';
import { createDesktopReconcile } from './reconcile.ts';

/** Desktops from order to tombstone. Wakes for the desktop, its children, and all that it is decided by. */
export function createRDPInstanceController(context: OperatorContext): Controller {
  const { probe, workers } = context.config;
  const settings = {
    timeoutMs: probe.timeoutSeconds * 1_000,
    intervalMs: probe.intervalSeconds * 1_000,
    failureThreshold: probe.failureThreshold,
  };
  const prober = createProber(context, settings, (key) => controller.enqueue(key));
  const controller = createController(context, {
    name: 'rdpinstance',
    workers,
    watches: [...watchChildren(context), ...watchSurroundings(context)],
    reconcile: createDesktopReconcile(context, prober),
  });
  return {
    ...controller,
    start: (signal) => controller.start(signal).finally(() => prober.stop()),
  };
}

function watchChildren({ informers }: OperatorContext): readonly Watch<KubeObject>[] {
  return [
    watchOf({ informer: informers.desktops, map: (desktop) => [objectKey(desktop)], predicate: DESKTOP_CHANGED }),
    watchOf({ informer: informers.virtualMachines, map: mapChild }),
    watchOf({ informer: informers.virtualMachineInstances, map: mapChild }),
    watchOf({ informer: informers.dataVolumes, map: mapChild }),
    watchOf({ informer: informers.claims, map: mapChild }),
    watchOf({ informer: informers.secrets, map: mapChild }),
    watchOf({ informer: informers.services, map: mapChild, ownWrites: false }),
    watchOf({ informer: informers.networkPolicies, map: mapChild, ownWrites: false }),
    watchOf({ informer: informers.roles, map: mapChild, ownWrites: false }),
    watchOf({ informer: informers.roleBindings, map: mapChild, ownWrites: false }),
  ];
}

function watchSurroundings(context: OperatorContext): readonly Watch<KubeObject>[] {
  const { informers } = context;
  const tenants = informers.tenants;
  const subtreeOf = (namespace: string | undefined): readonly string[] =>
    namespace === undefined ? [] : mapSubtree(context, namespace);
  return [
    watchOf({
      informer: tenants,
      map: (tenant) => subtreeOf(tenant.status?.namespace),
      predicate: TENANT_CHANGED,
      required: false,
    }),
    watchOf({
      informer: informers.namespaces,
      map: (namespace) => subtreeOf(namespace.metadata.name),
      predicate: onSpecChange,
    }),
    watchOf<Plan & KubeObject>({
      informer: informers.plans,
      map: ({ metadata: { namespace = '', name }, spec }) =>
        spec.offers === 'Tenant' ? mapShortfall(context, namespace) : mapPlan(context, { namespace, name }),
      predicate: onSpecChange,
      required: false,
    }),
    watchOf({
      informer: informers.dataSources,
      map: ({ metadata }) => mapImage(context, metadata.name),
      predicate: onSpecChange,
    }),
    watchOf({ informer: informers.grants, map: (record) => mapGrants(context, record) }),
    watchOf({
      informer: informers.quotas,
      map: ({ metadata }) => mapShortfall(context, metadata.namespace ?? ''),
      predicate: onSpecChange,
      required: false,
    }),
  ];
}

/** Besides what everybody looks at: somebody took our finalizer off. */
const DESKTOP_CHANGED: Predicate<KubeObject> = {
  onUpdate: (old, desktop) =>
    (onSpecChange.onUpdate?.(old, desktop) ?? true) || (hasFinalizer(old) && !hasFinalizer(desktop)),
};

const TENANT_CHANGED: Predicate<
  KubeObject & { readonly status?: { readonly namespace?: string | undefined } | undefined }
> = {
  onUpdate: (old, tenant) =>
    old.metadata.generation !== tenant.metadata.generation || old.status?.namespace !== tenant.status?.namespace,
};

function hasFinalizer({ metadata }: KubeObject): boolean {
  return metadata.finalizers?.includes(FINALIZER) ?? false;
}
