import { z } from 'zod';
import { computeEdits } from '../../gitops/change/compute.ts';
import { isMap } from '../../gitops/change/json.ts';
import type { Json, JsonMap } from '../../gitops/intent.ts';
import { buildObject, checkDeclaration } from '../checks.ts';
import type { Collection } from '../collections.ts';
import type { RequestKey } from '../idempotency.ts';
import { applyMergePatch } from '../mergepatch.ts';
import type { Place } from '../place.ts';
import { checkIfMatch, isNotModified } from '../preconditions.ts';
import { notFound, Problem } from '../problem.ts';
import { type Read, readAll, readOne, surroundings } from '../reads.ts';
import { represent } from '../represent.ts';
import type { Answer, Call } from '../route.ts';
import { readRequest, recall, submit } from '../submit.ts';
import type { RoutesDeps } from './deps.ts';

/** One resource of a collection: where it lives and how it is called. */
export type Item = { readonly place: Place; readonly name: string };

export const JsonObject = z.record(z.string(), z.json());

export async function getOne(deps: RoutesDeps, collection: Collection, item: Item, call: Call): Promise<Answer> {
  const { declared } = await requireOne(deps, collection, item);
  const { text, etag } = represent(collection, item.place, declared);
  const headers = { etag, 'cache-control': 'private, no-cache' };
  if (isNotModified(call.header('if-none-match'), etag)) return { status: 304, headers };
  return { status: 200, headers, type: JSON_TYPE, body: text };
}

const JSON_TYPE = 'application/json; charset=utf-8';

export async function listPage(
  deps: RoutesDeps,
  collection: Collection,
  place: Place,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<Answer> {
  const query = `${collection.word} ${place.namespace}`;
  const after = cursor === undefined ? undefined : deps.cursors.parse(query, cursor);
  const { items, next } = await readAll(deps, collection, place, { after, limit });
  const texts = items.map((declared) => represent(collection, place, declared).text);
  const more = next === undefined ? '' : `,"next":${JSON.stringify(deps.cursors.render(query, next))}`;
  return { status: 200, type: JSON_TYPE, body: `{"items":[${texts.join(',')}]${more}}` };
}

/** `ownKey`: not the caller says which requests are the same, but we. */
export async function createOne(
  deps: RoutesDeps,
  collection: Collection,
  item: Item & { readonly spec: JsonMap },
  call: Call,
  ownKey?: RequestKey,
): Promise<Answer> {
  const given = readRequest(call, `create ${collection.word}`);
  const request = ownKey === undefined ? given : { call, key: ownKey };
  const earlier = await recall(deps, request);
  if (earlier !== undefined) return earlier;
  const { place, name, spec } = item;
  const around = await surroundings(deps, place, { kind: collection.kind, name });
  const present = await readOne(deps, collection, place.namespace, name);
  if (present !== undefined && !present.declared.removing) {
    throw new Problem(
      409,
      'already-exists',
      `there is a ${collection.noun} named ${name}; change it, or choose another name`,
    );
  }
  const object = buildObject(collection, name, spec);
  checkDeclaration(object, around);
  const target = { kind: collection.kind, namespace: place.namespace, name };
  return submit(deps, request, around.owner, { type: 'Create', target, object });
}

/** How the new spec follows from the one that is declared. */
export type Edit = {
  readonly operation: string;
  /** Without `If-Match` the write would undo what its author did not see. */
  readonly needsMatch: boolean;
  compute(spec: JsonMap): Json;
};

export async function editOne(
  deps: RoutesDeps,
  collection: Collection,
  item: Item,
  call: Call,
  edit: Edit,
): Promise<Answer> {
  const request = readRequest(call, `${edit.operation} ${collection.word}`);
  const earlier = await recall(deps, request);
  if (earlier !== undefined) return earlier;
  const { place, name } = item;
  const { declared } = await requireOne(deps, collection, item);
  const { text, etag } = represent(collection, place, declared);
  checkIfMatch(call.header('if-match'), etag, edit.needsMatch);
  if (declared.removing)
    throw new Problem(409, 'conflict', `${name} is being removed; wait until it is gone and create it anew`);
  const wanted = edit.compute(declared.spec);
  if (!isMap(wanted))
    throw new Problem(422, 'invalid', '/spec must be a map', {
      errors: [{ pointer: '/spec', detail: 'must be a map' }],
    });
  const around = await surroundings(deps, place, { kind: collection.kind, name });
  const [before, after] = [buildObject(collection, name, declared.spec), buildObject(collection, name, wanted)];
  checkDeclaration(after, around, before);
  const edits = computeEdits(before, withDefaults(collection, after), collection.kind);
  if (edits.length === 0) return { status: 200, headers: { etag }, type: JSON_TYPE, body: text };
  const target = { kind: collection.kind, namespace: place.namespace, name };
  return submit(deps, request, around.owner, { type: 'Edit', target, edits });
}

export function patchWith(patch: JsonMap): (spec: JsonMap) => Json {
  return (spec) => applyMergePatch(spec, patch);
}

/** What was left out and has a default is no difference to the default. */
function withDefaults({ spec }: Collection, object: JsonMap): JsonMap {
  const parsed = spec.safeParse(object.spec);
  return parsed.success ? { ...object, spec: parsed.data as Json } : object;
}

export async function deleteOne(deps: RoutesDeps, collection: Collection, item: Item, call: Call): Promise<Answer> {
  const request = readRequest(call, `delete ${collection.word}`);
  const earlier = await recall(deps, request);
  if (earlier !== undefined) return earlier;
  const { place, name } = item;
  const { declared } = await requireOne(deps, collection, item);
  checkIfMatch(call.header('if-match'), represent(collection, place, declared).etag, false);
  const owner = deps.tree.owner(place.namespace);
  if (owner === undefined) throw notFound();
  const target = { kind: collection.kind, namespace: place.namespace, name };
  return submit(deps, request, owner, { type: 'Delete', target });
}

/** The resource, or the 404 of everything that is not there. */
export async function requireOne(deps: RoutesDeps, collection: Collection, { place, name }: Item): Promise<Read> {
  const found = await readOne(deps, collection, place.namespace, name);
  if (found === undefined) throw notFound();
  return found;
}
