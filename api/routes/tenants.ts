import { z } from 'zod';
import { TenantSpec } from '../../crds/v1alpha1/tenant.ts';
import type { JsonMap } from '../../gitops/intent.ts';
import type { Random } from '../../kube/clock.ts';
import type { Question, Verb } from '../authorize.ts';
import { listLive, TENANTS } from '../collections.ts';
import { pageOf } from '../cursor.ts';
import { type Place, PROVIDER, parsePlace } from '../place.ts';
import { representationSchema } from '../represent.ts';
import { type Answer, type Call, defineRoute, type Route } from '../route.ts';
import type { RoutesDeps } from './deps.ts';
import { createOne, deleteOne, editOne, getOne, type Item, listPage, patchWith } from './resources.ts';
import {
  ACCEPTED,
  CreateBody,
  IDEMPOTENCY,
  InPlace,
  MATCH,
  Name,
  NONE_MATCH,
  Page,
  PatchBody,
  PatchShape,
  pageSchema,
  ReplaceBody,
  TenantInPlace,
} from './shapes.ts';

/** Tenants: those that the caller may see, one by its path, and those that one sells. */
export function buildTenantRoutes(deps: RoutesDeps): readonly Route[] {
  return [...buildVisible(deps), ...buildSold(deps), ...buildReads(deps), ...buildEdits(deps)];
}

const schema = representationSchema(TENANTS);
const Body = z.strictObject({
  name: Name,
  spec: TenantSpec.partial({ id: true }).describe('Without an `id` one is made.'),
});

/** A Tenant lives in its seller's namespace, so the right on it is one there. */
const asksItself =
  (verb: Verb) =>
  ({ tenant }: Place): Question | undefined =>
    tenant === undefined ? undefined : { verb, resource: 'tenants', ...tenant };

const asksBelow =
  (verb: Verb) =>
  ({ namespace }: Place): Question => ({ verb, resource: 'tenants', namespace });

const MyTenant = z.strictObject({
  path: z.string(),
  roles: z
    .array(z.string())
    .describe("The caller's roles in the tenant itself; empty where only its seller's role gives sight of it."),
});

function buildVisible(deps: RoutesDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/v1/tenants',
      operationId: 'list-my-tenants',
      summary: 'List the tenants that you may see: your own, and those that they sell to',
      tag: 'tenants',
      access: 'SignedIn',
      query: Page,
      answers: { 200: { description: 'One page, by path.', schema: pageSchema(MyTenant) } },
      handle: (call) => listVisible(deps, call, call.query),
    }),
  ];
}

function listVisible(
  { caches, cursors }: RoutesDeps,
  call: Call,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Answer {
  const roles = new Map<string, string[]>();
  for (const { tenant, namespace, role } of call.memberships) {
    const path = tenant?.path ?? PROVIDER;
    const isVisible =
      tenant === undefined ||
      call.may({ verb: 'get', resource: 'tenants', namespace: tenant.sellerNamespace, name: tenant.name });
    if (!isVisible) continue;
    roles.set(path, [...(roles.get(path) ?? []), role]);
    if (!call.may({ verb: 'list', resource: 'tenants', namespace })) continue;
    for (const { metadata } of listLive(caches, TENANTS, namespace)) {
      const below = tenant === undefined ? metadata.name : `${path}--${metadata.name}`;
      if (!roles.has(below)) roles.set(below, []);
    }
  }
  const query = `tenants of ${call.principal.username} ${call.principal.key?.id ?? ''}`;
  const after = cursor === undefined ? undefined : cursors.parse(query, cursor);
  const { items, next } = pageOf([...roles.keys()].sort(), (path) => path, { after, limit });
  const body = { items: items.map((path) => ({ path, roles: roles.get(path) ?? [] })) };
  return { status: 200, body: next === undefined ? body : { ...body, next: cursors.render(query, next) } };
}

function buildSold(deps: RoutesDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/v1/tenants/{path}/tenants',
      operationId: 'list-tenants',
      summary: 'List the tenants that one sells to',
      tag: 'tenants',
      access: asksBelow('list'),
      params: InPlace,
      query: Page,
      answers: { 200: { description: 'One page, by name.', schema: pageSchema(schema) } },
      handle: ({ place, query }) => listPage(deps, TENANTS, place, query),
    }),
    defineRoute({
      method: 'POST',
      url: '/v1/tenants/{path}/tenants',
      operationId: 'create-tenant',
      summary: 'Sell to a new tenant',
      tag: 'tenants',
      access: asksBelow('create'),
      params: InPlace,
      body: { kind: 'json', schema: CreateBody, described: Body },
      headers: IDEMPOTENCY,
      answers: ACCEPTED,
      handle: (call) => {
        const { name, spec } = call.body;
        return createOne(deps, TENANTS, { place: call.place, name, spec: addIdentity(spec, name, deps.random) }, call);
      },
    }),
  ];
}

