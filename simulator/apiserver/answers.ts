import { type Representation, representationOf } from './accept.ts';
import { fromStorage } from './convert.ts';
import type { Core } from './core.ts';
import type { ServedKind } from './kinds.ts';
import { type Page, pageMetadata, renderPage } from './list.ts';
import type { ApiObject } from './object.ts';
import { partialOf, renderObject } from './render.ts';
import type { ApiAnswer, ApiRequest, Query } from './request.ts';
import type { JsonObject } from './schema/json.ts';
import { Stored } from './store.ts';
import { parseTableOptions, renderTable } from './table.ts';

/** What decides how an answer looks. */
export type Rendering = {
  readonly core: Core;
  readonly kind: ServedKind;
  readonly query: Query;
  readonly request: ApiRequest;
};

export const JSON_HEADERS = { 'content-type': 'application/json' } as const;

/** A page, or a whole list. */
export function renderList(call: Rendering, page: Page): string {
  const { of, version } = representationOf(call.request, 'list');
  if (of === 'table') return tableOf(call, version, page.items, pageMetadata(page));
  return renderPage(call.kind, page, of);
}

/** Objects as kubectl prints them. */
export function tableOf(
  { core, kind, query }: Omit<Rendering, 'request'>,
  version: Representation['version'],
  items: readonly Stored[],
  metadata: JsonObject,
): string {
  const options = { ...parseTableOptions(query), version, nowMs: core.clock.now(), hasHeader: true };
  return renderTable(kind, items, metadata, options);
}

/** One object that a write left. */
export function answerObject(call: Rendering, status: number, object: ApiObject): ApiAnswer {
  const { kind, request } = call;
  const { name = '', namespace = '' } = object.metadata;
  const stored = kind.collection.get(namespace, name);
  const { of, version } = representationOf(request);
  if (of === 'table') {
    const shown = stored ?? new Stored(object, Number(object.metadata.resourceVersion ?? 0));
    return {
      status,
      headers: JSON_HEADERS,
      body: tableOf(call, version, [shown], { resourceVersion: String(shown.revision) }),
    };
  }
  const isStored = stored !== undefined && fromStorage(kind, stored.object) === object;
  const body = isStored
    ? renderObject(kind, stored, of)
    : JSON.stringify(of === 'metadata' ? partialOf(object) : object);
  return { status, headers: JSON_HEADERS, body };
}
