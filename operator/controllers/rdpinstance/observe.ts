import type { RDPInstance } from '../../../crds/v1alpha1/rdpinstance.ts';
import type { Clock } from '../../../kube/clock.ts';
import { type KubeObject, parseKey } from '../../../kube/object.ts';
import type { DataVolume, VirtualMachine, VirtualMachineInstance } from '../../../kubevirt/index.ts';
import { LABEL_OWNER_KIND, LABEL_OWNER_NAME, LABEL_TENANT_ID } from '../../../model/labels.ts';
import { desktopChildName } from '../../../model/names.ts';
import { resolvePlan } from '../../../model/planlookup.ts';
import { TENANT_REPOSITORY_NAME } from '../../../model/repository.ts';
import type { OperatorContext } from '../../context.ts';
import { ownerOf } from '../../informers.ts';
import type { Seller } from '../../tree.ts';
import type { DesktopObservation, Members } from './observation.ts';

/** Reads everything that decides about one desktop; from caches only. */
export function observeDesktop(context: OperatorContext, desktop: RDPInstance & KubeObject): DesktopObservation {
  const { informers, tree, config } = context;
  const { namespace = '', name } = desktop.metadata;
  const owner = tree.owner(namespace);
  const seller = owner?.seller;
  const child = `${namespace}/${desktopChildName(name)}`;
  // While it is not seen whose namespace this is, what carries the operator's labels is the desktop's still: its guest has not ended for that.
  const own = <T extends KubeObject>(object: T | undefined): T | undefined => {
    if (object === undefined || owner === undefined) return ownByLabels(object, name);
    return ownerOf(object) === `${owner.tenantId}/RDPInstance/${name}` ? object : undefined;
  };
  return {
    desktop,
    owner: owner && { tenantId: owner.tenantId, path: owner.path, members: listMembers(owner) },
    feed: findFeed(owner, config.fleetNamespace),
    suspensions: owner === undefined ? [] : tree.suspensions(owner),
    plan: seller && resolvePlan(informers.plans, seller, desktop.spec.plan),
    image: informers.dataSources.get(`${config.imagesNamespace}/${desktop.spec.image}`),
    children: {
      disk: own(informers.dataVolumes.get(child)),
      claim: own(informers.claims.get(child)),
      virtualMachine: own(informers.virtualMachines.get(child)),
      instance: own(informers.virtualMachineInstances.get(child)),
      secret: own(informers.secrets.get(child)),
      service: own(informers.services.get(child)),
    },
  };
}

function findFeed(owner: Seller | undefined, fleetNamespace: string): DesktopObservation['feed'] {
  if (owner?.tenant === undefined) return 'Unknown';
  const { namespace, tenant } = owner;
  if (tenant.spec.source?.type === 'Fleet') return { name: namespace, namespace: fleetNamespace };
  return tenant.spec.source?.type === 'Repository' ? { name: TENANT_REPOSITORY_NAME, namespace } : undefined;
}

/** A removed tenant has none any more; one that is merely not there has some that nobody knows. */
function listMembers({ tenant, removed }: Seller): Members | undefined {
  return tenant === undefined && !removed ? undefined : (tenant?.spec.members ?? []);
}

/** What a desktop's removal leaves behind. */
export type StatefulChildren = {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  /** As the children's labels say; empty when there are none. */
  readonly tenantId: string;
  readonly disk: (DataVolume & KubeObject) | undefined;
  readonly secret: KubeObject | undefined;
  readonly virtualMachine: (VirtualMachine & KubeObject) | undefined;
  readonly instance: (VirtualMachineInstance & KubeObject) | undefined;
};

/**
 * Finds a desktop's stateful children without its RDPInstance or its tenant: by name, and by the labels that only the
 * operator writes.
 */
export function observeStateful(context: OperatorContext, key: string): StatefulChildren {
  const { informers } = context;
  const { namespace = '', name } = parseKey(key);
  const child = `${namespace}/${desktopChildName(name)}`;
  const own = <T extends KubeObject>(object: T | undefined): T | undefined => ownByLabels(object, name);
  const disk = own(informers.dataVolumes.get(child));
  const secret = own(informers.secrets.get(child));
  const virtualMachine = own(informers.virtualMachines.get(child));
  const instance = own(informers.virtualMachineInstances.get(child));
  const labels = (virtualMachine ?? disk ?? secret)?.metadata.labels;
  return { key, namespace, name, tenantId: labels?.[LABEL_TENANT_ID] ?? '', disk, secret, virtualMachine, instance };
}

/** An object that carries the labels of a desktop of this name, as only the operator writes them. */
export function ownByLabels<T extends KubeObject>(object: T | undefined, name: string): T | undefined {
  const labels = object?.metadata.labels;
  return labels?.[LABEL_OWNER_KIND] === 'RDPInstance' && labels[LABEL_OWNER_NAME] === name ? object : undefined;
}

/** The present, as Kubernetes writes times: RFC 3339 in whole seconds, rounded down. */
export function renderNow(context: { readonly clock: Clock }): string {
  return new Date(context.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
}
