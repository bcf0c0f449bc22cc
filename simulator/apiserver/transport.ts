import type { Clock, Random, Timer } from '../../kube/clock.ts';
import { sleep } from '../../kube/clock.ts';
import { RequestError, type StatusError } from '../../kube/errors.ts';
import { parseRetryAfterMs, parseStatusError } from '../../kube/status.ts';
import type { HttpCall, HttpStream, Transport } from '../../kube/transport.ts';
import type { CallFault, Interceptor, StreamFault } from './faults.ts';
import type { UserInfo } from './kinds.ts';
import { createLineFaults } from './linefaults.ts';
import type { ApiAnswer, ApiRequest, RunningWatch } from './request.ts';
import { failure } from './status.ts';

export type InProcessDeps = {
  readonly server: { handle(request: ApiRequest): ApiAnswer | Promise<ApiAnswer> };
  readonly clock: Clock;
  readonly random: Random;
};

export type InProcessOptions = {
  readonly user: UserInfo;
  readonly userAgent: string;
  /** How long each way of a call takes, and how long a watched change is on its way. Default: no time at all. */
  readonly latencyMs?: ((of: 'request' | 'answer' | 'event') => number) | undefined;
  readonly intercept?: Interceptor | undefined;
};

/**
 * A way to an API server in this process, without sockets. It behaves as the one over HTTP does: deadlines and waits by `deps.clock`, `Retry-After` waited
 * out, a reset of an idempotent call repeated once. Several of them may lead to one server, each as another user.
 */
export function createInProcessTransport(deps: InProcessDeps, options: InProcessOptions): Transport {
  const { clock, random } = deps;
  const open = new Set<{ readonly cancel: (reason: Error) => void }>();
  let closed = false;
  return {
    call: async (call) => {
      const deadlineMs = clock.monotonic() + call.timeoutMs;
      let repeated = false;
      for (let tries = 1; ; tries += 1) {
        call.signal?.throwIfAborted();
        if (closed) throw new RequestError('connect', 'the client is closed');
        const answer = await tryOnce(deps, options, call, tries, deadlineMs);
        if (answer instanceof RequestError) {
          if (answer.failure !== 'reset' || !call.idempotent || repeated) throw answer;
          repeated = true;
          continue;
        }
        if (answer.status >= 200 && answer.status < 300) return answer.body;
        const waitMs = answer.error.retryAfterMs;
        const patient = (answer.status === 429 || answer.status === 503) && tries < MAX_TRIES;
        if (!patient || waitMs === undefined || waitMs >= deadlineMs - clock.monotonic()) throw answer.error;
        await sleep(clock, waitMs + random.next() * RETRY_SPREAD_MS, call.signal);
      }
    },
    stream: (call, sink) => {
      const running = new InProcessStream(deps, options, call, {
        onData: sink.onData,
        onEnd: (error) => {
          open.delete(running);
          sink.onEnd(error);
        },
      });
      open.add(running);
      running.start(closed);
      return running;
    },
    close: async () => {
      closed = true;
      for (const running of [...open]) running.cancel(new RequestError('reset', 'the client was closed'));
    },
  };
}

/** As the transport over HTTP has them. */
const MAX_TRIES = 5;
const RETRY_SPREAD_MS = 250;

type Tried = { readonly status: number; readonly body: Buffer; readonly error: StatusError } | RequestError;

/** One try, with whatever goes wrong with it. Rejects with the signal's reason only. */
function tryOnce(
  deps: InProcessDeps,
  options: InProcessOptions,
  call: HttpCall,
  tries: number,
  deadlineMs: number,
): Promise<Tried> {
  const { clock } = deps;
  return new Promise((resolve, reject) => {
    let settled = false;
    const settle = (finish: () => void): void => {
      if (settled) return;
      settled = true;
      clock.clearTimeout(deadline);
      call.signal?.removeEventListener('abort', onAbort);
      finish();
    };
    const onAbort = (): void => settle(() => reject(call.signal?.reason));
    const leftMs = Math.max(0, deadlineMs - clock.monotonic());
    const deadline = clock.setTimeout(() => {
      const message = `${call.call}: timed out after ${Math.round(leftMs)} ms, without an answer`;
      settle(() => resolve(new RequestError('timeout', message)));
    }, leftMs);
    call.signal?.addEventListener('abort', onAbort, { once: true });
    const done = (tried: Tried): void => settle(() => resolve(tried));
    carryOut(deps, options, call, options.intercept?.call?.(call, tries), () => !settled, done);
  });
}

