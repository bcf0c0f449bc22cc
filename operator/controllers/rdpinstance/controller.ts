import { type Controller, createController, type Predicate, type Watch, watchOf } from '../../../kube/controller.ts';
import { type KubeObject, objectKey } from '../../../kube/object.ts';
import { FINALIZER } from '../../../model/labels.ts';
import type { OperatorContext } from '../../context.ts';
import { mapChild, mapImage, mapPlan, mapShortfall, mapSubtree } from './map.ts';
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
    watchOf({ informer: tenants, map: (tenant) => subtreeOf(tenant.status?.namespace), predicate: SPEC_CHANGED }),
    watchOf({
      informer: informers.namespaces,
      map: (namespace) => subtreeOf(namespace.metadata.name),
      predicate: ANNOTATIONS_CHANGED,
    }),
    watchOf({
      informer: informers.plans,
      map: ({ metadata }) => mapPlan(context, { namespace: metadata.namespace ?? '', name: metadata.name }),
    }),
    watchOf({
      informer: informers.dataSources,
      map: ({ metadata }) => mapImage(context, metadata.name),
      predicate: ANNOTATIONS_CHANGED,
    }),
    watchOf({ informer: informers.grants, map: ({ metadata }) => mapShortfall(context, metadata.namespace ?? '') }),
    watchOf({
      informer: informers.quotas,
      map: ({ metadata }) =>
        subtreeOf(metadata.namespace).filter((key) => mapShortfall(context, key.split('/')[0] ?? '').includes(key)),
    }),
  ];
}

/** Our own status writes are no news; everything else about a desktop is. */
const DESKTOP_CHANGED: Predicate<KubeObject> = {
  onUpdate: (old, desktop) =>
    old.metadata.generation !== desktop.metadata.generation ||
    old.metadata.uid !== desktop.metadata.uid ||
    old.metadata.deletionTimestamp !== desktop.metadata.deletionTimestamp ||
    (hasFinalizer(old) && !hasFinalizer(desktop)) ||
    !sameEntries(old.metadata.labels, desktop.metadata.labels),
};

const SPEC_CHANGED: Predicate<
  KubeObject & { readonly status?: { readonly namespace?: string | undefined } | undefined }
> = {
  onUpdate: (old, tenant) =>
    old.metadata.generation !== tenant.metadata.generation || old.status?.namespace !== tenant.status?.namespace,
};

const ANNOTATIONS_CHANGED: Predicate<KubeObject> = {
  onUpdate: (old, object) => !sameEntries(old.metadata.annotations, object.metadata.annotations),
};

function hasFinalizer({ metadata }: KubeObject): boolean {
  return metadata.finalizers?.includes(FINALIZER) ?? false;
}

type Entries = Readonly<Record<string, string>> | undefined;

function sameEntries(a: Entries, b: Entries): boolean {
  const [left, right] = [a ?? {}, b ?? {}];
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => left[key] === right[key]);
}
