import { representationOf } from './accept.ts';
import { JSON_HEADERS, renderList, tableOf } from './answers.ts';
import { groupResource, type ServedKind } from './kinds.ts';
import { listPage, requireRevision, tooLargeRevision } from './list.ts';
import { parseListOptions } from './listoptions.ts';
import { type ApiObject, objectAt } from './object.ts';
import { renderObject } from './render.ts';
import type { ApiAnswer } from './request.ts';
import type { Answer, ResourceCall } from './resourcecall.ts';
import type { JsonObject } from './schema/json.ts';
import { parseSelection } from './selection.ts';
import { notFound } from './status.ts';
import { Stored } from './store.ts';
import { parseTableOptions, renderTable } from './table.ts';
import { prepareWatch } from './watch.ts';
import { answerCreate, answerDelete, answerDeleteCollection, answerPatch, answerUpdate } from './writehandlers.ts';

/** Carries out a call. Throws, or rejects with, `ApiError`. */
export function answerResource(call: ResourceCall): Answer {
  switch (call.verb) {
    case 'get':
      return answerGet(call);
    case 'list':
      return answerList(call);
    case 'watch':
      return answerWatch(call);
    case 'create':
      return answerCreate(call);
    case 'update':
      return answerUpdate(call);
    case 'patch':
      return answerPatch(call);
    case 'delete':
      return answerDelete(call);
    case 'deletecollection':
      return answerDeleteCollection(call);
  }
}

function answerGet({ core, kind, path, query, request }: ResourceCall): ApiAnswer {
  const wanted = requireRevision(query.resourceVersion ?? '');
  if (wanted > core.store.revision) throw tooLargeRevision(wanted, core.store.revision);
  const stored = findAt(kind, kind.namespaced ? path.namespace : '', path.name, request.atRevision);
  if (stored === undefined) throw notFound(groupResource(kind), path.name);
  const { of, version } = representationOf(request);
  const body =
    of === 'table'
      ? tableOf({ core, kind, query }, version, [stored], { resourceVersion: String(stored.revision) })
      : renderObject(kind, stored, of);
  return { status: 200, headers: JSON_HEADERS, body };
}

function findAt(kind: ServedKind, namespace: string, name: string, revision: number | undefined): Stored | undefined {
  if (revision === undefined) return kind.collection.get(namespace, name);
  return kind.collection.sortedAt(revision, namespace)?.find((stored) => stored.name === name);
}

function answerList({ core, kind, path, query, request }: ResourceCall): ApiAnswer {
  const selection = parseSelection(kind, query, path.namespace, path.name);
  const page = listPage(core, kind, selection, parseListOptions(query), request.atRevision);
  return { status: 200, headers: JSON_HEADERS, body: renderList({ core, kind, query, request }, page) };
}

function answerWatch({ core, kind, path, query, request }: ResourceCall): ApiAnswer {
  const selection = parseSelection(kind, query, path.namespace, path.name);
  const options = parseListOptions({ ...query, watch: 'true' });
  const { of, version } = representationOf(request, 'watch');
  const tableOptions = parseTableOptions(query);
  const bookmark = (object: JsonObject): string => {
    const metadata = { resourceVersion: String(objectAt(object, 'metadata').resourceVersion) };
    const shown = new Stored(object as ApiObject, 0);
    return renderTable(kind, [shown], metadata, {
      ...tableOptions,
      version,
      nowMs: core.clock.now(),
      hasHeader: false,
    });
  };
  const render = (stored: Stored, hasHeader: boolean): string => {
    const metadata = { resourceVersion: String(stored.revision) };
    return renderTable(kind, [stored], metadata, { ...tableOptions, version, nowMs: core.clock.now(), hasHeader });
  };
  const watch =
    of === 'table'
      ? prepareWatch({ core, kind, selection, projection: 'object', options, render, bookmark })
      : prepareWatch({ core, kind, selection, projection: of, options });
  return { status: 200, headers: JSON_HEADERS, body: '', watch };
}
