import type { Logger } from 'pino';
import { type Change, type ChangeState, FINAL_STATES, type Journal } from '../gitops/journal.ts';
import type { Clock, Timer } from '../kube/clock.ts';
import { renderError } from '../kube/errors.ts';

/** What the span of a change is, and which span of the caller's it is part of. */
export type Trace = { readonly traceparent: string; readonly parentId: string | undefined };

/**
 * The trace of a change, in W3C Trace Context form. What the caller sent goes on; else one begins here. The ids come from the change's own, which is random, so
 * that the commit's trailer names the very span that is exported.
 */
export function computeTrace(changeId: string, header: string | undefined): Trace {
  const [, traceId, parentId, flags] = TRACEPARENT.exec(header?.trim() ?? '') ?? [];
  const spanId = changeId.slice(1, 17);
  if (traceId === undefined || parentId === undefined || /^0+$/.test(traceId) || /^0+$/.test(parentId)) {
    return { traceparent: `00-${changeId.slice(9, 41)}-${spanId}-01`, parentId: undefined };
  }
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, parentId };
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Exports a span a change, from its acceptance here to its end. */
export type Telemetry = {
  follow(change: Change, parentId: string | undefined): void;
  /** Sends what is known to have ended. */
  stop(): Promise<void>;
};

export type TelemetryDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly journal: Pick<Journal, 'ended'>;
  readonly fetch: (url: string, init: RequestInit) => Promise<Pick<Response, 'ok' | 'status'>>;
};

const LOOK_MS = 2_000;
const SEND_TIMEOUT_MS = 10_000;
/** What two looks have in common, for rows that became visible late. */
const OVERLAP_MS = 10_000;
const PAGE = 1_000;
/** Beyond this the oldest are not told of. */
const MOST_FOLLOWED = 10_000;

/**
 * Speaks OTLP/HTTP JSON to `<endpoint>/v1/traces`. A replica tells of what it accepted itself, so nothing is told twice; what it followed when it stopped, and what
 * the collector did not take, is lost. Orders never wait for it.
 */
export function startTelemetry(deps: TelemetryDeps, endpoint: string): Telemetry {
  const { clock, log, journal } = deps;
  const followed = new Map<string, string | undefined>();
  let sinceMs = clock.now() - OVERLAP_MS;
  let timer: Timer | undefined;
  let looking: Promise<void> = Promise.resolve();

  const look = async (): Promise<void> => {
    const ended = await journal.ended({ states: FINAL_STATES, sinceMs: sinceMs - OVERLAP_MS, most: PAGE });
    const own = ended.filter(({ id }) => followed.has(id));
    const spans = own.filter(isSampled).map((change) => renderSpan(change, followed.get(change.id)));
    for (const { id } of own) followed.delete(id);
    sinceMs = ended.at(-1)?.updatedAtMs ?? sinceMs;
    if (spans.length > 0) await send(deps, endpoint, spans);
  };
  const lookSafely = (): Promise<void> => {
    looking = looking
      .then(() => (followed.size === 0 ? undefined : look()))
      .catch((error: unknown) => log.warn({ err: renderError(error) }, 'spans were not exported'));
    return looking;
  };
  const arm = (): void => {
    timer = clock.setTimeout(() => void lookSafely().then(() => timer !== undefined && arm()), LOOK_MS);
  };
  arm();

  return {
    follow: ({ id }, parentId) => {
      followed.set(id, parentId);
      const [oldest] = followed.keys();
      if (followed.size > MOST_FOLLOWED && oldest !== undefined) followed.delete(oldest);
    },
    stop: async () => {
      clock.clearTimeout(timer);
      timer = undefined;
      await lookSafely();
    },
  };
}

/** The last digit of the flags, as whoever began the trace wants it. */
function isSampled({ traceparent = '' }: Change): boolean {
  return (Number.parseInt(traceparent.slice(-2), 16) & 1) === 1;
}

async function send({ fetch }: TelemetryDeps, endpoint: string, spans: readonly object[]): Promise<void> {
  const resource = { attributes: [attribute('service.name', 'sublet-api')] };
  const body = { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'sublet' }, spans }] }] };
  const { ok, status } = await fetch(`${endpoint.replace(/\/+$/, '')}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    redirect: 'error',
    signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
  });
  if (!ok) throw new Error(`the collector answered ${status}`);
}

const KIND_INTERNAL = 1;
const STATUS_UNSET = 0;
const STATUS: { readonly [state in ChangeState]?: number } = { Ready: 1, Failed: 2, Conflict: 2, Rejected: 2 };

function renderSpan(change: Change, parentId: string | undefined): object {
  const { id, traceparent = '', intent, state, reason, commit, requestId, acceptedAtMs, updatedAtMs } = change;
  const [, traceId, spanId] = traceparent.split('-');
  const { kind, namespace, name } = intent.target;
  return {
    traceId,
    spanId,
    ...(parentId === undefined ? {} : { parentSpanId: parentId }),
    name: `${intent.type} ${kind}`,
    kind: KIND_INTERNAL,
    startTimeUnixNano: `${acceptedAtMs}000000`,
    endTimeUnixNano: `${updatedAtMs}000000`,
    attributes: [
      attribute('sublet.change', id),
      attribute('sublet.request', requestId),
      attribute('sublet.state', state),
      attribute('k8s.namespace.name', namespace),
      attribute('sublet.name', name),
      ...(commit === undefined ? [] : [attribute('sublet.commit', commit)]),
      ...(reason === undefined ? [] : [attribute('sublet.reason', reason)]),
    ],
    status: { code: STATUS[state] ?? STATUS_UNSET, ...(reason === undefined ? {} : { message: reason }) },
  };
}

function attribute(key: string, stringValue: string): object {
  return { key, value: { stringValue } };
}
