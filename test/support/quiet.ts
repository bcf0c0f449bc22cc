import { type AuditEvent, isWrite } from '../cluster/audit.ts';
import type { Cluster } from '../cluster/contract.ts';

const POLL_MS = 100;
const QUIET_MS = 3_000;
/** A busy machine is given the time of so many round trips as the slowest of them took. */
const QUIET_ROUND_TRIPS = 50;
const MOST_QUIET_MS = 30_000;
const WITHIN_MS = 300_000;

export type QuietOptions = {
  /** Where to begin in the audit log. Default: at its end. */
  readonly fromByte?: number | undefined;
  /** How long nothing may come, at least. */
  readonly quietMs?: number;
  readonly withinMs?: number;
};

/** Waits until the audit log, which has to be on, shows none of the events for a while; gives its position then. */
export async function waitUntilQuiet(
  cluster: Cluster,
  isMeant: (event: AuditEvent) => boolean,
  { fromByte, quietMs = QUIET_MS, withinMs = WITHIN_MS }: QuietOptions = {},
): Promise<number> {
  const deadline = Date.now() + withinMs;
  let position = fromByte ?? (await cluster.auditEvents()).nextByte;
  let quietSince = Date.now();
  let slowestMs = 0;
  let last: readonly AuditEvent[] = [];
  const neededMs = () => Math.max(quietMs, Math.min(MOST_QUIET_MS, QUIET_ROUND_TRIPS * slowestMs));
  while (Date.now() - quietSince < neededMs()) {
    if (Date.now() > deadline) throw new Error(`it does not end; the last were\n${last.map(renderEvent).join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const askedAt = performance.now();
    await cluster.admin.call('GET', '/version');
    slowestMs = Math.max(slowestMs, performance.now() - askedAt);
    const { events, nextByte } = await cluster.auditEvents(position);
    position = nextByte;
    const meant = events.filter(isMeant);
    if (meant.length > 0) {
      quietSince = Date.now();
      slowestMs = 0;
      last = meant.slice(-10);
    }
  }
  return position;
}

/** Waits until a user has written nothing for a while. */
export function waitUntilSilent(cluster: Cluster, username: string): Promise<number> {
  const isTheirs = (event: AuditEvent) =>
    isWrite(event) && event.user.username === username && event.objectRef?.resource !== 'leases';
  return waitUntilQuiet(cluster, isTheirs);
}

export function renderEvent(event: AuditEvent): string {
  const { resource, namespace, name, subresource } = event.objectRef ?? {};
  return `${event.verb} ${resource}${subresource === undefined ? '' : `/${subresource}`} ${namespace ?? ''}/${name ?? ''} -> ${event.responseStatus?.code} ${JSON.stringify(event.requestObject ?? {}).slice(0, 400)}`;
}
