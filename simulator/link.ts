import { RequestError, StatusError } from '../kube/errors.ts';
import type { RunningStream } from '../kube/exchange.ts';
import type { HttpCall, HttpStream, Transport } from '../kube/transport.ts';
import type { CallFault, LineFault, StreamFault } from './apiserver/faults.ts';
import type { UserInfo } from './apiserver/kinds.ts';
import type { ApiAnswer, ApiRequest } from './apiserver/request.ts';
import { createInProcessTransport, type InProcessDeps } from './apiserver/transport.ts';
import type { VirtualProcess } from './process.ts';

/** One try of a call as the network sees it. */
export type LinkCall = Pick<HttpCall, 'method' | 'verb' | 'call' | 'path' | 'body'> & {
  readonly process: string;
  /** Whether it may change something. */
  readonly isWrite: boolean;
  /** From 1. */
  readonly tries: number;
};

/** `code` 0: the connection broke, or the caller gave up. */
export type LinkAnswer = { readonly code: number; readonly body: Buffer | string | undefined };

/** One line of a watch on its way. `text` is the JSON without its line end. */
export type LinkLine = { readonly process: string; readonly path: string; readonly text: string };

export type LinkHooks = {
  /** Asked when the process sends a call. It may kill the process: then nothing was sent. */
  onCall?(call: LinkCall): CallFault | undefined;
  /** The server has carried the call out, or refused it, and the answer is not under way yet. May kill the process. */
  onCarriedOut?(call: LinkCall, answer: LinkAnswer): void;
  /** The outcome was just handed to the process, whose code has not run on yet. May kill the process. */
  onAnswer?(call: LinkCall, answer: LinkAnswer): void;
  /** Asked when a watch begins. */
  onStream?(stream: { readonly process: string; readonly path: string }): StreamFault | undefined;
  onLine?(line: LinkLine): LineFault | undefined;
};

export type Latency = { readonly minMs: number; readonly maxMs: number };

/** `open`: works. `refused`: connections fail at once. `black-hole`: bytes vanish, and nobody is told. */
export type LinkState = 'open' | 'refused' | 'black-hole';

/** The connections of one process to the API server. */
export type Link = {
  /** As a user of the API server. */
  connect(user: UserInfo): Transport;
  /** Watches that are open break when `refused`; what a black hole swallowed of a watch is gone, and nothing of it is ever heard again. */
  setState(state: LinkState): void;
  /** Breaks every watch. */
  breakStreams(): void;
  streams(): number;
};

export type LinkDeps = {
  readonly process: VirtualProcess;
  readonly server: { handle(request: ApiRequest): ApiAnswer | Promise<ApiAnswer> };
  readonly latency: () => Latency;
  readonly hooks: LinkHooks;
} & Pick<InProcessDeps, 'observeDate'>;

/**
 * The network between a simulated process and the API server: every call, answer and watch line takes its time on the process's clock, can get lost, and
 * dies with the process. Lines of one watch arrive in order.
 */
export function createLink(deps: LinkDeps): Link {
  const { process, hooks } = deps;
  const random = process.random.fork('network');
  const streams = new Set<LinkStream>();
  let state: LinkState = 'open';
  const latencyMs = (): number => {
    const { minMs, maxMs } = deps.latency();
    return minMs + random.next() * (maxMs - minMs);
  };
  const cutAll = (): void => {
    for (const stream of [...streams]) stream.cut();
  };
  process.onKill(cutAll);

  const connect = (user: UserInfo): Transport => {
    const options = { user, userAgent: process.name, latencyMs };
    const base = { clock: process.clock, random, observeDate: deps.observeDate };
    const intercept = { stream: (call: HttpStream) => computeStreamFault(process.name, state, hooks, call) };
    const streaming = createInProcessTransport({ ...base, server: deps.server }, { ...options, intercept });
    return {
      call: (call) => {
        if (!process.isAlive()) return NEVER;
        let seen: LinkCall | undefined;
        const server = {
          handle: (request: ApiRequest) => {
            const answer = deps.server.handle(request);
            if (seen === undefined || hooks.onCarriedOut === undefined || answer instanceof Promise) return answer;
            hooks.onCarriedOut(seen, { code: answer.status, body: answer.body });
            return answer;
          },
        };
        const judge = (_: HttpCall, tries: number): CallFault | undefined => {
          seen = describeCall(process.name, call, tries);
          const fault = hooks.onCall?.(seen);
          return stateFault(state) ?? fault;
        };
        const once = createInProcessTransport({ ...base, server }, { ...options, intercept: { call: judge } });
        return hooks.onAnswer === undefined ? once.call(call) : answering(once.call(call), () => seen, hooks, process);
      },
      stream: (call, sink) => {
        const stream = new LinkStream(
          process,
          () => state,
          sink,
          () => streams.delete(stream),
        );
        if (!process.isAlive()) return stream;
        streams.add(stream);
        stream.open(streaming.stream(call, stream));
        return stream;
      },
      close: () => streaming.close(),
    };
  };

  return {
    connect,
    setState: (next) => {
      state = next;
      if (next === 'refused') cutAll();
    },
    breakStreams: cutAll,
    streams: () => streams.size,
  };
}

