import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIPv6, type LookupFunction } from 'node:net';
import type { Clock } from '../../kube/clock.ts';
import { type DestinationPolicy, parseDestination, resolveDestination } from './destination.ts';

/** What came of it. `problem` is absent when it was delivered; it is for the tenant to read, and says nothing of what is inside. */
export type PostResult = {
  readonly status?: number | undefined;
  readonly problem?: string | undefined;
  readonly retryAfter?: string | undefined;
};

export type Post = (
  url: string,
  message: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
  /** Ends it, with a problem. */
  signal: AbortSignal,
) => Promise<PostResult>;

export type PostOptions = DestinationPolicy & {
  /** For name, connection and answer together. Default 20 s. */
  readonly timeoutMs?: number | undefined;
  readonly resolve?: typeof resolveDestination | undefined;
};

const TIMEOUT_MS = 20_000;
const MAX_HEADER_BYTES = 16_384;
/** Of the body of an answer nothing is used. This much is waited for, because some servers end their work when nobody listens any more. */
const MAX_BODY_BYTES = 65_536;
const USER_AGENT = 'sublet-webhooks';

/**
 * Sends messages. The address is looked up and judged each time, and what was judged is what is connected to, so a name that leads elsewhere a moment later
 * changes nothing. Redirects are an answer like any other. Never rejects.
 */
export function createPost(deps: { readonly clock: Clock }, options: PostOptions): Post {
  const { timeoutMs = TIMEOUT_MS, resolve = resolveDestination } = options;
  return async (text, { headers, body }, signal) => {
    const parsed = parseDestination(text, options);
    if (parsed.type === 'refused') return { problem: `the URL ${parsed.message}` };
    if (signal.aborted) return { problem: 'the sender stopped' };
    const late = Promise.withResolvers<PostResult>();
    const ending = new AbortController();
    let answer: PostResult = { problem: `no answer within ${timeoutMs / 1_000} s` };
    const timer = deps.clock.setTimeout(() => {
      late.resolve(answer);
      ending.abort();
    }, timeoutMs);
    const onAbort = (): void => {
      late.resolve({ problem: 'the sender stopped' });
      ending.abort();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const onAnswer = (result: PostResult): void => {
      answer = result;
    };
    const send = async (): Promise<PostResult> => {
      const addresses = await resolve(parsed.destination);
      if (ending.signal.aborted) return late.promise;
      return exchange(parsed.destination.url, { addresses, headers, body, onAnswer, signal: ending.signal });
    };
    try {
      return await Promise.race([send(), late.promise]);
    } catch (error) {
      return { problem: error instanceof Error ? error.message.slice(0, 200) : 'sending failed' };
    } finally {
      deps.clock.clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      ending.abort();
    }
  };
}

type Exchange = {
  readonly addresses: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Hears the answer before its body is there, which may never come. */
  readonly onAnswer: (result: PostResult) => void;
  readonly signal: AbortSignal;
};

function exchange(url: URL, { addresses, headers, body, onAnswer, signal }: Exchange): Promise<PostResult> {
  const options: RequestOptions = {
    method: 'POST',
    headers: {
      ...headers,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': USER_AGENT,
      connection: 'close',
    },
    agent: false,
    lookup: pinTo(addresses),
    maxHeaderSize: MAX_HEADER_BYTES,
    signal,
  };
  return new Promise((resolve) => {
    const request: ClientRequest = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
    let isAnswered = false;
    request.once('response', (response) => {
      isAnswered = true;
      const result = judge(response);
      onAnswer(result);
      void drain(response).then(() => resolve(result));
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (!isAnswered) resolve({ problem: explain(error) });
    });
    request.once('close', () => {
      if (!isAnswered) resolve({ problem: 'the connection ended without an answer' });
    });
    request.end(body);
  });
}

/** The name was looked up and judged before: nothing is asked again. */
function pinTo(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  return (_host, { all: wantsAll }, callback) => {
    const [first] = all;
    if (first === undefined) callback(new Error('there is no address'), '');
    else if (wantsAll === true) callback(null, all);
    else callback(null, first.address, first.family);
  };
}

function judge({ statusCode: status = 0, headers }: IncomingMessage): PostResult {
  if (status >= 200 && status < 300) return { status };
  const retryAfter = headers['retry-after'];
  const problem =
    status >= 300 && status < 400
      ? `answered ${status}, and redirects are not followed; make a webhook of the new URL`
      : `answered ${status}`;
  return { status, problem, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

/** Until the answer ends, by whatever, or is too long to wait for. */
function drain(response: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) response.destroy();
    });
    for (const event of ['end', 'close', 'error'] as const) response.once(event, () => resolve());
  });
}

/** By its code: texts name addresses. */
function explain({ code }: NodeJS.ErrnoException): string {
  return code === undefined ? 'the connection failed' : `the connection failed: ${code.slice(0, 100)}`;
}
