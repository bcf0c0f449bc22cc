import type { Timer } from '../../kube/clock.ts';
import { fromStorage } from './convert.ts';
import type { Core } from './core.ts';
import { apiVersionOf, type ServedKind } from './kinds.ts';
import { requireRevision } from './list.ts';
import type { ListOptions } from './listoptions.ts';
import { withMeta } from './object.ts';
import { type Projection, renderObject } from './render.ts';
import type { RunningWatch, WatchSink } from './request.ts';
import type { JsonObject } from './schema/json.ts';
import type { Selection } from './selection.ts';
import { expired } from './status.ts';
import { type Collection, type StorageEvent, type StorageListener, Stored } from './store.ts';

export type WatchDeps = {
  readonly core: Core;
  readonly kind: ServedKind;
  readonly selection: Selection;
  readonly projection: Projection;
  readonly options: ListOptions;
  /** Renders an object where the client wants neither the object nor its metadata. */
  readonly render?: ((stored: Stored, isFirst: boolean) => string) | undefined;
  /** The same for bookmarks. */
  readonly bookmark?: ((object: JsonObject) => string) | undefined;
};

/** Answers the function that opens the watch. Throws `ApiError` on what is no watch. */
export function prepareWatch(deps: WatchDeps): (sink: WatchSink) => RunningWatch {
  const from = requireRevision(deps.options.resourceVersion);
  return (sink) => new Watch(deps, from, sink);
}

type Line = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly stored: Stored;
  readonly event: StorageEvent | undefined;
};

/** A watch's last bookmark comes so long before its end. */
const LAST_BOOKMARK_MS = 2_000;
/** How long a watch lives at least that names no time; each lives up to twice as long. */
const MIN_WATCH_MS = 1_800_000;
/** A reader that pauses longer than this many events has its watch ended, as it holds up memory. */
const MAX_WAITING = 1_000;
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

class Watch implements RunningWatch {
  readonly #deps: WatchDeps;
  readonly #sink: WatchSink;
  readonly #endsAtMs: number;
  #timer: Timer | undefined;
  #waiting: Buffer[] = [];
  #paused = false;
  #ended = false;
  #isFirst = true;
  #nextBookmarkMs: number;

  constructor(deps: WatchDeps, from: number, sink: WatchSink) {
    this.#deps = deps;
    this.#sink = sink;
    const { clock, random, bookmarkIntervalMs } = deps.core;
    const { timeoutSeconds = 0 } = deps.options;
    const lifeMs = timeoutSeconds > 0 ? timeoutSeconds * 1000 : MIN_WATCH_MS * (1 + random.next());
    const nowMs = clock.monotonic();
    this.#endsAtMs = nowMs + lifeMs;
    this.#nextBookmarkMs = Math.min(nowMs + bookmarkIntervalMs, this.#endsAtMs - LAST_BOOKMARK_MS);
    this.#start(from);
    if (!this.#ended) this.#arm();
  }

  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting = [];
    this.#deps.core.clock.clearTimeout(this.#timer);
    this.#unlisten();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const lines = this.#waiting;
    this.#waiting = [];
    for (const line of lines) this.#send(line);
  }

  #start(from: number): void {
    const { core, kind, options } = this.#deps;
    const { sendInitialEvents } = options;
    const { collection } = kind;
    const wantsState = sendInitialEvents ?? from === 0;
    if (!wantsState && from !== 0 && from < collection.floor) {
      this.#fail(expired(`too old resource version: ${from} (${collection.floor})`));
      return;
    }
    this.#listen();
    if (wantsState) {
      this.#sendState();
      if (sendInitialEvents === true && options.allowBookmarks) this.#sendBookmark(core.store.revision, true);
    } else if (from !== 0) {
      for (const event of collection.eventsAfter(from, this.#deps.selection.namespace)) this.#onEvent(event);
    }
  }

  #sendState(): void {
    const { kind, selection } = this.#deps;
    for (const stored of kind.collection.sorted(selection.namespace)) {
      if (this.#ended) return;
      if (selection.matches?.(fromStorage(kind, stored.object)) === false) continue;
      this.#send(this.#render({ type: 'ADDED', stored, event: undefined }));
    }
  }

  readonly #onEvent: StorageListener = (event) => {
    const line = this.#judge(event);
    if (line !== undefined) this.#send(this.#render(line));
  };

