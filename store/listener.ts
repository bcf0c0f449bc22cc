import type { Logger } from 'pino';
import type { Clock, Random, Timer } from '../kube/clock.ts';
import { renderError } from '../kube/errors.ts';

/** One session that hears notifications. `onEnd` may be called at any time, and more than once. */
export type ListenSession = {
  listen(channel: string): Promise<void>;
  /** Rejects when the session does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
};

export type OpenSession = (
  onNotification: (channel: string, payload: string) => void,
  onEnd: () => void,
) => Promise<ListenSession>;

/** Without a payload: something may have been missed. */
export type Listener = (payload: string | undefined) => void;

export type ListenerHub = {
  /** Hears `channel` until the function that it gives is called. */
  listen(channel: string, listener: Listener): () => void;
  close(): Promise<void>;
};

export type ListenerDeps = { readonly clock: Clock; readonly random: Random; readonly log: Logger };

const PING_MS = 10_000;
/** However well notifications arrive, listeners look again this often. */
const SAFETY_NET_MS = 15_000;
const FIRST_RETRY_MS = 200;
const MAX_RETRY_MS = 10_000;

/**
 * One session for all listeners of a process, opened by the first. A session that ended or does not answer is opened again; whoever listens is then told
 * that something may have been missed, and every 15 seconds besides, so that no fault of the session delays anybody for longer.
 */
export function createListenerHub(deps: ListenerDeps, open: OpenSession): ListenerHub {
  return new Hub(deps, open);
}

class Hub implements ListenerHub {
  readonly #deps: ListenerDeps;
  readonly #open: OpenSession;
  readonly #listeners = new Map<string, Set<Listener>>();
  #session: ListenSession | undefined;
  #opening: Promise<void> | undefined;
  #timers: { ping?: Timer | undefined; net?: Timer | undefined; retry?: Timer | undefined } = {};
  #failures = 0;
  #closed = false;

  constructor(deps: ListenerDeps, open: OpenSession) {
    this.#deps = deps;
    this.#open = open;
  }

  listen(channel: string, listener: Listener): () => void {
    const known = this.#listeners.get(channel);
    const own: Listener = (payload) => listener(payload);
    if (known !== undefined) known.add(own);
    else this.#listeners.set(channel, new Set([own]));
    if (this.#timers.net === undefined) this.#castNet();
    if (this.#session === undefined) this.#opening ??= this.#start();
    else if (known === undefined) void this.#subscribe(this.#session, channel);
    return () => void this.#listeners.get(channel)?.delete(own);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    const { clock } = this.#deps;
    for (const timer of Object.values(this.#timers)) clock.clearTimeout(timer);
    await this.#opening;
    const session = this.#session;
    this.#session = undefined;
    await session?.close().catch(() => {});
  }

  async #start(): Promise<void> {
    let session: ListenSession | undefined;
    try {
      session = await this.#open(
        (channel, payload) => this.#tell(channel, payload),
        () => this.#lose(session, 'the connection ended'),
      );
      for (const channel of this.#listeners.keys()) await session.listen(channel);
      this.#session = session;
      this.#failures = 0;
      this.#opening = undefined;
      if (this.#closed) return;
      this.#ping(session);
      this.#tellAll();
    } catch (error) {
      this.#opening = undefined;
      await session?.close().catch(() => {});
      this.#retry(renderError(error));
    }
  }

  async #subscribe(session: ListenSession, channel: string): Promise<void> {
    try {
      await session.listen(channel);
      this.#tell(channel, undefined);
    } catch (error) {
      this.#lose(session, renderError(error));
    }
  }

  #ping(session: ListenSession): void {
    this.#timers.ping = this.#deps.clock.setTimeout(() => {
      session.ping().then(
        () => session === this.#session && !this.#closed && this.#ping(session),
        (error: unknown) => this.#lose(session, renderError(error)),
      );
    }, PING_MS);
  }

  #lose(session: ListenSession | undefined, why: string): void {
    if (session === undefined || session !== this.#session) return;
    this.#session = undefined;
    this.#deps.clock.clearTimeout(this.#timers.ping);
    session.close().catch(() => {});
    this.#retry(why);
  }

  #retry(why: string): void {
    if (this.#closed) return;
    const { clock, random, log } = this.#deps;
    const backoffMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    this.#failures += 1;
    log.warn({ err: why, retryMs: backoffMs }, 'lost the session that hears notifications');
    this.#timers.retry = clock.setTimeout(
      () => {
        this.#opening ??= this.#start();
      },
      backoffMs * (0.5 + random.next() / 2),
    );
  }

  #castNet(): void {
    this.#timers.net = this.#deps.clock.setTimeout(() => {
      this.#tellAll();
      if (!this.#closed) this.#castNet();
    }, SAFETY_NET_MS);
  }

  #tellAll(): void {
    for (const channel of this.#listeners.keys()) this.#tell(channel, undefined);
  }

  #tell(channel: string, payload: string | undefined): void {
    for (const listener of this.#listeners.get(channel) ?? []) {
      try {
        listener(payload);
      } catch (error) {
        this.#deps.log.error({ err: renderError(error), channel }, 'a listener threw');
      }
    }
  }
}
