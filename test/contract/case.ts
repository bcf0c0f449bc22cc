import type { Json } from './json.ts';

/**
 * One case of the contract: what is done to a server, and nothing about what it should answer. Both servers get the same
 * steps, each in namespaces of its own, and the answers are compared.
 *
 * In paths, headers and bodies `{ns}` and `{ns2}` are the case's namespaces (made before it starts when it names them),
 * `{id}` is a short name that no other case has, for what is not in a namespace, and `<<step:path>>` is what an earlier
 * step's answer held at that path, such as `<<made:metadata.resourceVersion>>`.
 */
export type Case = {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Runs when no other case does, because it touches what all share, such as the history that is kept. */
  readonly alone?: boolean;
};

export type Step = Call | Watch | Kubectl | Compact | Pause;

export type Call = {
  readonly type: 'call';
  /** By which later steps refer to the answer. */
  readonly name?: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Repeats the call until this holds, at most two minutes, and keeps only the last answer. For what controllers do. */
  readonly until?: Until;
  /** Reduces an answer to what the case is about, where the rest differs by nature. */
  readonly pick?: Pick;
};

export type Until = (answer: { readonly status: number; readonly body: Json }) => boolean;
export type Pick = (body: Json) => Json;

export type Watch = {
  readonly type: 'watch';
  readonly name?: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Steps to take once the server began to answer. */
  readonly during: readonly Step[];
  /** How many lines to wait for (bookmarks count only where they are kept); absent: until the server ends it. */
  readonly lines?: number;
  /** Waits for the line that holds this text instead, which is the last one. */
  readonly until?: string;
  /** Keeps all bookmarks, not only the one that ends the initial events. */
  readonly bookmarks: boolean;
};

/** kubectl, as a user runs it; its output is compared as text. */
export type Kubectl = { readonly type: 'kubectl'; readonly args: readonly string[]; readonly input?: string };
/** Forgets the history up to now, as etcd's compaction does. */
export type Compact = { readonly type: 'compact' };
export type Pause = { readonly type: 'pause'; readonly ms: number };

export type CallOptions = {
  readonly name?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly until?: Until;
  readonly pick?: Pick;
};

/** A body is sent as it is when it is text or bytes, and as JSON otherwise. */
export type Body = Json | Uint8Array;

export const get = (path: string, options?: CallOptions): Call => call('GET', path, undefined, undefined, options);
export const post = (path: string, body: Body, options?: CallOptions): Call => call('POST', path, body, JSON_, options);
export const put = (path: string, body: Body, options?: CallOptions): Call => call('PUT', path, body, JSON_, options);
export const del = (path: string, body?: Body, options?: CallOptions): Call =>
  call('DELETE', path, body, body === undefined ? undefined : JSON_, options);
export const merge = (path: string, body: Body, options?: CallOptions): Call =>
  call('PATCH', path, body, 'application/merge-patch+json', options);
export const jsonPatch = (path: string, body: Body, options?: CallOptions): Call =>
  call('PATCH', path, body, 'application/json-patch+json', options);
/** Server-side apply; the path carries the field manager. */
export const apply = (path: string, body: Body, options?: CallOptions): Call =>
  call('PATCH', path, body, 'application/apply-patch+yaml', options);

/** Any call. */
export function call(method: string, path: string, body?: Body, contentType?: string, options: CallOptions = {}): Call {
  const { headers, ...rest } = options;
  return {
    type: 'call',
    method,
    path,
    headers: { ...(contentType === undefined ? {} : { 'content-type': contentType }), ...headers },
    ...(body === undefined ? {} : { body: renderBody(body) }),
    ...rest,
  };
}

export type WatchStepOptions = {
  readonly name?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly during?: readonly Step[];
  readonly lines?: number;
  readonly until?: string;
  readonly bookmarks?: boolean;
};

export function watch(path: string, options: WatchStepOptions = {}): Watch {
  const { headers = {}, during = [], bookmarks = false, ...rest } = options;
  return { type: 'watch', path, headers, during, bookmarks, ...rest };
}

export const kubectl = (args: readonly string[], input?: Json): Kubectl => ({
  type: 'kubectl',
  args,
  ...(input === undefined ? {} : { input: renderBody(input) as string }),
});
export const compact: Compact = { type: 'compact' };
export const pause = (ms: number): Pause => ({ type: 'pause', ms });

/** Until the answer has this status. */
export const status =
  (wanted: number): Until =>
  (answer) =>
    answer.status === wanted;

const JSON_ = 'application/json';

function renderBody(body: Body): string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
}
