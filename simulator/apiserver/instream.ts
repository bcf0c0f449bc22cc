import type { Timer } from '../../kube/clock.ts';
import { RequestError } from '../../kube/errors.ts';
import { parseRetryAfterMs, parseStatusError } from '../../kube/status.ts';
import type { HttpStream } from '../../kube/transport.ts';
import type { StreamFault } from './faults.ts';
import { asReset, buildRequest, type InProcessDeps, type InProcessOptions, strike } from './inprocess.ts';
import { createLineFaults } from './linefaults.ts';
import type { ApiAnswer, RunningWatch } from './request.ts';

type Sink = { readonly onData: (chunk: Buffer) => void; readonly onEnd: (error: Error | undefined) => void };

/** One long answer. Lines keep their order, whatever time each takes. */
export class InProcessStream {
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
