import { type Clock, sleep } from '../../kube/clock.ts';
import { RequestError } from '../../kube/errors.ts';
import { parseRetryAfterMs, parseStatusError } from '../../kube/status.ts';
import type { HttpCall, Transport } from '../../kube/transport.ts';
import type { CallFault } from './faults.ts';
import { asReset, buildRequest, type InProcessDeps, type InProcessOptions, strike, type Tried } from './inprocess.ts';
import { InProcessStream } from './instream.ts';
import type { ApiAnswer } from './request.ts';

export type { InProcessDeps, InProcessOptions } from './inprocess.ts';

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
        const sentMs = clock.monotonic();
        const answer = await tryOnce(deps, options, call, tries, deadlineMs);
        if (answer instanceof RequestError) {
          if (answer.failure !== 'reset' || !call.idempotent || repeated) throw answer;
          repeated = true;
          continue;
        }
        if (answer.status >= 200 && answer.status < 300) {
          deps.observeDate?.(answer.dateMs, sentMs);
          return answer.body;
        }
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

function buildTried(deps: InProcessDeps, call: HttpCall, answer: ApiAnswer, truncated: number | undefined): Tried {
  const whole = Buffer.from(answer.body);
  const body = truncated === undefined ? whole : whole.subarray(0, truncated);
  const retryAfterMs = parseRetryAfterMs(answer.headers['retry-after'], deps.clock.now());
  const { status } = answer;
  const dateMs = Date.parse(String(answer.headers.date ?? ''));
  const isGood = status >= 200 && status < 300;
  return { status, body, dateMs, error: isGood ? NO_ERROR : parseStatusError(call.call, status, body, retryAfterMs) };
}

const EMPTY = Buffer.alloc(0);
const NO_ERROR = parseStatusError('none', 200, EMPTY, undefined);
