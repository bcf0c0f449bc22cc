import { RequestError, StatusError } from '../kube/errors.ts';
import type { RunningStream } from '../kube/exchange.ts';
import type { HttpCall, HttpStream, Transport } from '../kube/transport.ts';
import type { VirtualProcess } from './process.ts';
import type { SeededRandom } from './random.ts';

/** One call as the network sees it. */
export type LinkCall = Pick<HttpCall, 'method' | 'verb' | 'call' | 'path' | 'body'> & {
  readonly process: string;
  /** Whether it may change something. */
  readonly isWrite: boolean;
};

/**
 * What happens to a call instead of the ordinary.
 * - `refuse`: the server answers an error and does nothing.
 * - `unreachable`: no connection; `lose-request`: it breaks before the server read the call; both do nothing.
 * - `lose-answer`: carried out, and the connection breaks before the answer.
 * - `stall`: nothing is ever heard; carried out or not. The caller's deadline ends it.
 * - `garble`: carried out, and the answer is no JSON.
 * - `delay`: so much longer on its way.
 */
export type CallFate =
  | { readonly type: 'refuse'; readonly code: number; readonly reason?: string; readonly retryAfterMs?: number }
  | { readonly type: 'unreachable' | 'lose-request' | 'lose-answer' | 'garble' }
  | { readonly type: 'stall'; readonly carriedOut: boolean }
  | { readonly type: 'delay'; readonly ms: number };

/** One line of a watch on its way. `text` is the JSON without its line end. */
export type LinkLine = { readonly process: string; readonly path: string; readonly text: string };

/** `drop`: never arrives. `cut`: the connection breaks instead. `garble`: arrives as half of itself. Absent: as it is. */
export type LineFate =
  | { readonly type: 'drop' | 'cut' | 'garble' }
  /** Later lines of the same watch wait for it. */
  | { readonly type: 'delay'; readonly ms: number };

export type LinkHooks = {
  /** Asked when the process sends a call. It may kill the process: then nothing was sent. */
  onCall?(call: LinkCall): CallFate | undefined;
  /** The server has carried the call out, or refused it, and the answer is not under way yet. May kill the process. */
  onCarriedOut?(call: LinkCall, answer: LinkAnswer): void;
  /** The answer was just handed to the process, whose code has not run on yet. May kill the process. */
  onAnswer?(call: LinkCall, answer: LinkAnswer): void;
  onLine?(line: LinkLine): LineFate | undefined;
};

export type LinkAnswer = { readonly code: number; readonly body: Buffer | undefined };

export type Latency = { readonly minMs: number; readonly maxMs: number };

/** `open`: works. `refused`: connections fail at once. `black-hole`: bytes vanish, and nobody is told. */
export type LinkState = 'open' | 'refused' | 'black-hole';

/** The connections of one process to the API server. */
export type Link = Transport & {
  /** Watches that are open stay open, in silence, in a black hole; `refused` breaks them. */
  setState(state: LinkState): void;
  /** Breaks every watch. */
  breakStreams(): void;
  streams(): number;
};

export type LinkDeps = {
  readonly process: VirtualProcess;
  /** The API server's end of it. */
  readonly server: Transport;
  readonly latency: () => Latency;
  readonly hooks: LinkHooks;
};

/**
 * A network between a simulated process and the API server: every call, answer and watch line takes its time on the scheduler, can get lost, and dies
 * with the process. Lines of one watch arrive in order.
 */
export function createLink(deps: LinkDeps): Link {
  const { process } = deps;
  const random = process.random.fork('network');
  const streams = new Set<LinkStream>();
  let state: LinkState = 'open';
  const later = (extraMs: number, fn: () => void): void => {
    process.clock.setTimeout(fn, drawMs(random, deps.latency()) + extraMs);
  };
  const cutAll = (told: boolean): void => {
    for (const stream of [...streams]) stream.cut(told);
  };
  process.onKill(() => cutAll(false));

  return {
    call: (call) => (process.isAlive() ? sendCall(deps, later, state, call) : NEVER),
    stream: (call, sink) => {
      if (!process.isAlive()) return { cancel: () => {}, pause: () => {}, resume: () => {} };
      const stream = new LinkStream(
        deps,
        random,
        call,
        sink,
        () => state,
        () => streams.delete(stream),
      );
      streams.add(stream);
      return stream;
    },
    setState: (next) => {
      state = next;
      if (next === 'refused') cutAll(true);
    },
    breakStreams: () => cutAll(true),
    streams: () => streams.size,
    close: async () => cutAll(true),
  };
}

const NEVER = new Promise<never>(() => {});

type Later = (extraMs: number, fn: () => void) => void;

