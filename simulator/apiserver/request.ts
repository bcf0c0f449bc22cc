import type { UserInfo } from './kinds.ts';

/** One call, however it arrived. Header names are in lower case. */
export type ApiRequest = {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body?: string | undefined;
  readonly user: UserInfo;
  /** The body was rendered from a value, so that nothing stands in it twice. */
  readonly isRendered?: boolean | undefined;
  /** Reads are answered from the state at this revision, as by a server that lags behind. For faults. */
  readonly atRevision?: number | undefined;
};

/** `watch` is there instead of a body while the answer is a stream. */
export type ApiAnswer = {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: string;
  readonly watch?: ((sink: WatchSink) => RunningWatch) | undefined;
};

/** A header may be there more than once. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[]>>;

/** Hears of a stream: whole lines, then its end. Lines may come before the call that opens the stream returns. */
export type WatchSink = { onLine(line: Buffer): void; onEnd(): void };

/** While a reader pauses, a bounded number of events waits for it; beyond that the server ends the watch. */
export type RunningWatch = { stop(): void; pause(): void; resume(): void };

/** A path below `/api` or `/apis` that names a resource, an object or a subresource; empty strings where it names none. */
export type ResourcePath = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
};

export type Query = Readonly<Record<string, string>>;

export function splitQuery(path: string): { readonly path: string; readonly query: Query } {
  const mark = path.indexOf('?');
  if (mark < 0) return { path, query: NO_QUERY };
  const query: Record<string, string> = Object.create(null);
  for (const pair of path.slice(mark + 1).split('&')) {
    const equals = pair.includes('=') ? pair.indexOf('=') : pair.length;
    const name = decodeQuery(pair.slice(0, equals));
    const value = decodeQuery(pair.slice(equals + 1));
    // What is malformed is left out, as Go's parser does for the real server.
    if (name !== undefined && value !== undefined && !pair.includes(';')) query[name] ??= value;
  }
  return { path: path.slice(0, mark), query };
}

function decodeQuery(text: string): string | undefined {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

const NO_QUERY: Query = Object.freeze(Object.create(null));

/** Undefined for what is no path of a resource. An escaped slash separates as any other does. */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const parts = decode(path).split('/');
  const isCore = parts[1] === 'api';
  if (!isCore && parts[1] !== 'apis') return undefined;
  const group = isCore ? '' : (parts[2] ?? '');
  const version = (isCore ? parts[2] : parts[3]) ?? '';
  let rest = parts.slice(isCore ? 3 : 4);
  if (rest.at(-1) === '') rest = rest.slice(0, -1);
  const [first = '', second = '', third = ''] = rest;
  if (first === '' || version === '') return undefined;
  const ofNamespace = first === 'namespaces' && rest.length > 2 && !(isCore && NAMESPACE_SUBRESOURCES.has(third));
  const base = { group, version };
  if (!ofNamespace) {
    const namespace = first === 'namespaces' && isCore ? second : '';
    return { ...base, plural: first, namespace, name: second, subresource: rest.slice(2).join('/') };
  }
  return { ...base, namespace: second, plural: third, name: rest[3] ?? '', subresource: rest.slice(4).join('/') };
}

const NAMESPACE_SUBRESOURCES: ReadonlySet<string> = new Set(['status', 'finalize']);

function decode(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
