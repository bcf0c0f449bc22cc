import type { WatchLine } from './client.ts';
import { WatchDecoder } from './decode.ts';
import { RequestError } from './errors.ts';
import type { HttpStream, Transport } from './transport.ts';

/**
 * The lines of one watch. Ends when the server ends the watch between two lines; throws `RequestError` when the connection
 * fails or a line cannot be read, `StatusError` when the server refuses, the signal's reason when it aborts. Lines that were complete
 * before a failure are delivered before it is thrown. Leaving the loop closes the connection.
 */
export function openWatch(transport: Transport, call: HttpStream, signal?: AbortSignal): AsyncIterable<WatchLine> {
  return { [Symbol.asyncIterator]: () => new WatchIterator(transport, call, signal) };
}

/** A server that sends faster than the reader reads is slowed down beyond this many lines. */
const MAX_WAITING_LINES = 1000;

type Ending = { readonly error: unknown };

class WatchIterator implements AsyncIterator<WatchLine> {
  readonly #decoder = new WatchDecoder();
  readonly #signal: AbortSignal | undefined;
  readonly #stream: ReturnType<Transport['stream']>;
  #lines: readonly WatchLine[] = [];
  #next = 0;
  #ending: Ending | undefined;
  #paused = false;
  #reader: { resolve(result: IteratorResult<WatchLine>): void; reject(error: unknown): void } | undefined;

  constructor(transport: Transport, call: HttpStream, signal: AbortSignal | undefined) {
    this.#signal = signal;
    this.#stream = transport.stream(call, {
      onData: (chunk) => this.#read(chunk),
      onEnd: (error) => {
        if (error === undefined) this.#read(undefined);
        this.#end({ error });
      },
    });
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  next(): Promise<IteratorResult<WatchLine>> {
    const line = this.#shift();
    if (line !== undefined) return Promise.resolve({ done: false, value: line });
    if (this.#ending !== undefined) return this.#finish(this.#ending);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<WatchLine>> {
    this.#end({ error: undefined });
    this.#lines = [];
    this.#next = 0;
    this.#stream.cancel(new RequestError('reset', 'the reader left the watch'));
    return Promise.resolve({ done: true, value: undefined });
  }

  readonly #onAbort = (): void => {
    this.#lines = [];
    this.#next = 0;
    this.#end({ error: this.#signal?.reason });
    this.#stream.cancel(new RequestError('reset', 'the watch was aborted'));
  };

  /** Without a chunk: the stream ended. */
  #read(chunk: Buffer | undefined): void {
    if (this.#ending !== undefined) return;
    const lines: WatchLine[] = [];
    let ending: Ending | undefined;
    try {
      if (chunk === undefined) this.#decoder.end();
      else this.#decoder.push(chunk, (line) => lines.push(line));
    } catch (error) {
      ending = { error };
    }
    this.#deliver(lines);
    if (ending === undefined) return;
    this.#end(ending);
    this.#stream.cancel(new RequestError('reset', 'the watch cannot be read'));
  }

  #deliver(lines: readonly WatchLine[]): void {
    if (lines.length === 0) return;
    if (this.#next >= this.#lines.length) {
      this.#lines = lines;
      this.#next = 0;
    } else {
      this.#lines = [...this.#lines.slice(this.#next), ...lines];
      this.#next = 0;
    }
    if (!this.#paused && this.#lines.length - this.#next > MAX_WAITING_LINES) {
      this.#paused = true;
      this.#stream.pause();
    }
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    const line = this.#shift();
    if (line !== undefined) reader.resolve({ done: false, value: line });
  }

  #shift(): WatchLine | undefined {
    const line = this.#lines[this.#next];
    if (line === undefined) return undefined;
    this.#next += 1;
    if (this.#paused && this.#lines.length - this.#next === 0) {
      this.#paused = false;
      this.#stream.resume();
    }
    return line;
  }

  #end(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) return;
    if (ending.error === undefined) reader.resolve({ done: true, value: undefined });
    else reader.reject(ending.error);
  }

  #finish(ending: Ending): Promise<IteratorResult<WatchLine>> {
    return ending.error === undefined
      ? Promise.resolve({ done: true, value: undefined })
      : Promise.reject(ending.error);
  }
}
