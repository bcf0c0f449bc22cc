import type { Logger } from 'pino';
import type { Client, WatchLine } from './client.ts';
import { type Clock, type Random, sleep } from './clock.ts';
import { isGone, isInvalid, isNotFound, RequestError, renderError, StatusError } from './errors.ts';
import { listAll, streamAll } from './lister.ts';
import { compareResourceVersions, type KubeObject, qualifiedName, type Resource } from './object.ts';
import { parseStatusObject } from './status.ts';

/** Where a reflector puts what it learns. */
export type ReflectorTarget = {
  /** A list begins; what happens to the target from now on may be newer than the list. */
  listing(): void;
  /** The whole state at `resourceVersion`. */
  replace(items: readonly KubeObject[], resourceVersion: string): void;
  /** One change; `type` is ADDED, MODIFIED or DELETED. */
  change(type: WatchLine['type'], object: KubeObject): void;
  /** Everything up to `resourceVersion` has been delivered. */
  progress(resourceVersion: string): void;
  /** Whether the API server serves the kind. */
  available(available: boolean): void;
};

export type ReflectorDeps = {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Called at every list, every watch and every failure, for metrics. */
  readonly onEvent?: ((event: 'list' | 'watch' | 'error') => void) | undefined;
};

export type Selection = {
  readonly resource: Resource;
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly metadataOnly?: boolean | undefined;
};

export type ReflectorOptions = Selection & {
  readonly listMode: 'paged' | 'streamed';
  readonly pageSize: number;
  /** How long a watch lives at least; up to a fifth longer. */
  readonly watchSeconds: number;
};

/**
 * Keeps a target current by list and watch until the signal aborts. Never rejects: every failure is logged and tried again.
 *
 * A watch lives `watchSeconds` (24 to 28 s by default) and is then renewed from the last version seen, and one that has not ended 5 s after its time is
 * cut. So whatever is wrong with a connection (half open, or open and mute), a change is seen at most 33 s later. The API server sends a bookmark 2 s before
 * a watch's time is over, so the renewal starts at a recent version and costs one request.
 *
 * A new list is made only when it must be: at the beginning, when the version is gone (410), when a line could not be read, when the server's history
 * went back (a restored etcd), and when the kind had vanished. A failed list changes nothing in the target.
 */
