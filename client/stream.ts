import type { ClientDeps } from './deps.ts';
import { UnreachableError } from './errors.ts';
import { describeFailure, readText, refuse } from './request.ts';

/** What came instead of, or as, a stream of events. */
export type Stream =
  | { readonly type: 'events'; readonly chunks: AsyncIterable<Uint8Array> }
  | { readonly type: 'answer'; readonly text: string };

export type StreamRequest = {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
};

/** A server says that it is there every 15 s; one that is silent for longer than this is gone, whatever the connection says. */
const SILENCE_MS = 45_000;

/**
 * Opens an event stream: one connection, no retries. Throws ApiError for a refusal, UnreachableError when there is no answer or the stream breaks, is silent for too
 * long or is aborted.
 */
export async function openStream(deps: ClientDeps, { url, headers, signal }: StreamRequest): Promise<Stream> {
  const silence = new AbortController();
  const signals = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
  const watchdog = setTimeout(() => silence.abort(new Error(`nothing came for ${SILENCE_MS / 1_000} s`)), SILENCE_MS);
  try {
    const response = await deps.fetch(url, {
      headers: { ...headers, accept: 'text/event-stream, application/json;q=0.5' },
      redirect: 'manual',
      signal: signals,
    });
    const isEvents = /^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '');
    if (response.status === 200 && isEvents && response.body !== null)
      return { type: 'events', chunks: watch(response.body, watchdog) };
    const text = await readText(response);
    clearTimeout(watchdog);
    if (response.status !== 200) throw refuse({ status: response.status, headers: response.headers, text }, deps.now());
    return { type: 'answer', text };
  } catch (error) {
    clearTimeout(watchdog);
    throw asUnreachable(error, url);
  }

  async function* watch(body: AsyncIterable<Uint8Array>, timer: NodeJS.Timeout): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) {
        timer.refresh();
        yield chunk;
      }
    } catch (error) {
      throw asUnreachable(silence.signal.aborted ? silence.signal.reason : error, url);
    } finally {
      clearTimeout(timer);
    }
  }
}

function asUnreachable(error: unknown, url: URL): Error {
  if (error instanceof Error && (error.name === 'ApiError' || error instanceof UnreachableError)) return error;
  return new UnreachableError(`${url.origin} gave no events: ${describeFailure(error)}`, { cause: error });
}
