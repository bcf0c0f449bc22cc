import type { Answer, CallOptions, Client, Operation, Output, Page } from '../../client/index.ts';

export type Desktop = Output<Operation<'/v1/tenants/{path}/desktops/{name}', 'get'>>;
export type Plan = Output<Operation<'/v1/tenants/{path}/plans/{name}', 'get'>>;
export type Quota = Output<Operation<'/v1/tenants/{path}/quotas/{name}', 'get'>>;
export type Tenant = Output<Operation<'/v1/tenants/{path}', 'get'>>;

type Spec = Readonly<Record<string, unknown>>;
type Place = { readonly tenant: string; readonly name: string };

/** The calls of one collection, alike for all of them. `tenant` is the path of the tenant that a resource belongs to; for a Tenant that is its seller. */
export type ResourceApi<T> = {
  readonly kind: 'Tenant' | 'Plan' | 'Quota' | 'RDPInstance';
  readonly noun: string;
  /** As the server has it, for people and `--dry-run`. */
  readonly addressOf: (tenant: string, name?: string) => string;
  readonly list: (
    client: Client,
    tenant: string,
    cursor: string | undefined,
    options: CallOptions,
  ) => Promise<Answer<Page<T>>>;
  readonly get: (client: Client, place: Place, options: CallOptions) => Promise<Answer<T>>;
  readonly create: (client: Client, place: Place, spec: Spec, options: CallOptions) => Promise<Answer<unknown>>;
  readonly replace: (client: Client, place: Place, spec: Spec, options: CallOptions) => Promise<Answer<unknown>>;
  readonly patch: (client: Client, place: Place, spec: Spec, options: CallOptions) => Promise<Answer<unknown>>;
  readonly remove: (client: Client, place: Place, options: CallOptions) => Promise<Answer<unknown>>;
};

const query = (cursor: string | undefined) => ({ limit: 500, ...(cursor === undefined ? {} : { cursor }) });
const item = ({ tenant, name }: Place) => ({ path: tenant, name });

/**
 * What goes out is judged by the server's rules, with a place and words for each; the description's types of a spec would only say that something is wrong. So specs are
 * handed on as they are.
 */
const loose = (spec: Spec): never => spec as never;

export const PLANS: ResourceApi<Plan> = {
  kind: 'Plan',
  noun: 'plan',
  addressOf: addressIn('plans'),
  list: (client, tenant, cursor, options) =>
    client.get('/v1/tenants/{path}/plans', { path: { path: tenant }, query: query(cursor) }, options),
  get: (client, place, options) => client.get('/v1/tenants/{path}/plans/{name}', { path: item(place) }, options),
  create: (client, { tenant, name }, spec, options) =>
    client.post('/v1/tenants/{path}/plans', { path: { path: tenant }, body: { name, spec: loose(spec) } }, options),
  replace: (client, place, spec, options) =>
    client.put('/v1/tenants/{path}/plans/{name}', { path: item(place), body: { spec: loose(spec) } }, options),
  patch: (client, place, spec, options) =>
    client.patch('/v1/tenants/{path}/plans/{name}', { path: item(place), body: { spec: loose(spec) } }, options),
  remove: (client, place, options) => client.delete('/v1/tenants/{path}/plans/{name}', { path: item(place) }, options),
};

export const QUOTAS: ResourceApi<Quota> = {
  kind: 'Quota',
  noun: 'quota',
  addressOf: addressIn('quotas'),
  list: (client, tenant, cursor, options) =>
    client.get('/v1/tenants/{path}/quotas', { path: { path: tenant }, query: query(cursor) }, options),
  get: (client, place, options) => client.get('/v1/tenants/{path}/quotas/{name}', { path: item(place) }, options),
  create: (client, { tenant, name }, spec, options) =>
    client.post('/v1/tenants/{path}/quotas', { path: { path: tenant }, body: { name, spec: loose(spec) } }, options),
  replace: (client, place, spec, options) =>
    client.put('/v1/tenants/{path}/quotas/{name}', { path: item(place), body: { spec: loose(spec) } }, options),
  patch: (client, place, spec, options) =>
    client.patch('/v1/tenants/{path}/quotas/{name}', { path: item(place), body: { spec: loose(spec) } }, options),
  remove: (client, place, options) => client.delete('/v1/tenants/{path}/quotas/{name}', { path: item(place) }, options),
};

export const DESKTOPS: ResourceApi<Desktop> = {
  kind: 'RDPInstance',
  noun: 'desktop',
  addressOf: addressIn('desktops'),
  list: (client, tenant, cursor, options) =>
    client.get('/v1/tenants/{path}/desktops', { path: { path: tenant }, query: query(cursor) }, options),
  get: (client, place, options) => client.get('/v1/tenants/{path}/desktops/{name}', { path: item(place) }, options),
  create: (client, { tenant, name }, spec, options) =>
    client.post('/v1/tenants/{path}/desktops', { path: { path: tenant }, body: { name, spec: loose(spec) } }, options),
  replace: (client, place, spec, options) =>
    client.put('/v1/tenants/{path}/desktops/{name}', { path: item(place), body: { spec: loose(spec) } }, options),
  patch: (client, place, spec, options) =>
    client.patch('/v1/tenants/{path}/desktops/{name}', { path: item(place), body: { spec: loose(spec) } }, options),
  remove: (client, place, options) =>
    client.delete('/v1/tenants/{path}/desktops/{name}', { path: item(place) }, options),
};

const tenantOf = ({ tenant, name }: Place) => ({ path: tenant === '-' ? name : `${tenant}--${name}` });

export const TENANTS: ResourceApi<Tenant> = {
  kind: 'Tenant',
  noun: 'tenant',
  addressOf: (tenant, name) =>
    name === undefined ? `/v1/tenants/${tenant}/tenants` : `/v1/tenants/${tenantOf({ tenant, name }).path}`,
  list: (client, tenant, cursor, options) =>
    client.get('/v1/tenants/{path}/tenants', { path: { path: tenant }, query: query(cursor) }, options),
  get: (client, place, options) => client.get('/v1/tenants/{path}', { path: tenantOf(place) }, options),
  create: (client, { tenant, name }, spec, options) =>
    client.post('/v1/tenants/{path}/tenants', { path: { path: tenant }, body: { name, spec: loose(spec) } }, options),
  replace: (client, place, spec, options) =>
    client.put('/v1/tenants/{path}', { path: tenantOf(place), body: { spec: loose(spec) } }, options),
  patch: (client, place, spec, options) =>
    client.patch('/v1/tenants/{path}', { path: tenantOf(place), body: { spec: loose(spec) } }, options),
  remove: (client, place, options) => client.delete('/v1/tenants/{path}', { path: tenantOf(place) }, options),
};

function addressIn(word: string) {
  return (tenant: string, name?: string): string =>
    `/v1/tenants/${tenant}/${word}${name === undefined ? '' : `/${name}`}`;
}
