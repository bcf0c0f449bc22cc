import { posix } from 'node:path';
import { parseJsonText } from './body.ts';
import { fromStorage } from './convert.ts';
import type { Core } from './core.ts';
import type { ServedKind } from './kinds.ts';
import type { ListOptions } from './listoptions.ts';
import { listHead, type Projection, renderItem } from './render.ts';
import { isObject, type JsonObject } from './schema/json.ts';
import type { Selection } from './selection.ts';
import { badRequest, expired, failure } from './status.ts';
import type { Stored } from './store.ts';

export type Page = {
  readonly items: readonly Stored[];
  readonly resourceVersion: string;
  readonly continue: string | undefined;
  readonly remaining: number | undefined;
};

/** One page of a list, or all of it; `atRevision` is where a server that lags behind stands. Throws `ApiError`. */
export function listPage(
  core: Core,
  kind: ServedKind,
  selection: Selection,
  options: ListOptions,
  atRevision?: number,
): Page {
  const { store } = core;
  const from = decodeContinue(options);
  // What any state will do for comes from the cache, whole.
  const isPaged = options.limit > 0 && options.resourceVersion !== '0';
  const revision = from?.revision ?? exactRevision(options, store.revision) ?? atRevision;
  const state =
    revision === undefined
      ? kind.collection.sorted(selection.namespace)
      : kind.collection.sortedAt(revision, selection.namespace);
  if (state === undefined) throw tooOld(from?.start);
  const start = from === undefined ? 0 : firstFrom(state, startKey(selection.namespace, from.start));
  const { matches } = selection;
  const items: Stored[] = [];
  let index = start;
  for (; index < state.length && !(isPaged && items.length >= options.limit); index += 1) {
    const stored = state[index];
    if (stored !== undefined && (matches === undefined || matches(fromStorage(kind, stored.object))))
      items.push(stored);
  }
  const at = revision ?? store.revision;
  const last = items.at(-1);
  // One that is named is read, not listed.
  const isNamed = selection.name !== undefined && (selection.namespace !== '' || !kind.namespaced);
  const isMore = isPaged && !isNamed && last !== undefined && index < state.length;
  return {
    items,
    resourceVersion: String(at),
    continue: isMore ? encodeContinue(at, relativeKey(selection.namespace, last)) : undefined,
    remaining: isMore && matches === undefined ? state.length - index : undefined,
  };
}

/** A page as JSON. */
export function renderPage(kind: ServedKind, page: Page, projection: Projection): string {
  const head = JSON.stringify({
    ...listHead(kind, projection),
    metadata: kind.custom && projection === 'object' ? { continue: '', ...pageMetadata(page) } : pageMetadata(page),
  });
  const items = page.items.map((stored) => renderItem(kind, stored, projection));
  return `${head.slice(0, -1)},"items":[${items.join(',')}]}`;
}

export function pageMetadata(page: Page): JsonObject {
  return {
    resourceVersion: page.resourceVersion,
    ...(page.continue === undefined ? {} : { continue: page.continue }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
}

/** The revision that must be shown; undefined for the newest. */
function exactRevision(options: ListOptions, current: number): number | undefined {
  const { resourceVersion, match, limit } = options;
  const wanted = parseRevision(resourceVersion);
  if (wanted === 0) return undefined;
  if (wanted > current) throw tooLargeRevision(wanted, current);
  return match === 'Exact' || (match === '' && limit > 0) ? wanted : undefined;
}

/** 0 for none. Throws `ApiError`. */
function parseRevision(text: string): number {
  if (text === '') return 0;
  if (/^\d{1,20}$/.test(text)) return Number(text);
  throw badRequest(`invalid resource version: ${invalidVersion(text)}`);
}

/** As {@link parseRevision}, where the real server fails on what is no version. */
export function requireRevision(text: string): number {
  if (text === '' || /^\d{1,20}$/.test(text)) return Number(text);
  throw failure(500, '', invalidVersion(text));
}

function invalidVersion(text: string): string {
  const quoted = JSON.stringify(text);
  return `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: invalid syntax`;
}

export function tooLargeRevision(wanted: number, current: number): Error {
  return failure(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

type Continue = { readonly revision: number | undefined; readonly start: string };

const TOKEN_VERSION = 'meta.k8s.io/v1';

function encodeContinue(revision: number, start: string): string {
  return Buffer.from(JSON.stringify({ v: TOKEN_VERSION, rv: revision, start: `${start}\0` })).toString('base64url');
}

function decodeContinue(options: ListOptions): Continue | undefined {
  if (options.continue === '') return undefined;
  const { rv, start } = parseToken(options.continue);
  if (options.resourceVersion !== '' && options.resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  return { revision: rv < 0 ? undefined : rv, start };
}

function parseToken(text: string): { readonly rv: number; readonly start: string } {
  const refuse = (why: string): Error => badRequest(`invalid continue token: continue key is not valid${why}`);
  const illegal = illegalBase64(text);
  if (illegal !== undefined) throw refuse(`: illegal base64 data at input byte ${illegal}`);
  const parsed = parseJsonText(Buffer.from(text, 'base64url').toString('utf8'));
  if ('error' in parsed) throw refuse(`: ${parsed.error}`);
  const token = parsed.value;
  if (!isObject(token)) throw refuse('');
  const { v, rv, start } = token;
  if (v !== TOKEN_VERSION) throw refuse(`: server does not recognize this encoded version ${v ?? ''}`);
  if (typeof rv !== 'number' || rv === 0) {
    throw refuse(': incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  if (typeof start !== 'string' || start === '') throw refuse(': encoded start key empty (version meta.k8s.io/v1)');
  const key = start.startsWith('/') ? start : `/${start}`;
  if (posix.normalize(key) !== key) throw refuse(`: ${start}`);
  return { rv, start };
}

/** Where a text is no base64 for URLs without padding, as Go counts. */
function illegalBase64(text: string): number | undefined {
  const found = text.search(/[^A-Za-z0-9_-]/);
  if (found >= 0) return found;
  return text.length % 4 === 1 ? text.length - 1 : undefined;
}

const startKey = (namespace: string, start: string): string => (namespace === '' ? start : `${namespace}/${start}`);
const relativeKey = (namespace: string, { key, name }: Stored): string => (namespace === '' ? key : name);

function firstFrom(state: readonly Stored[], key: string): number {
  const found = state.findIndex((stored) => stored.key >= key);
  return found < 0 ? state.length : found;
}

const INCONSISTENT =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

/** Of a page: with a token that continues in the newest state. */
function tooOld(start: string | undefined): Error {
  if (start === undefined) return expired('The resourceVersion for the provided list is too old.');
  const token = Buffer.from(JSON.stringify({ v: TOKEN_VERSION, rv: -1, start })).toString('base64url');
  return expired(INCONSISTENT, { continue: token });
}