export async function runReflector(
  deps: ReflectorDeps,
  options: ReflectorOptions,
  target: ReflectorTarget,
  signal: AbortSignal,
): Promise<void> {
  const reflector = new Reflector(deps, options, target, signal);
  try {
    await reflector.run();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

const WATCHDOG_GRACE_MS = 5_000;
/** A watch that ends sooner than this without a line counts as a failure, lest a server that refuses politely is flooded. */
const SHORT_WATCH_MS = 1_000;
const BACKOFF = { baseMs: 250, factor: 2, maxMs: 8_000 } as const;
/** So many ERROR lines in a row, and the state is listed anew instead of resuming once more. */
const MAX_ERROR_LINES = 3;

class Reflector {
  readonly #deps: ReflectorDeps;
  readonly #options: ReflectorOptions;
  readonly #target: ReflectorTarget;
  readonly #signal: AbortSignal;
  readonly #what: string;
  #listMode: 'paged' | 'streamed';
  /** Where to resume; undefined when the state has to be listed. */
  #version: string | undefined;
  /** Since a watch worked last: a list alone proves nothing, for a watch that never works would then have everything listed over and over. */
  #failures = 0;
  #lastMessage = '';
  #errorLines = 0;
  /** The connection broke, so the server behind it may be another one, with an older history. */
  #doubtful = false;

  constructor(deps: ReflectorDeps, options: ReflectorOptions, target: ReflectorTarget, signal: AbortSignal) {
    this.#deps = deps;
    this.#options = options;
    this.#target = target;
    this.#signal = signal;
    this.#what = qualifiedName(options.resource);
    this.#listMode = options.listMode;
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        if (this.#version === undefined) await this.#list();
        else if (this.#doubtful) await this.#confirmHistory();
        if (this.#version !== undefined) await this.#watch(this.#version);
      } catch (error) {
        if (this.#signal.aborted) return;
        await this.#recover(error);
      }
    }
  }

  async #list(): Promise<void> {
    this.#deps.onEvent?.('list');
    this.#target.listing();
    const { items, resourceVersion } = await this.#fetchAll();
    this.#target.replace(items, resourceVersion);
    this.#version = resourceVersion;
    this.#errorLines = 0;
    this.#doubtful = false;
  }

  async #fetchAll(): Promise<{ readonly items: readonly KubeObject[]; readonly resourceVersion: string }> {
    if (this.#listMode === 'streamed') {
      try {
        return await streamAll(this.#deps, this.#options, this.#signal);
      } catch (error) {
        const refused = isInvalid(error) || (error instanceof StatusError && error.code === 400);
        if (!refused) throw error;
        this.#listMode = 'paged';
        this.#deps.log.info({ resource: this.#what }, 'the API server does not stream lists, using pages');
      }
    }
    return listAll(this.#deps.client, this.#options, this.#signal);
  }

  /** After a broken connection: one small list tells whether the server still knows the version from which to resume. */
  async #confirmHistory(): Promise<void> {
    const { resource, namespace, labelSelector, fieldSelector } = this.#options;
    const selection = { namespace, labelSelector, fieldSelector, limit: 1, metadataOnly: true };
    const page = await this.#deps.client.list(resource, { ...selection, signal: this.#signal });
    this.#doubtful = false;
    const order = compareResourceVersions(page.metadata.resourceVersion, this.#version);
    if (order === undefined || order >= 0) return;
    const fields = { resource: this.#what, version: this.#version, serverVersion: page.metadata.resourceVersion };
    this.#deps.log.warn(fields, 'the API server went back in history, listing anew');
    this.#version = undefined;
  }

  async #watch(from: string): Promise<void> {
    const { clock, random, client } = this.#deps;
    const { watchSeconds } = this.#options;
    const timeoutSeconds = watchSeconds + Math.floor(random.next() * Math.ceil(watchSeconds / 5));
    const limitMs = timeoutSeconds * 1000 + WATCHDOG_GRACE_MS;
    const startMs = clock.monotonic();
    const cut = new AbortController();
    const stop = (): void => cut.abort(this.#signal.reason);
    const watchdog = clock.setTimeout(() => {
      cut.abort(
        new RequestError(
          'timeout',
          `watch ${this.#what}: still open ${WATCHDOG_GRACE_MS / 1000} s after its time, cut`,
        ),
      );
    }, limitMs);
    this.#signal.addEventListener('abort', stop, { once: true });
    this.#deps.onEvent?.('watch');
    let lines = 0;
    try {
      const { resource, namespace, labelSelector, fieldSelector, metadataOnly } = this.#options;
      const selection = { namespace, labelSelector, fieldSelector, metadataOnly };
      const options = { ...selection, resourceVersion: from, allowBookmarks: true, timeoutSeconds, signal: cut.signal };
      for await (const line of client.watch(resource, options)) {
        this.#take(line, from);
        if (lines === 0) this.#succeeded();
        lines += 1;
      }
    } finally {
      clock.clearTimeout(watchdog);
      this.#signal.removeEventListener('abort', stop);
    }
    if (lines > 0 || clock.monotonic() - startMs >= SHORT_WATCH_MS) this.#succeeded();
    else throw new RequestError('reset', `watch ${this.#what}: ended at once without a line`);
  }

  #take(line: WatchLine, from: string): void {
    const { type, object } = line;
    if (type === 'ERROR') {
      this.#errorLines += 1;
      throw parseStatusObject(`watch ${this.#what}`, object);
    }
    this.#errorLines = 0;
    const version = object.metadata.resourceVersion ?? '';
    if (version === '') throw new RequestError('undecodable', `watch ${this.#what}: a line without resourceVersion`);
    const order = compareResourceVersions(version, from);
    if (order !== undefined && order < 0) throw new HistoryError(`version ${version} came on a watch from ${from}`);
    if (type !== 'BOOKMARK') this.#target.change(type, object);
    this.#target.progress(version);
    this.#version = version;
  }

  async #recover(error: unknown): Promise<void> {
    this.#deps.onEvent?.('error');
    this.#failures += 1;
    const relist =
      isGone(error) ||
      error instanceof HistoryError ||
      (error instanceof RequestError && error.failure === 'undecodable') ||
      (error instanceof StatusError && error.code === 400) ||
      this.#errorLines >= MAX_ERROR_LINES;
    if (isNotFound(error)) {
      this.#version = undefined;
      this.#target.available(false);
    } else if (relist) this.#version = undefined;
    if (error instanceof RequestError) this.#doubtful = true;
    this.#report(error);
    if (isGone(error) && this.#failures === 1) return;
    const asked = error instanceof StatusError ? (error.retryAfterMs ?? 0) : 0;
    const exact = Math.min(BACKOFF.maxMs, BACKOFF.baseMs * BACKOFF.factor ** Math.min(this.#failures - 1, 16));
    await sleep(this.#deps.clock, Math.max(asked, exact * (0.5 + 0.5 * this.#deps.random.next())), this.#signal);
  }

  /** A failure that repeats is reported once, then every tenth time. */
  #report(error: unknown): void {
    const message = renderError(error);
    const fields = { resource: this.#what, failures: this.#failures, err: error };
    if (message === this.#lastMessage && this.#failures % 10 !== 0)
      this.#deps.log.debug(fields, 'list or watch failed');
    else if (isGone(error)) this.#deps.log.info(fields, 'the watched version is gone, listing anew');
    else if (isNotFound(error))
      this.#deps.log.warn(fields, 'the API server does not serve this kind, keeping what is known');
    else this.#deps.log.warn(fields, 'list or watch failed, trying again');
    this.#lastMessage = message;
  }

  #succeeded(): void {
    if (this.#failures > 0)
      this.#deps.log.info({ resource: this.#what, failures: this.#failures }, 'list and watch work again');
    this.#failures = 0;
    this.#lastMessage = '';
    this.#target.available(true);
  }
}

class HistoryError extends Error {
  override readonly name = 'HistoryError';
}
