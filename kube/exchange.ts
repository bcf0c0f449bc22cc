import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Clock } from './clock.ts';
import { RequestError } from './errors.ts';

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer };

export type Exchange = {
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly request: Dispatcher.DispatchOptions;
  /** For error messages. */
  readonly call: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
};

/**
 * One request and its whole answer. Rejects with `RequestError`, or with the signal's reason. Works on the dispatcher's events, because a stream
 * and an abort signal for each call cost more than the call's own work.
 */
export function exchange(options: Exchange): Promise<Answer> {
  const { dispatcher, clock, request, call, timeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let ended = false;
    let status = 0;
    let headers: IncomingHttpHeaders = {};
    let first: Buffer | undefined;
    let more: Buffer[] | undefined;

    const finish = (): boolean => {
      if (ended) return false;
      ended = true;
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      return true;
    };
    const cancel = (error: unknown): void => {
      if (!finish()) return;
      controller?.abort(error instanceof Error ? error : new Error(String(error)));
      reject(error);
    };
    const onAbort = (): void => cancel(signal?.reason);
    const timer = clock.setTimeout(() => cancel(timeout(call, controller, status, timeoutMs)), Math.max(0, timeoutMs));
    signal?.addEventListener('abort', onAbort, { once: true });

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (started) => {
        controller = started;
        if (ended) started.abort(new Error('cancelled before it was sent'));
      },
      onResponseStart: (_, code, received) => {
        status = code;
        headers = received;
      },
      onResponseData: (_, chunk) => {
        if (first === undefined) first = chunk;
        else {
          more ??= [first];
          more.push(chunk);
        }
      },
      onResponseEnd: () => {
        const body = more === undefined ? (first ?? EMPTY) : Buffer.concat(more);
        if (finish()) resolve({ status, headers, body });
      },
      onResponseError: (_, error) => {
        if (finish()) reject(requestError(call, controller !== undefined, error));
      },
    };
    try {
      dispatcher.dispatch(request, handler);
    } catch (error) {
      if (finish()) reject(requestError(call, false, error));
    }
  });
}

/** Hears of a long answer. `onEnd` comes exactly once, last: without an error when the server ended the answer properly. */
export type StreamSink = {
  onHeaders(status: number, headers: IncomingHttpHeaders): void;
  onData(chunk: Buffer): void;
  onEnd(error: Error | undefined): void;
};

export type RunningStream = { cancel(reason: Error): void; pause(): void; resume(): void };

/** One request whose answer is read as it comes. */
export function stream(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  call: string,
  sink: StreamSink,
): RunningStream {
  let controller: Dispatcher.DispatchController | undefined;
  let ended = false;
  const end = (error: Error | undefined): void => {
    if (ended) return;
    ended = true;
    sink.onEnd(error);
  };
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: (started) => {
      controller = started;
      if (ended) started.abort(new Error('cancelled before it was sent'));
    },
    onResponseStart: (_, status, headers) => {
      if (!ended) sink.onHeaders(status, headers);
    },
    onResponseData: (_, chunk) => {
      if (!ended) sink.onData(chunk);
    },
    onResponseEnd: () => end(undefined),
    onResponseError: (_, error) => end(requestError(call, controller !== undefined, error)),
  };
  try {
    dispatcher.dispatch(request, handler);
  } catch (error) {
    end(requestError(call, false, error));
  }
  return {
    cancel: (reason) => {
      end(reason);
      controller?.abort(reason);
    },
    pause: () => controller?.pause(),
    resume: () => controller?.resume(),
  };
}

const EMPTY = Buffer.alloc(0);

function timeout(call: string, sent: unknown, status: number, timeoutMs: number): RequestError {
  const where =
    sent === undefined ? 'before it could be sent' : status === 0 ? 'without an answer' : 'inside the answer';
  const failure = sent === undefined ? 'connect' : 'timeout';
  return new RequestError(failure, `${call}: timed out after ${Math.round(timeoutMs)} ms, ${where}`);
}

/** What was never handed to a connection certainly had no effect. */
function requestError(call: string, sent: boolean, cause: unknown): RequestError {
  if (cause instanceof RequestError) return cause;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? `${cause.code}: ` : '';
  const message = cause instanceof Error ? cause.message : String(cause);
  return new RequestError(sent ? 'reset' : 'connect', `${call}: ${code}${message || 'connection failed'}`, { cause });
}
