import type { ClientDeps } from './deps.ts';
import { parseProblem, UnreachableError } from './errors.ts';
import { computePause, isPassing, parseRetryAfter, pause, type RetryRule } from './retry.ts';

/** A call before it is typed. */
export type RawRequest = {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of one attempt. */
  readonly timeoutMs: number;
  readonly retry: RetryRule;
};

export type RawResponse = { readonly status: number; readonly headers: Headers; readonly text: string };

/** Larger than any page of any list. */
const MOST_BODY_BYTES = 32 * 1024 * 1024;

/**
 * Sends until there is an answer to keep. Repeats only what is safe to repeat: reads, and writes that carry an idempotency key. Follows no redirect, so that the
 * token goes nowhere else. Throws ApiError for a refusal, UnreachableError when no attempt was answered, and the signal's reason when it aborts.
 */
export async function send(deps: ClientDeps, request: RawRequest): Promise<RawResponse> {
  const isRepeatable = request.method === 'GET' || request.headers['idempotency-key'] !== undefined;
  const rule = isRepeatable ? request.retry : { ...request.retry, retries: 0 };
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await attemptOnce(deps, request);
    if ('response' in outcome && outcome.response.status < 300) return outcome.response;
    const retryAfterMs =
      'response' in outcome ? parseRetryAfter(outcome.response.headers.get('retry-after'), deps.now()) : undefined;
    const mayPass = !('response' in outcome) || isPassing(outcome.response.status);
    const pauseMs = mayPass ? computePause(rule, attempt, retryAfterMs, deps.random) : undefined;
    if (pauseMs !== undefined) {
      await pause(deps, pauseMs, request.signal);
      continue;
    }
    if ('response' in outcome) throw refuse(outcome.response, deps.now());
    const times = attempt === 0 ? '' : ` after ${attempt + 1} attempts`;
    const message = `${request.url.origin} gave no answer${times}: ${describeFailure(outcome.error)}`;
    throw new UnreachableError(message, { cause: outcome.error, idempotencyKey: request.headers['idempotency-key'] });
  }
}

type Outcome = { readonly response: RawResponse } | { readonly error: unknown };

async function attemptOnce(
  deps: ClientDeps,
  { method, url, headers, body, signal, timeoutMs }: RawRequest,
): Promise<Outcome> {
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const response = await deps.fetch(url, {
      method,
      headers: { ...headers },
      redirect: 'manual',
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
      ...(body === undefined ? {} : { body }),
    });
    return { response: { status: response.status, headers: response.headers, text: await readText(response) } };
  } catch (error) {
    signal?.throwIfAborted();
    return { error: late.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error };
  }
}

/** The body, of bounded size. */
export async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = '';
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_BODY_BYTES) throw new Error(`the answer has more than ${MOST_BODY_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** The error of an answer that is no success. */
export function refuse({ status, headers, text }: RawResponse, nowMs: number): Error {
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'), nowMs);
  const requestId = headers.get('request-id') ?? undefined;
  if (status >= 300 && status < 400) {
    return parseProblem(
      status,
      JSON.stringify({ title: 'the server redirects, which is not followed; name the address of the API itself' }),
      { requestId, retryAfterMs },
    );
  }
  return parseProblem(status, text, { requestId, retryAfterMs });
}

/** fetch hides what went wrong in causes. */
export function describeFailure(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return cause instanceof Error ? cause.message : String(cause);
}
