import type { Reason } from '../../../crds/v1alpha1/conditions.ts';
import type { RDPInstance } from '../../../crds/v1alpha1/rdpinstance.ts';
import { type KubeObject, objectKey, parseKey } from '../../../kube/object.ts';
import { LABEL_OWNER_KIND, LABEL_OWNER_NAME } from '../../../model/labels.ts';
import type { ConfigMap, OperatorContext } from '../../context.ts';
import { parseLedger } from '../../grants/ledger.ts';
import { BY_NAMESPACE, BY_SELLER } from '../../informers.ts';
import { listSubtree } from '../../tree.ts';
import { grantKey } from './sweep.ts';

type Desktop = RDPInstance & KubeObject;

/** The desktop that a child belongs to, by the labels on it. */
export function mapChild(child: KubeObject): readonly string[] {
  const labels = child.metadata.labels;
  const name = labels?.[LABEL_OWNER_NAME];
  if (labels?.[LABEL_OWNER_KIND] !== 'RDPInstance' || name === undefined) return [];
  return [`${child.metadata.namespace}/${name}`];
}

/** Desktops in a namespace and in those of all tenants sold below it. */
export function mapSubtree(context: OperatorContext, namespace: string): readonly string[] {
  return listSubtree(context, namespace).flatMap((one) =>
    context.informers.desktops.byIndex(BY_NAMESPACE, one).map(objectKey),
  );
}

/** Desktops that are sold by a Plan, or by one that is based on it further down. */
export function mapPlan(
  context: OperatorContext,
  plan: { readonly namespace: string; readonly name: string },
): readonly string[] {
  const { desktops, plans } = context.informers;
  const below = context.informers.namespaces.byIndex(BY_SELLER, plan.namespace);
  return below.flatMap(({ metadata: { name: namespace } }) => [
    ...desktops
      .byIndex(BY_NAMESPACE, namespace)
      .filter(({ spec }) => spec.plan === plan.name)
      .map(objectKey),
    ...plans
      .byIndex(BY_NAMESPACE, namespace)
      .filter(({ spec }) => spec.basedOn === plan.name)
      .flatMap(({ metadata }) => mapPlan(context, { namespace, name: metadata.name })),
  ]);
}

/** Desktops that were ordered with an image. */
export function mapImage(context: OperatorContext, image: string): readonly string[] {
  return context.informers.desktops
    .list()
    .filter(({ spec }) => spec.image === image)
    .map(objectKey);
}

/** Desktops in a namespace, and below it, that wait for a share or may be about to: limits come from above. */
export function mapShortfall(context: OperatorContext, namespace: string): readonly string[] {
  return listSubtree(context, namespace).flatMap((one) =>
    context.informers.desktops
      .byIndex(BY_NAMESPACE, one)
      .filter((desktop) => mayLackShare(context, desktop))
      .map(objectKey),
  );
}

/** Whom a change in a record of grants concerns: desktops that wait for a share, and shares whose desktop is gone. */
export function mapGrants(context: OperatorContext, record: ConfigMap): readonly string[] {
  const { namespace = '' } = record.metadata;
  const left = [...parseLedger(record.data).ledger.keys()]
    .filter((key) => key.startsWith('desktops/'))
    .map((key) => `${namespace}/${parseKey(key).name}`)
    .filter((key) => context.informers.desktops.get(key) === undefined);
  return [...mapShortfall(context, namespace), ...left];
}

const REFUSED: ReadonlySet<string> = new Set<Reason>(['QuotaExceeded', 'GrantsUnreadable']);

/**
 * Those that were refused; and those that a reconcile may be refusing just now, on the limits of before: their status says that only when it has ended, and nothing
 * would wake them then.
 */
function mayLackShare({ grants }: OperatorContext, { metadata, status }: Desktop): boolean {
  if (grants.recorded(metadata.namespace ?? '', grantKey(objectKey({ metadata }))) === undefined) return true;
  return status?.conditions?.some(({ type, reason }) => type === 'Ready' && REFUSED.has(reason)) ?? false;
}