function carryOut(
  deps: InProcessDeps,
  options: InProcessOptions,
  call: HttpCall,
  fault: CallFault | undefined,
  isWanted: () => boolean,
  done: (tried: Tried) => void,
): void {
  const { clock, server } = deps;
  const way = (of: 'request' | 'answer'): number => options.latencyMs?.(of) ?? 0;
  if (fault?.type === 'unsent') {
    done(new RequestError('connect', `${call.call}: connection refused`));
    return;
  }
  const answered = (answer: ApiAnswer): void => {
    const after = fault === undefined ? undefined : faultAfter(call, fault);
    if (after === 'mute') return;
    const truncated = fault?.type === 'truncate' ? fault.bytes : undefined;
    later(clock, way('answer'), () => done(after ?? buildTried(deps, call, answer, truncated)));
  };
  const send = (): void => {
    if (!isWanted()) return;
    const before = fault === undefined ? undefined : faultBefore(call, fault);
    if (before === 'mute') return;
    if (before !== undefined) {
      later(clock, way('answer'), () => done(before));
      return;
    }
    const answer = server.handle(buildRequest(call, options, fault?.type === 'stale' ? fault.revision : undefined));
    if (answer instanceof Promise) answer.then(answered, (error: unknown) => done(asReset(call.call, error)));
    else answered(answer);
  };
  later(clock, way('request') + (fault?.type === 'delay' ? fault.ms : 0), send);
}

function later(clock: Clock, ms: number, run: () => void): void {
  if (ms <= 0) run();
  else clock.setTimeout(run, ms);
}

function faultBefore(call: HttpCall, fault: CallFault): Tried | 'mute' | undefined {
  return 'when' in fault && fault.when === 'before' ? strike(call, fault) : undefined;
}

function faultAfter(call: HttpCall, fault: CallFault): Tried | 'mute' | undefined {
  return 'when' in fault && fault.when === 'after' ? strike(call, fault) : undefined;
}

type Striking = Extract<CallFault, { readonly when: unknown }>;

function strike({ call }: { readonly call: string }, fault: Striking): Tried | 'mute' {
  if (fault.type === 'stall') return 'mute';
  if (fault.type === 'reset') return new RequestError('reset', `${call}: the connection was reset`);
  return { status: fault.code, body: EMPTY, error: refusal(call, fault) };
}

const EMPTY = Buffer.alloc(0);

function refusal(call: string, fault: Extract<CallFault, { readonly type: 'refuse' }>): StatusError {
  const { code, reason, message = `the server was told to refuse: ${fault.reason}`, retryAfterSeconds } = fault;
  const details = retryAfterSeconds === undefined ? undefined : { retryAfterSeconds };
  const body = Buffer.from(JSON.stringify(failure(code, reason, message, details).status));
  return parseStatusError(call, code, body, retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000);
}

function buildTried(deps: InProcessDeps, call: HttpCall, answer: ApiAnswer, truncated: number | undefined): Tried {
  const whole = Buffer.from(answer.body);
  const body = truncated === undefined ? whole : whole.subarray(0, truncated);
  const retryAfterMs = parseRetryAfterMs(answer.headers['retry-after'], deps.clock.now());
  const { status } = answer;
  const isGood = status >= 200 && status < 300;
  return { status, body, error: isGood ? NO_ERROR : parseStatusError(call.call, status, body, retryAfterMs) };
}

const NO_ERROR = parseStatusError('none', 200, EMPTY, undefined);

function buildRequest(
  call: Pick<HttpCall, 'path' | 'accept'> & Partial<HttpCall>,
  { user, userAgent }: InProcessOptions,
  atRevision?: number,
): ApiRequest {
  const { path, accept, body, contentType, method = 'GET' } = call;
  const headers = { accept, 'content-type': contentType, 'user-agent': userAgent };
  return { method, path, headers, body, user, isRendered: true, ...(atRevision === undefined ? {} : { atRevision }) };
}

function asReset(call: string, cause: unknown): RequestError {
  return new RequestError('reset', `${call}: ${cause instanceof Error ? cause.message : cause}`, { cause });
}

type Sink = { readonly onData: (chunk: Buffer) => void; readonly onEnd: (error: Error | undefined) => void };

