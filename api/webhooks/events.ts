import { createHash } from 'node:crypto';
import type { Condition } from '../../crds/v1alpha1/conditions.ts';
import type { RDPInstance } from '../../crds/v1alpha1/rdpinstance.ts';
import type { Tenant } from '../../crds/v1alpha1/tenant.ts';
import type { Change } from '../../gitops/journal.ts';
import type { KubeObject } from '../../kube/object.ts';

/** Everything that can be subscribed to. */
export const EVENT_TYPES = ['desktop.ready', 'desktop.failed', 'change.failed', 'tenant.suspended'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Sent on request, to one endpoint. */
export const TEST_EVENT = 'webhook.test';

/**
 * Something that happened. `key` is drawn from what happened alone, so whoever sees it, and however often, names it the same. `about`: whose it is, and so everybody's above:
 * a namespace, or the Tenant of that name in a seller's namespace.
 */
export type Happening = {
  readonly type: EventType;
  readonly key: string;
  readonly occurredAtMs: number;
  readonly about:
    | { readonly namespace: string }
    | { readonly sellerNamespace: string; readonly tenant: { readonly name: string; readonly id: string } };
  readonly data: Readonly<Record<string, string | number | undefined>>;
};

/** States in which a change ended without what was asked for. */
export const FAILED_STATES = ['Failed', 'Rejected', 'Conflict'] as const;

const MAX_TEXT = 2_000;

/** Of a desktop as it is now: that it answers, or that it needs a person. Undefined while it is on its way, or rests because somebody wants that. */
export function describeDesktop({ metadata, status }: RDPInstance & KubeObject): Happening | undefined {
  const { namespace = '', name, uid = '' } = metadata;
  const found = judgeDesktop(status?.conditions ?? []);
  if (found === undefined) return undefined;
  const { type, condition } = found;
  const { reason, message, lastTransitionTime } = condition;
  const key = [uid, condition.type, lastTransitionTime, status?.epoch?.vmiUID ?? ''].join(' ');
  const occurredAtMs = Date.parse(lastTransitionTime);
  const data =
    type === 'desktop.ready'
      ? { name, address: status?.address, port: status?.port }
      : { name, reason, message: cut(message) };
  return { type, key, occurredAtMs, about: { namespace }, data };
}

function judgeDesktop(
  conditions: readonly Condition[],
): { readonly type: 'desktop.ready' | 'desktop.failed'; readonly condition: Condition } | undefined {
  const find = (type: string): Condition | undefined => conditions.find((one) => one.type === type);
  const stalled = find('Stalled');
  if (stalled?.status === 'True') return { type: 'desktop.failed', condition: stalled };
  const ready = find('Ready');
  if (ready?.status === 'True') return { type: 'desktop.ready', condition: ready };
  if (ready?.reason === 'ProbeFailed') return { type: 'desktop.failed', condition: ready };
  return undefined;
}

/** Of a Tenant as it is now: that it, or one above it, is suspended or held. */
export function describeTenant({ metadata, spec, status }: Tenant & KubeObject): Happening | undefined {
  const suspended = status?.conditions?.find(({ type }) => type === 'Suspended');
  if (suspended?.status !== 'True') return undefined;
  const { namespace: sellerNamespace = '', name, uid = '' } = metadata;
  const { lastTransitionTime, message } = suspended;
  return {
    type: 'tenant.suspended',
    key: [uid, lastTransitionTime].join(' '),
    occurredAtMs: Date.parse(lastTransitionTime),
    about: { sellerNamespace, tenant: { name, id: spec.id } },
    data: { message: cut(message) },
  };
}

/** Of a change that ended in one of {@link FAILED_STATES}. */
export function describeChange({ id, state, reason, message, intent, updatedAtMs }: Change): Happening {
  const { kind, namespace, name } = intent.target;
  return {
    type: 'change.failed',
    key: id,
    occurredAtMs: updatedAtMs,
    about: { namespace },
    data: { id, state, reason, message: message === undefined ? undefined : cut(message), kind, name },
  };
}

/** The same for the same happening, everywhere and always. */
export function computeEventId({ type, key }: Pick<Happening, 'type' | 'key'>): string {
  return `msg_${createHash('sha256').update(`${type}\n${key}`).digest('hex').slice(0, 32)}`;
}

/** The body that is signed and sent, byte by byte the same at each attempt. `tenant`: path of whose it is; `-` is the provider. */
export function renderBody(
  { type, occurredAtMs, data }: { readonly type: string } & Pick<Happening, 'occurredAtMs' | 'data'>,
  tenant: string,
): string {
  return JSON.stringify({ type, timestamp: new Date(occurredAtMs).toISOString(), data: { tenant, ...data } });
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
}
