import { z } from 'zod';
import type { Verb } from '../authorize.ts';
import { type Collection, DESKTOPS, PLANS, QUOTAS } from '../collections.ts';
import type { Place } from '../place.ts';
import { representationSchema } from '../represent.ts';
import { defineRoute, type Route } from '../route.ts';
import type { RoutesDeps } from './deps.ts';
import { createOne, deleteOne, editOne, getOne, listPage, patchWith } from './resources.ts';
import {
  ACCEPTED,
  CreateBody,
  IDEMPOTENCY,
  InPlace,
  ItemInPlace,
  MATCH,
  Name,
  NONE_MATCH,
  Page,
  PatchBody,
  PatchShape,
  pageSchema,
  ReplaceBody,
} from './shapes.ts';

/** Plans, quotas and desktops: what lives in a tenant's namespace under a name of its own. */
export function buildCollectionRoutes(deps: RoutesDeps): readonly Route[] {
  return [PLANS, QUOTAS, DESKTOPS].flatMap((collection) => [
    ...buildReads(deps, collection),
    ...buildCreate(deps, collection),
    ...buildEdits(deps, collection),
  ]);
}

const urlOf = ({ word }: Collection) => `/v1/tenants/{path}/${word}`;

/** The right that a verb on a collection needs. */
function asks({ plural }: Collection, verb: Verb) {
  return ({ namespace }: Place) => ({ verb, resource: plural, namespace });
}

/** The right that a verb on one of its resources needs. */
function asksOf({ plural }: Collection, verb: Verb) {
  return ({ namespace }: Place, { name }: { readonly name: string }) => ({ verb, resource: plural, namespace, name });
}

function buildReads(deps: RoutesDeps, collection: Collection): readonly Route[] {
  const { word, noun } = collection;
  const schema = representationSchema(collection);
  return [
    defineRoute({
      method: 'GET',
      url: urlOf(collection),
      operationId: `list-${word}`,
      summary: `List ${word}`,
      tag: word,
      access: asks(collection, 'list'),
      params: InPlace,
      query: Page,
      answers: { 200: { description: 'One page, by name.', schema: pageSchema(schema) } },
      handle: ({ place, query }) => listPage(deps, collection, place, query),
    }),
    defineRoute({
      method: 'GET',
      url: `${urlOf(collection)}/{name}`,
      operationId: `get-${noun}`,
      summary: `Get a ${noun}`,
      tag: word,
      access: asksOf(collection, 'get'),
      params: ItemInPlace,
      headers: NONE_MATCH,
      answers: { 200: { description: `The ${noun}.`, schema }, 304: { description: 'It is as `If-None-Match` says.' } },
      handle: (call) => getOne(deps, collection, { place: call.place, name: call.params.name }, call),
    }),
  ];
}

function buildCreate(deps: RoutesDeps, collection: Collection): readonly Route[] {
  const { word, noun, spec } = collection;
  return [
    defineRoute({
      method: 'POST',
      url: urlOf(collection),
      operationId: `create-${noun}`,
      summary: `Create a ${noun}`,
      tag: word,
      access: asks(collection, 'create'),
      params: InPlace,
      body: { kind: 'json', schema: CreateBody, described: z.strictObject({ name: Name, spec }) },
      headers: IDEMPOTENCY,
      answers: ACCEPTED,
      handle: (call) => createOne(deps, collection, { place: call.place, ...call.body }, call),
    }),
  ];
}

function buildEdits(deps: RoutesDeps, collection: Collection): readonly Route[] {
  const { word, noun, spec } = collection;
  const unchanged = {
    200: { description: 'Nothing is different: the resource as it is.', schema: representationSchema(collection) },
  };
  const common = {
    url: `${urlOf(collection)}/{name}`,
    tag: word,
    params: ItemInPlace,
    headers: { ...IDEMPOTENCY, ...MATCH },
  };
  return [
    defineRoute({
      ...common,
      method: 'PUT',
      operationId: `replace-${noun}`,
      summary: `Replace a ${noun}'s spec`,
      access: asksOf(collection, 'patch'),
      body: { kind: 'json', schema: ReplaceBody, described: z.strictObject({ spec }) },
      answers: { ...unchanged, ...ACCEPTED },
      handle: (call) => {
        const edit = { operation: 'replace', needsMatch: true, compute: () => call.body.spec };
        return editOne(deps, collection, { place: call.place, name: call.params.name }, call, edit);
      },
    }),
    defineRoute({
      ...common,
      method: 'PATCH',
      operationId: `patch-${noun}`,
      summary: `Change fields of a ${noun}'s spec by a merge patch (RFC 7396)`,
      access: asksOf(collection, 'patch'),
      body: { kind: 'merge-patch', schema: PatchBody, described: PatchShape },
      answers: { ...unchanged, ...ACCEPTED },
      handle: (call) => {
        const edit = { operation: 'patch', needsMatch: false, compute: patchWith(call.body.spec) };
        return editOne(deps, collection, { place: call.place, name: call.params.name }, call, edit);
      },
    }),
    defineRoute({
      ...common,
      method: 'DELETE',
      operationId: `delete-${noun}`,
      summary: `Remove a ${noun}`,
      access: asksOf(collection, 'delete'),
      answers: ACCEPTED,
      handle: (call) => deleteOne(deps, collection, { place: call.place, name: call.params.name }, call),
    }),
  ];
}