/** One long answer. Lines keep their order, whatever time each takes. */
class InProcessStream {
  readonly #deps: InProcessDeps;
  readonly #options: InProcessOptions;
  readonly #call: HttpStream;
  readonly #sink: Sink;
  readonly #timers = new Set<Timer>();
  #watch: RunningWatch | undefined;
  #ended = false;
  #isPaused = false;
  /** Nothing is delivered before this moment, because something sent earlier is not. */
  #notBeforeMs = 0;

  constructor(deps: InProcessDeps, options: InProcessOptions, call: HttpStream, sink: Sink) {
    this.#deps = deps;
    this.#options = options;
    this.#call = call;
    this.#sink = sink;
  }

  start(isClosed: boolean): void {
    const fault = this.#options.intercept?.stream?.(this.#call);
    const { call } = this.#call;
    if (isClosed) {
      this.#later(0, () => this.#end(new RequestError('connect', 'the client is closed')));
      return;
    }
    if (fault?.type === 'unsent') {
      this.#later(0, () => this.#end(new RequestError('connect', `${call}: connection refused`)));
      return;
    }
    const delayMs = fault?.type === 'delay' ? fault.ms : 0;
    this.#later((this.#options.latencyMs?.('request') ?? 0) + delayMs, () => this.#open(fault));
  }

  cancel(reason: Error): void {
    this.#end(reason);
  }

  pause(): void {
    this.#isPaused = true;
    this.#watch?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#watch?.resume();
  }

  #open(fault: StreamFault | undefined): void {
    if (fault !== undefined && 'when' in fault) {
      const struck = strike(this.#call, fault);
      if (struck === 'mute') return;
      this.#end(struck instanceof RequestError ? struck : struck.error);
      return;
    }
    const answer = this.#deps.server.handle(buildRequest(this.#call, this.#options));
    const take = (taken: ApiAnswer): void => this.#take(taken, fault?.type === 'lines' ? fault.judge : undefined);
    if (answer instanceof Promise) {
      answer.then(take, (error: unknown) => this.#end(asReset(this.#call.call, error)));
    } else take(answer);
  }

  #take(answer: ApiAnswer, judge: Extract<StreamFault, { readonly type: 'lines' }>['judge'] | undefined): void {
    if (this.#ended) return;
    const { status, body, headers, watch } = answer;
    if (watch === undefined) {
      if (status === 200) this.#sink.onData(Buffer.from(body));
      const waitMs = parseRetryAfterMs(headers['retry-after'], this.#deps.clock.now());
      this.#end(status === 200 ? undefined : parseStatusError(this.#call.call, status, Buffer.from(body), waitMs));
      return;
    }
    const reset = (): void => this.#end(new RequestError('reset', `${this.#call.call}: the connection was reset`));
    const output = {
      data: (chunk: Buffer, extraMs: number) => this.#deliver(chunk, extraMs),
      end: () => this.#inOrder(0, () => this.#end(undefined)),
      reset: () => this.#inOrder(0, reset),
    };
    const onLine = judge === undefined ? (line: Buffer) => this.#deliver(line, 0) : createLineFaults(judge, output);
    const running = watch({ onLine, onEnd: output.end });
    if (this.#ended) running.stop();
    else this.#watch = running;
    if (this.#isPaused) running.pause();
  }

  #deliver(chunk: Buffer, extraMs: number): void {
    this.#inOrder((this.#options.latencyMs?.('event') ?? 0) + extraMs, () => this.#sink.onData(chunk));
  }

  #inOrder(delayMs: number, run: () => void): void {
    if (this.#ended) return;
    const nowMs = this.#deps.clock.monotonic();
    const dueMs = Math.max(nowMs + delayMs, this.#notBeforeMs);
    this.#notBeforeMs = dueMs;
    // While anything is under way, what comes later has to go the same way, even in no time.
    if (dueMs <= nowMs && this.#timers.size === 0) run();
    else this.#later(dueMs - nowMs, run, true);
  }

  #later(ms: number, run: () => void, always = false): void {
    if (ms <= 0 && !always) {
      run();
      return;
    }
    const timer = this.#deps.clock.setTimeout(
      () => {
        this.#timers.delete(timer);
        if (!this.#ended) run();
      },
      Math.max(0, ms),
    );
    this.#timers.add(timer);
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const timer of this.#timers) this.#deps.clock.clearTimeout(timer);
    this.#timers.clear();
    this.#watch?.stop();
    this.#sink.onEnd(error);
  }
}
