import type { Logger } from 'pino';
import { EVENTS } from './builtin.ts';
import type { Client } from './client.ts';
import type { Clock, Random } from './clock.ts';
import { isNotFound, renderError } from './errors.ts';
import type { KubeObject } from './object.ts';

/** Something worth telling the people who look at an object. Never a secret: whoever may read the namespace reads it. */
export type EventMessage = {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, from a closed set. */
  readonly reason: string;
  /** What the controller was doing: CamelCase, such as `Reconcile`. Default: the reason. */
  readonly action?: string | undefined;
  /** For people; cut at 1024 bytes, the API's limit. */
  readonly note: string;
  readonly related?: KubeObject | undefined;
};

export type EventRecorder = {
  /** Queues an Event and returns at once. Never throws: an Event that cannot be written is logged and dropped. */
  event(regarding: KubeObject, message: EventMessage): void;
  /** Resolves when everything queued so far was written or dropped. */
  flush(): Promise<void>;
};

export type EventRecorderDeps = {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
};

export type EventRecorderOptions = {
  /** `group/name`, such as `sublet.dev/operator`. */
  readonly reportingController: string;
  readonly reportingInstance: string;
};

/**
 * Writes `events.k8s.io/v1` Events. The same message about the same object within six minutes becomes one Event with a growing count,
 * written when it repeats first and then at most every five minutes; one object causes at most ten new Events at once and two a
 * minute after that.
 */
export function createEventRecorder(deps: EventRecorderDeps, options: EventRecorderOptions): EventRecorder {
  const recorder = new Recorder(deps, options);
  return { event: (regarding, message) => recorder.record(regarding, message), flush: () => recorder.flush() };
}

const SERIES_MS = 6 * 60_000;
const REWRITE_MS = 5 * 60_000;
const BURST = 10;
const REFILL_MS = 30_000;
const MAX_QUEUED = 1_000;
const MAX_REMEMBERED = 4_096;
const MAX_NOTE_BYTES = 1_024;
const WRITE_TIMEOUT_MS = 5_000;

type Series = {
  readonly namespace: string;
  readonly name: string;
  count: number;
  lastMs: number;
  writtenMs: number;
};

class Recorder {
  readonly #deps: EventRecorderDeps;
  readonly #options: EventRecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();
  #tail: Promise<void> = Promise.resolve();
  #queued = 0;

  constructor(deps: EventRecorderDeps, options: EventRecorderOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  record(regarding: KubeObject, message: EventMessage): void {
    const nowMs = this.#deps.clock.monotonic();
    const { uid = '', namespace, name } = regarding.metadata;
    const about = `${regarding.kind}/${namespace ?? ''}/${name}/${uid}`;
    const key = JSON.stringify([about, message.type, message.reason, message.action, message.note]);
    const known = this.#series.get(key);
    if (known !== undefined && nowMs - known.lastMs < SERIES_MS) {
      known.count += 1;
      known.lastMs = nowMs;
      if (known.count > 2 && nowMs - known.writtenMs < REWRITE_MS) return;
      known.writtenMs = nowMs;
      this.#enqueue(about, () => this.#rewrite(known));
      return;
    }
    if (!this.#allow(about, nowMs)) {
      this.#deps.log.debug({ about, reason: message.reason }, 'too many events about one object, dropped');
      return;
    }
    const suffix = Buffer.from(this.#deps.random.bytes(8)).toString('hex');
    const series: Series = {
      namespace: namespace ?? 'default',
      name: `${name.slice(0, 253 - 17)}.${suffix}`,
      count: 1,
      lastMs: nowMs,
      writtenMs: nowMs,
    };
    remember(this.#series, key, series);
    const object = this.#build(regarding, message, series);
    this.#enqueue(about, async () => {
      await this.#deps.client.create(EVENTS, object, { timeoutMs: WRITE_TIMEOUT_MS });
    });
  }

  flush(): Promise<void> {
    return this.#tail;
  }

  #build(regarding: KubeObject, message: EventMessage, series: Series): KubeObject {
    const { type, reason, action = reason, note, related } = message;
    const event = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace: series.namespace, name: series.name },
      eventTime: microTime(this.#deps.clock.now()),
      ...this.#options,
      type,
      reason,
      action,
      note: cutBytes(note, MAX_NOTE_BYTES),
      regarding: referenceTo(regarding),
      ...(related === undefined ? {} : { related: referenceTo(related) }),
    };
    return event;
  }

  async #rewrite({ namespace, name, count }: Series): Promise<void> {
    const body = { series: { count, lastObservedTime: microTime(this.#deps.clock.now()) } };
    try {
      await this.#deps.client.patch(
        EVENTS,
        { namespace, name },
        { type: 'merge', body },
        { timeoutMs: WRITE_TIMEOUT_MS },
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** One at a time, in order; what does not fit in the queue is dropped. */
  #enqueue(about: string, write: () => Promise<void>): void {
    if (this.#queued >= MAX_QUEUED) {
      this.#deps.log.warn({ about }, 'the queue of events is full, dropped one');
      return;
    }
    this.#queued += 1;
    this.#tail = this.#tail.then(async () => {
      try {
        await write();
      } catch (error) {
        this.#deps.log.warn({ about, error: renderError(error) }, 'an event could not be written, dropped');
      } finally {
        this.#queued -= 1;
      }
    });
  }

  #allow(about: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(about) ?? { tokens: BURST, atMs: nowMs };
    bucket.tokens = Math.min(BURST, bucket.tokens + (nowMs - bucket.atMs) / REFILL_MS);
    bucket.atMs = nowMs;
    remember(this.#buckets, about, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}

/** Keeps the most recently used entries. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MAX_REMEMBERED) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}

function referenceTo(object: KubeObject) {
  const { apiVersion, kind } = object;
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return { apiVersion, kind, namespace, name, uid, resourceVersion };
}

function cutBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  let end = limit - 3;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${bytes.toString('utf8', 0, end)}…`;
}

function microTime(nowMs: number): string {
  return new Date(nowMs).toISOString().replace('Z', '000Z');
}
