import { type ClientDeps, REAL_DEPS } from './deps.ts';
import { UnreachableError } from './errors.ts';
import { type RawResponse, send } from './request.ts';
import { DEFAULT_RETRY, type RetryRule } from './retry.ts';
import { openStream, type Stream } from './stream.ts';
import type { Input, Method, Operation, Output, PathsWith } from './typed.ts';

export type ClientOptions = {
  /** `https://api.example.com`, with a path before `/v1` if there is one. Plain http only to this machine, unless `insecure` says that the way is safe. */
  readonly server: string;
  /** An ID token or an API key; a function is asked before each call. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  readonly insecure?: boolean | undefined;
  /** Of one attempt, for calls that do not wait. Default 30 s. */
  readonly timeoutMs?: number | undefined;
  readonly retry?: Partial<RetryRule> | undefined;
  readonly userAgent?: string | undefined;
};

export type CallOptions = {
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Makes repeated calls one request for seven days. Without one a write draws its own, so that its retries are one. */
  readonly idempotencyKey?: string | undefined;
  /** The `etag` that was seen; with another one there now, nothing is done. */
  readonly ifMatch?: string | undefined;
  readonly timeoutMs?: number | undefined;
};

/** What came back. `status` tells 202 (accepted) from 200 (nothing was different). */
export type Answer<T> = {
  readonly status: number;
  readonly data: T;
  readonly etag: string | undefined;
  readonly requestId: string | undefined;
  readonly headers: Headers;
};

type Call<M extends Method> = <P extends PathsWith<M>>(
  path: P,
  input: Input<Operation<P, M>>,
  options?: CallOptions,
) => Promise<Answer<Output<Operation<P, M>>>>;

/**
 * The API, typed by its description. Each method takes a path of the description with its parameters apart. Throws ApiError for a refusal and UnreachableError
 * when there was no answer after all attempts.
 */
export type Client = {
  readonly server: string;
  readonly get: Call<'get'>;
  readonly post: Call<'post'>;
  readonly put: Call<'put'>;
  readonly patch: Call<'patch'>;
  readonly delete: Call<'delete'>;
  /** An event stream below the server's address: one connection, no retries. */
  stream(
    path: string,
    options?: { readonly signal?: AbortSignal | undefined; readonly lastEventId?: string | undefined },
  ): Promise<Stream>;
  readonly deps: ClientDeps;
};

const DEFAULT_TIMEOUT_MS = 30_000;
const USER_AGENT = 'sublet-client';

/** Writes that take no idempotency key, so that a second attempt would make a second thing. */
export const MADE_ANEW: ReadonlySet<string> = new Set([
  '/v1/signup',
  '/v1/tenants/{path}/invitations',
  '/v1/tenants/{path}/keys',
  '/v1/tenants/{path}/desktops/{name}/password-link',
  '/v1/tenants/{path}/webhooks',
  '/v1/tenants/{path}/webhooks/{id}/rotate',
  '/v1/tenants/{path}/webhooks/{id}/test',
  '/v1/tenants/{path}/webhooks/{id}/replay',
  '/v1/tenants/{path}/webhooks/{id}/deliveries/{event}/replay',
]);

/** Repeated attempts of a write carry the same key, so that they are one request. */
function chooseKey(
  deps: ClientDeps,
  method: Method,
  path: string,
  { idempotencyKey }: CallOptions,
): string | undefined {
  if (method === 'get' || (method === 'post' && MADE_ANEW.has(path))) return undefined;
  return idempotencyKey ?? deps.newKey();
}

export function createClient(options: ClientOptions, deps: ClientDeps = REAL_DEPS): Client {
  const base = parseServer(options);
  const call =
    <M extends Method>(method: M): Call<M> =>
    async (path, input, callOptions = {}) => {
      const given = input as AnyInput;
      const response = await send(deps, {
        method: method.toUpperCase(),
        url: buildUrl(base, path, given),
        headers: await buildHeaders(options, method, given, callOptions, chooseKey(deps, method, path, callOptions)),
        ...(given.body === undefined ? {} : { body: JSON.stringify(given.body) }),
        signal: callOptions.signal,
        timeoutMs: callOptions.timeoutMs ?? options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
        retry: { ...DEFAULT_RETRY, ...options.retry },
      });
      return readAnswer(response);
    };
  return {
    server: base.href,
    get: call('get'),
    post: call('post'),
    put: call('put'),
    patch: call('patch'),
    delete: call('delete'),
    stream: async (path, { signal, lastEventId } = {}) => {
      const resume = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
      const headers = { 'user-agent': options.userAgent ?? USER_AGENT, ...(await authorize(options)), ...resume };
      return openStream(deps, { url: new URL(path, base), headers, signal });
    },
    deps,
  };
}

type AnyInput = {
  readonly path?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
};

/** The address that calls go below. Throws a TypeError for what is none, or would send the token in the clear. */
export function parseServer({ server, insecure = false }: Pick<ClientOptions, 'server' | 'insecure'>): URL {
  if (!URL.canParse(server))
    throw new TypeError(`server: ${JSON.stringify(server)} is no address such as https://api.example.com`);
  const url = new URL(server.endsWith('/') ? server : `${server}/`);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TypeError('server: the address has to be without user, password, query and fragment');
  }
  const isLocal = url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(\.[0-9]+){3}$/.test(url.hostname);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && (isLocal || insecure))) return url;
  throw new TypeError(`server: ${url.origin} would send the token in the clear; use https`);
}

/** Parameters of the path are escaped, so that none of them reaches another path. */
function buildUrl(base: URL, template: string, { path = {}, query = {} }: AnyInput): URL {
  const filled = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(path[name] ?? '');
    if (value === '' || value === '.' || value === '..')
      throw new TypeError(`${name}: ${JSON.stringify(value)} cannot stand in an address`);
    return encodeURIComponent(value);
  });
  const url = new URL(filled.replace(/^\//, ''), base);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

async function buildHeaders(
  options: ClientOptions,
  method: Method,
  { body }: AnyInput,
  call: CallOptions,
  key: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  return {
    accept: 'application/json, application/problem+json, */*;q=0.1',
    'user-agent': options.userAgent ?? USER_AGENT,
    ...(await authorize(options)),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
    ...(call.ifMatch === undefined ? {} : { 'if-match': call.ifMatch }),
    ...(body === undefined
      ? {}
      : { 'content-type': method === 'patch' ? 'application/merge-patch+json' : 'application/json' }),
    ...call.headers,
  };
}

async function authorize({ token }: ClientOptions): Promise<Readonly<Record<string, string>>> {
  const value = typeof token === 'function' ? await token() : token;
  if (value === undefined || value === '') return {};
  if (!/^[\x21-\x7e]+$/.test(value))
    throw new TypeError('token: has characters that no token has; was it copied with a line break?');
  return { authorization: `Bearer ${value}` };
}

/** The description says what is in the answer; only whether it is JSON is looked at here. */
function readAnswer<T>({ status, headers, text }: RawResponse): Answer<T> {
  const isJson = /^application\/([a-z.-]+\+)?json\b/i.test(headers.get('content-type') ?? '');
  const data: unknown = text === '' ? undefined : isJson ? parseJson(text) : text;
  return {
    status,
    data: data as T,
    etag: headers.get('etag') ?? undefined,
    requestId: headers.get('request-id') ?? undefined,
    headers,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UnreachableError('the answer is no JSON; is this the address of the API?', { cause: error });
  }
}