const NEVER = new Promise<never>(() => {});

async function answering(
  running: Promise<Buffer>,
  seen: () => LinkCall | undefined,
  hooks: LinkHooks,
  process: VirtualProcess,
): Promise<Buffer> {
  const tell = (code: number, body: Buffer | undefined): void => {
    const call = seen();
    if (call !== undefined && process.isAlive()) hooks.onAnswer?.(call, { code, body });
  };
  try {
    const body = await running;
    tell(200, body);
    return body;
  } catch (error) {
    tell(error instanceof StatusError ? error.code : 0, undefined);
    throw error;
  }
}

function describeCall(process: string, { method, verb, call, path, body }: HttpCall, tries: number): LinkCall {
  return { process, method, verb, call, path, body, isWrite: method !== 'GET', tries };
}

function stateFault(state: LinkState): Extract<CallFault, { type: 'unsent' | 'stall' }> | undefined {
  if (state === 'open') return undefined;
  return state === 'refused' ? { type: 'unsent' } : { type: 'stall', when: 'before' };
}

function computeStreamFault(
  process: string,
  state: LinkState,
  hooks: LinkHooks,
  { path }: HttpStream,
): StreamFault | undefined {
  const fault = stateFault(state) ?? hooks.onStream?.({ process, path });
  if (fault !== undefined || hooks.onLine === undefined) return fault;
  return {
    type: 'lines',
    judge: (line) => hooks.onLine?.(new PassingLine(process, path, line)),
  };
}

/** Most lines are never read on their way. */
class PassingLine implements LinkLine {
  readonly process: string;
  readonly path: string;
  readonly #bytes: Buffer;

  constructor(process: string, path: string, bytes: Buffer) {
    this.process = process;
    this.path = path;
    this.#bytes = bytes;
  }

  get text(): string {
    return this.#bytes.toString('utf8', 0, this.#bytes.length - 1);
  }
}

/** One watch. Its process hears nothing more once it is dead. */
class LinkStream implements RunningStream {
  readonly #process: VirtualProcess;
  readonly #state: () => LinkState;
  readonly #sink: Parameters<Transport['stream']>[1];
  readonly #onGone: () => void;
  #running: RunningStream | undefined;
  /** A black hole swallowed something: what came after it would not make sense. */
  #isMute = false;

  constructor(
    process: VirtualProcess,
    state: () => LinkState,
    sink: Parameters<Transport['stream']>[1],
    onGone: () => void,
  ) {
    this.#process = process;
    this.#state = state;
    this.#sink = sink;
    this.#onGone = onGone;
  }

  open(running: RunningStream): void {
    this.#running = running;
  }

  cut(): void {
    this.#isMute = false;
    this.cancel(new RequestError('reset', 'ECONNRESET: the connection broke'));
  }

  cancel(reason: Error): void {
    this.#running?.cancel(reason);
  }

  pause(): void {
    this.#running?.pause();
  }

  resume(): void {
    this.#running?.resume();
  }

  readonly onData = (chunk: Buffer): void => {
    if (this.#isMute || !this.#process.isAlive()) return;
    if (this.#state() === 'black-hole') this.#isMute = true;
    else this.#sink.onData(chunk);
  };

  readonly onEnd = (error: Error | undefined): void => {
    if (error === undefined && (this.#isMute || this.#state() === 'black-hole')) {
      this.#isMute = true;
      return;
    }
    this.#onGone();
    if (this.#process.isAlive()) this.#sink.onEnd(error);
  };
}