  /** What an event is to this watch: an object may enter or leave its selection. */
  #judge(event: StorageEvent): Line | undefined {
    const { type, current, previous } = event;
    const { kind, selection } = this.#deps;
    const { matches } = selection;
    if (matches === undefined) return { type, stored: current, event };
    if (selection.name !== undefined && selection.name !== current.name) return undefined;
    const was = previous !== undefined && matches(fromStorage(kind, previous.object));
    if (type === 'DELETED') return was ? { type, stored: current, event } : undefined;
    const is = matches(fromStorage(kind, current.object));
    if (is) return { type: was ? 'MODIFIED' : 'ADDED', stored: current, event };
    if (!was || previous === undefined) return undefined;
    const left = withMeta(previous.object, { resourceVersion: String(event.revision) });
    return { type: 'DELETED', stored: new Stored(left, event.revision), event: undefined };
  }

  /** Watches that show the same of an event share the line. */
  #render({ type, stored, event }: Line): Buffer {
    const { kind, projection, render } = this.#deps;
    if (render !== undefined) {
      const text = render(stored, this.#isFirst);
      this.#isFirst = false;
      return Buffer.from(`{"type":"${type}","object":${text}}\n`);
    }
    const key = projection === 'metadata' ? `${type} metadata` : `${type} ${kind.renderKey}`;
    const known = event?.lines.get(key);
    if (known !== undefined) return known;
    const line = Buffer.from(`{"type":"${type}","object":${renderObject(kind, stored, projection)}}\n`);
    event?.lines.set(key, line);
    return line;
  }

  #send(line: Buffer): void {
    if (this.#ended) return;
    if (!this.#paused) {
      this.#sink.onLine(line);
      return;
    }
    this.#waiting.push(line);
    if (this.#waiting.length > MAX_WAITING) this.#end();
  }

  #sendBookmark(revision: number, endsInitial = false): void {
    const { kind, projection } = this.#deps;
    const head =
      projection === 'metadata'
        ? { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' }
        : { kind: kind.kind, apiVersion: apiVersionOf(kind), ...kind.empty };
    const annotations = endsInitial ? { annotations: { [INITIAL_EVENTS_END]: 'true' } } : {};
    const object = { ...head, metadata: { resourceVersion: String(revision), ...annotations } };
    const text = this.#deps.bookmark?.(object) ?? JSON.stringify(object);
    this.#send(Buffer.from(`{"type":"BOOKMARK","object":${text}}\n`));
  }

  #fail(error: { readonly status: unknown }): void {
    this.#sink.onLine(Buffer.from(`${JSON.stringify({ type: 'ERROR', object: error.status })}\n`));
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.stop();
    this.#sink.onEnd();
  }

  #arm(): void {
    const { clock } = this.#deps.core;
    const nextMs = this.#deps.options.allowBookmarks
      ? Math.min(Math.max(this.#nextBookmarkMs, clock.monotonic()), this.#endsAtMs)
      : this.#endsAtMs;
    this.#timer = clock.setTimeout(() => this.#onTimer(), Math.max(0, nextMs - clock.monotonic()));
  }

  #onTimer(): void {
    const { clock, store, bookmarkIntervalMs } = this.#deps.core;
    const nowMs = clock.monotonic();
    if (nowMs >= this.#endsAtMs) {
      this.#end();
      return;
    }
    // A timer may fire a moment early.
    if (this.#deps.options.allowBookmarks && nowMs >= this.#nextBookmarkMs) {
      this.#sendBookmark(store.revision);
      const lastMs = this.#endsAtMs - LAST_BOOKMARK_MS;
      this.#nextBookmarkMs = nowMs >= lastMs ? this.#endsAtMs : Math.min(nowMs + bookmarkIntervalMs, lastMs);
    }
    this.#arm();
  }

  #listen(): void {
    const { kind, selection } = this.#deps;
    kind.collection.watches.add(this.endNow);
    if (selection.namespace === '') kind.collection.listeners.add(this.#onEvent);
    else listenersIn(kind.collection, selection.namespace).add(this.#onEvent);
  }

  #unlisten(): void {
    const { kind, selection } = this.#deps;
    const { collection } = kind;
    collection.watches.delete(this.endNow);
    if (selection.namespace === '') {
      collection.listeners.delete(this.#onEvent);
      return;
    }
    const inside = collection.namespaceListeners.get(selection.namespace);
    inside?.delete(this.#onEvent);
    if (inside?.size === 0) collection.namespaceListeners.delete(selection.namespace);
  }

  /** The kind is no longer served, or the server closes. */
  readonly endNow = (): void => this.#end();
}

function listenersIn(collection: Collection, namespace: string): Set<StorageListener> {
  const known = collection.namespaceListeners.get(namespace);
  if (known !== undefined) return known;
  const made = new Set<StorageListener>();
  collection.namespaceListeners.set(namespace, made);
  return made;
}