function buildReads(deps: RoutesDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/v1/tenants/{path}',
      operationId: 'get-tenant',
      summary: 'Get a tenant',
      tag: 'tenants',
      access: asksItself('get'),
      params: TenantInPlace,
      headers: NONE_MATCH,
      answers: { 200: { description: 'The tenant.', schema }, 304: { description: 'It is as `If-None-Match` says.' } },
      handle: (call) => getOne(deps, TENANTS, itemOf(deps, call.place), call),
    }),
  ];
}

function buildEdits(deps: RoutesDeps): readonly Route[] {
  const unchanged = { 200: { description: 'Nothing is different: the tenant as it is.', schema } };
  const common = {
    url: '/v1/tenants/{path}',
    tag: 'tenants',
    params: TenantInPlace,
    headers: { ...IDEMPOTENCY, ...MATCH },
  };
  return [
    defineRoute({
      ...common,
      method: 'PUT',
      operationId: 'replace-tenant',
      summary: "Replace a tenant's spec",
      access: asksItself('patch'),
      body: { kind: 'json', schema: ReplaceBody, described: z.strictObject({ spec: TenantSpec }) },
      answers: { ...unchanged, ...ACCEPTED },
      handle: (call) => {
        const edit = { operation: 'replace', needsMatch: true, compute: () => call.body.spec };
        return editOne(deps, TENANTS, itemOf(deps, call.place), call, edit);
      },
    }),
    defineRoute({
      ...common,
      method: 'PATCH',
      operationId: 'patch-tenant',
      summary: "Change fields of a tenant's spec by a merge patch (RFC 7396)",
      access: asksItself('patch'),
      body: { kind: 'merge-patch', schema: PatchBody, described: PatchShape },
      answers: { ...unchanged, ...ACCEPTED },
      handle: (call) => {
        const edit = { operation: 'patch', needsMatch: false, compute: patchWith(call.body.spec) };
        return editOne(deps, TENANTS, itemOf(deps, call.place), call, edit);
      },
    }),
    defineRoute({
      ...common,
      method: 'DELETE',
      operationId: 'delete-tenant',
      summary: 'Remove a tenant; its data stays for the grace',
      access: asksItself('delete'),
      answers: ACCEPTED,
      handle: (call) => deleteOne(deps, TENANTS, itemOf(deps, call.place), call),
    }),
  ];
}

/** The Tenant as a resource of its seller's place. */
export function itemOf({ config }: RoutesDeps, { path, tenant }: Place): Item {
  if (path === undefined || tenant === undefined)
    throw new Error('the provider is no Tenant; its routes ask for no right');
  const cut = path.length - tenant.name.length;
  const seller = cut === 0 ? PROVIDER : path.slice(0, cut - '--'.length);
  return { place: parsePlace(seller, config.rootNamespace), name: tenant.name };
}

const ID_LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
const ID_SUFFIX = 5;
const MAX_ID = 40;

/** An identity is minted once and never changes, whatever happens to the name. */
export function addIdentity(spec: JsonMap, name: string, random: Random): JsonMap {
  if (spec.id !== undefined) return spec;
  const suffix = [...random.bytes(ID_SUFFIX)].map((byte) => ID_LETTERS[byte % ID_LETTERS.length]).join('');
  return { id: `${name.slice(0, MAX_ID - ID_SUFFIX - 1)}-${suffix}`, ...spec };
}
