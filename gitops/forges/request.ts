import { ForgeError, type ForgeFailure } from './forge.ts';

export type ForgeDeps = {
  /** Sends a request; the global `fetch`, or one that goes to allowed addresses only. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Asked before each call. */
  readonly token: () => Promise<string>;
  /** Milliseconds since the epoch: forges say at which time calls are taken again. */
  readonly now: () => number;
};

export type Call = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: object | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type Answer = { readonly status: number; readonly json: unknown };

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 4 * 1024 * 1024;
/** When a forge says "too many" and not until when. */
const DEFAULT_RETRY_MS = 60_000;
const MAX_RETRY_MS = 60 * 60_000;

/**
 * One call to a forge's API. Follows no redirect, reads a bounded answer, and turns everything but success and the statuses that the caller names into a
 * `ForgeError`.
 */
export async function callForge(
  deps: Pick<ForgeDeps, 'fetch' | 'now'>,
  call: Call,
  expected: readonly number[] = [],
): Promise<Answer> {
  const { method, url, body, signal } = call;
  const what = `${method} ${new URL(url).pathname}`;
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  let text: string;
  try {
    response = await deps.fetch(url, {
      method,
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        ...call.headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    text = await readText(response, what);
  } catch (error) {
    if (error instanceof ForgeError) throw error;
    throw new ForgeError('Unreachable', `${what}: the forge does not answer`, { cause: error });
  }
  const json = parseJson(text);
  if (response.ok || expected.includes(response.status)) {
    if (json === undefined && text !== '') throw new ForgeError('Unreachable', `${what}: the answer is no JSON`);
    return { status: response.status, json };
  }
  const retryAfterMs = readRetryAfter(response, deps.now());
  const failure = failureOf(response.status, retryAfterMs);
  const message = `${what}: the forge answered ${response.status}: ${describeAnswer(json)}`;
  throw new ForgeError(
    failure,
    message,
    failure === 'Limited' ? { retryAfterMs: retryAfterMs ?? DEFAULT_RETRY_MS } : {},
  );
}

function failureOf(status: number, retryAfterMs: number | undefined): ForgeFailure {
  // GitHub answers 403 for its limits, too, and then says until when.
  if (status === 429 || (status === 403 && retryAfterMs !== undefined)) return 'Limited';
  if (status === 401 || status === 403) return 'Denied';
  if (status === 404 || status === 410) return 'NotFound';
  return status >= 500 || status === 408 ? 'Unreachable' : 'Refused';
}

/** `Retry-After` in seconds, or the time at which an exhausted limit is reset. */
function readRetryAfter({ headers }: Response, nowMs: number): number | undefined {
  const after = Number(headers.get('retry-after') ?? Number.NaN);
  if (Number.isFinite(after)) return clamp(after * 1000);
  const remaining = headers.get('x-ratelimit-remaining') ?? headers.get('ratelimit-remaining');
  const reset = Number(headers.get('x-ratelimit-reset') ?? headers.get('ratelimit-reset') ?? Number.NaN);
  return remaining === '0' && Number.isFinite(reset) ? clamp(reset * 1000 - nowMs) : undefined;
}

function clamp(ms: number): number {
  return Math.min(Math.max(ms, 1000), MAX_RETRY_MS);
}

async function readText(response: Response, what: string): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new ForgeError('Unreachable', `${what}: the answer has more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What the forge says went wrong, in one short line. */
export function describeAnswer(json: unknown): string {
  const message = typeof json === 'object' && json !== null && 'message' in json ? json.message : undefined;
  const text = Array.isArray(message)
    ? message.map(String).join('; ')
    : typeof message === 'string'
      ? message
      : 'no reason';
  return text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 200);
}