function sendCall(deps: LinkDeps, later: Later, state: LinkState, call: HttpCall): Promise<Buffer> {
  const { process, hooks } = deps;
  const { method, verb, path, body, signal } = call;
  const seen: LinkCall = {
    process: process.name,
    method,
    verb,
    call: call.call,
    path,
    body,
    isWrite: method !== 'GET',
  };
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const fate = computeFate(state, hooks.onCall?.(seen));
    let settled = false;
    const settle = (end: () => void): void => {
      if (settled) return;
      settled = true;
      signal?.removeEventListener('abort', onAbort);
      deadline?.cancel();
      end();
    };
    const fail = (error: Error): void => settle(() => reject(error));
    const onAbort = (): void => settle(() => reject(signal?.reason));
    signal?.addEventListener('abort', onAbort, { once: true });
    const isSlow = fate?.type === 'stall' || fate?.type === 'delay';
    const deadline = isSlow ? process.clock.setTimeout(() => fail(timedOut(call)), call.timeoutMs) : undefined;

    const answer = (code: number, bytes: Buffer | undefined, end: () => void): void => {
      const answered: LinkAnswer = { code, body: bytes };
      hooks.onCarriedOut?.(seen, answered);
      if (!process.isAlive() || fate?.type === 'stall') return;
      if (fate?.type === 'lose-answer') {
        later(0, () => fail(broken(call, 'before its answer')));
        return;
      }
      later(0, () => {
        settle(end);
        hooks.onAnswer?.(seen, answered);
      });
    };
    const arrive = (): void => {
      deps.server.call({ ...call, signal: undefined }).then(
        (bytes) =>
          answer(200, bytes, () => resolve(fate?.type === 'garble' ? bytes.subarray(0, bytes.length >> 1) : bytes)),
        (error) => answer(error instanceof StatusError ? error.code : 0, undefined, () => reject(error)),
      );
    };
    switch (fate?.type) {
      case 'refuse':
        later(0, () => fail(refusal(call, fate)));
        return;
      case 'unreachable':
        later(0, () => fail(new RequestError('connect', `${call.call}: ECONNREFUSED: no connection`)));
        return;
      case 'lose-request':
        later(0, () => fail(broken(call, 'before it was read')));
        return;
      case 'stall':
        if (fate.carriedOut) later(0, arrive);
        return;
      default:
        later(fate?.type === 'delay' ? fate.ms : 0, arrive);
        return;
    }
  });
}

function computeFate(state: LinkState, fate: CallFate | undefined): CallFate | undefined {
  if (state === 'refused') return { type: 'unreachable' };
  return state === 'black-hole' ? { type: 'stall', carriedOut: false } : fate;
}

/** One watch. `onEnd` of the sink comes exactly once, or never when the process is dead. */
class LinkStream implements RunningStream {
  readonly #deps: LinkDeps;
  readonly #random: SeededRandom;
  readonly #call: HttpStream;
  readonly #sink: Parameters<Transport['stream']>[1];
  readonly #state: () => LinkState;
  readonly #onGone: () => void;
  #inner: RunningStream | undefined;
  #lastAtMs = 0;
  #ended = false;

  constructor(
    deps: LinkDeps,
    random: SeededRandom,
    call: HttpStream,
    sink: Parameters<Transport['stream']>[1],
    state: () => LinkState,
    onGone: () => void,
  ) {
    this.#deps = deps;
    this.#random = random;
    this.#call = call;
    this.#sink = sink;
    this.#state = state;
    this.#onGone = onGone;
    this.#inOrder(0, () => this.#open());
  }

  cancel(reason: Error): void {
    this.#end(reason);
    this.#inner?.cancel(reason);
  }

  pause(): void {
    this.#inner?.pause();
  }

  resume(): void {
    this.#inner?.resume();
  }

  /** The connection is gone; the process hears of it only when `told`. */
  cut(told: boolean): void {
    const reason = new RequestError('reset', `${this.#call.call}: ECONNRESET: the connection broke`);
    if (told) this.#end(reason);
    else {
      this.#ended = true;
      this.#onGone();
    }
    this.#inner?.cancel(reason);
  }

  #open(): void {
    if (this.#ended) return;
    const state = this.#state();
    if (state === 'black-hole') return;
    if (state === 'refused') {
      this.#end(new RequestError('connect', `${this.#call.call}: ECONNREFUSED`));
      return;
    }
    this.#inner = this.#deps.server.stream(this.#call, {
      onData: (chunk) => this.#receive(chunk),
      onEnd: (error) => {
        if (this.#state() !== 'black-hole') this.#inOrder(0, () => this.#end(error));
      },
    });
  }

  #receive(chunk: Buffer): void {
    if (this.#ended || this.#state() === 'black-hole') return;
    const { hooks, process } = this.#deps;
    if (hooks.onLine === undefined) {
      this.#inOrder(0, () => this.#hand(chunk));
      return;
    }
    for (const text of chunk.toString('utf8').split('\n')) {
      if (text === '') continue;
      const fate = hooks.onLine({ process: process.name, path: this.#call.path, text });
      if (fate?.type === 'drop') continue;
      if (fate?.type === 'cut') {
        this.cut(true);
        return;
      }
      const arriving = fate?.type === 'garble' ? `${text.slice(0, text.length >> 1)}\n` : `${text}\n`;
      this.#inOrder(fate?.type === 'delay' ? fate.ms : 0, () => this.#hand(Buffer.from(arriving)));
    }
  }

  #hand(chunk: Buffer): void {
    if (!this.#ended) this.#sink.onData(chunk);
  }

  #inOrder(extraMs: number, fn: () => void): void {
    const { process, latency } = this.#deps;
    const nowMs = process.clock.monotonic();
    this.#lastAtMs = Math.max(this.#lastAtMs, nowMs + drawMs(this.#random, latency()) + extraMs);
    process.clock.setTimeout(fn, this.#lastAtMs - nowMs);
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onGone();
    this.#sink.onEnd(error);
  }
}

function drawMs(random: SeededRandom, { minMs, maxMs }: Latency): number {
  return minMs + random.next() * (maxMs - minMs);
}

function refusal(call: HttpCall, fate: Extract<CallFate, { type: 'refuse' }>): StatusError {
  const status = { code: fate.code, reason: fate.reason, message: `a fault was asked for (${fate.code})` };
  return new StatusError(status, { call: call.call, retryAfterMs: fate.retryAfterMs });
}

function broken(call: HttpCall, when: string): RequestError {
  return new RequestError('reset', `${call.call}: ECONNRESET: the connection broke ${when}`);
}

function timedOut(call: HttpCall): RequestError {
  return new RequestError(
    'timeout',
    `${call.call}: timed out after ${Math.round(call.timeoutMs)} ms, without an answer`,
  );
}
