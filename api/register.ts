import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { explainIssue } from '../crds/rules/explain.ts';
import { renderPath } from '../crds/rules/walk.ts';
import type { Authenticate } from './authenticate/authenticate.ts';
import { authorize, type Principal, type Question } from './authorize.ts';
import type { Caches } from './caches.ts';
import { createPlaces, type Place, PROVIDER } from './place.ts';
import { computePolicies } from './policies.ts';
import { describeErrors, notFound, Problem, renderPointer } from './problem.ts';
import { DEFAULT_POLICIES, type RateHeaders, type RateLimiter, SIGN_IN_POLICIES } from './ratelimit.ts';
import type { Answer, Call, Route } from './route.ts';
import type { Tree } from './tree.ts';

export type RegisterDeps = {
  readonly authenticate: Authenticate;
  readonly tree: Tree;
  readonly caches: Pick<Caches, 'plans'>;
  readonly limiter: RateLimiter;
  readonly rootNamespace: string;
  /** Aborts when the server stops taking time for what waits. */
  readonly stopping: AbortSignal;
  /** Why nothing can be answered yet; undefined when it can. */
  readonly lack: () => string | undefined;
};

/** Serves the routes. Order at each request: who, how often, what for, may they; and only then is a body read. */
export function registerRoutes(app: FastifyInstance, deps: RegisterDeps, routes: readonly Route[]): void {
  app.decorateRequest('caller', null);
  refuseOtherMethods(app, routes);
  const places = createPlaces(deps.rootNamespace);
  for (const route of routes) {
    const isOfTenant = route.url.includes('{path}');
    const emptyQuery = (route.query ?? NO_QUERY).safeParse({}).data;
    app.route({
      method: route.method,
      url: toPattern(route.url),
      config: { operationId: route.operationId, bodyKind: route.body?.kind },
      onRequest: async (request, reply) => {
        const place = places(isOfTenant ? (request.params as { readonly path?: string }).path : PROVIDER);
        request.caller = await admit(deps, { route, place, emptyQuery }, request, reply);
      },
      handler: async (request, reply) => {
        const { caller } = request;
        if (caller === null) throw new Error(`nobody was admitted to ${route.operationId}`);
        const signal = (): AbortSignal => watchPeer(reply, deps.stopping);
        return send(reply, await route.handle({ ...caller, body: parseBody(route, request.body), signal }));
      },
    });
  }
}

/** What an address does not do is said to everybody: it is in the description and tells nothing of what is there. */
function refuseOtherMethods(app: FastifyInstance, routes: readonly Route[]): void {
  for (const [url, same] of Map.groupBy(routes, (route) => route.url)) {
    const methods = same.map(({ method }) => method);
    const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
    const refuse = (): never => {
      throw new Problem(405, 'method-not-allowed', `only ${allow} can be done here`, { headers: { allow } });
    };
    app.route({
      method: app.supportedMethods.filter((method) => !allow.split(', ').includes(method)),
      url: toPattern(url),
      onRequest: async () => refuse(),
      handler: refuse,
    });
  }
}

/** `{name}` as the router has it. */
function toPattern(url: string): string {
  return url.replaceAll(/\{(\w+)\}/g, ':$1');
}

type Caller = Omit<Call, 'body' | 'signal'>;

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    readonly operationId?: string;
    readonly bodyKind?: string | undefined;
  }
}

const NOBODY: Principal = { username: '', groups: [] };

async function admit(
  deps: RegisterDeps,
  {
    route,
    place,
    emptyQuery,
  }: { readonly route: Route; readonly place: Place | undefined; readonly emptyQuery: unknown },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Caller> {
  const isPublic = route.access === 'Public';
  if (route.tag !== 'description') refuseUnread(deps);
  const known = isPublic ? NOBODY : identify(deps, request);
  const principal = known instanceof Promise ? await known : known;
  if (place === undefined) throw refuseUncounted(deps, principal, reply);
  const memberships = isPublic ? [] : deps.tree.memberships(principal);
  const may = (question: Question): boolean => authorize(principal, memberships, question);
  if (!isPublic) reply.headers(takeOne(deps, principal, place, may));
  const params = parseParameters(route.params, request.params, typeof route.access === 'function');
  if (typeof route.access === 'function') admitTo(route.access(place, params), may, route.purpose);
  return {
    params,
    query: hasQuery(request) ? parseParameters(route.query ?? NO_QUERY, request.query, false) : emptyQuery,
    principal,
    memberships,
    place,
    requestId: request.id,
    remoteAddress: request.ip,
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    may,
  };
}

/** What may not be seen does not exist; what may be seen and not done is refused by name. */
function admitTo(
  question: Question | undefined,
  may: (question: Question) => boolean,
  purpose: string | undefined,
): void {
  if (question === undefined) throw notFound();
  if (may(question)) return;
  const { verb, resource } = question;
  const look =
    verb === 'create'
      ? ({ ...question, verb: 'list', name: undefined } as const)
      : ({ ...question, verb: 'get' } as const);
  if (verb === 'get' || verb === 'list' || resource === 'secrets' || !may(look)) throw notFound();
  throw forbidden(question, purpose);
}

function forbidden({ verb, resource, namespace }: Question, purpose = `${verb} ${resource}`): Problem {
  const detail = `your role does not let you ${purpose} in ${namespace}; ask an Owner for another role`;
  return new Problem(403, 'forbidden', detail);
}

/** Who guesses from an address holds up nobody who is in already: many may share one, behind a proxy or at an office. */
function identify(
  { authenticate, limiter }: RegisterDeps,
  { ip, headers }: FastifyRequest,
): Principal | Promise<Principal> {
  const address = `address/${ip}`;
  if (!authenticate.isKnown(headers.authorization)) limiter.check(address, SIGN_IN_POLICIES);
  const principal = authenticate(headers.authorization, ip);
  if (!(principal instanceof Promise)) return principal;
  return principal.catch((error: unknown) => {
    if (error instanceof Problem && error.status === 401) limiter.take(address, SIGN_IN_POLICIES);
    throw error;
  });
}

/**
 * As the tenant's Plan says, to those who may see the Tenant: to others the numbers would tell that it is there. All that they may not see counts together,
 * or whoever asks for another place each time could ask without end.
 */
function takeOne(
  { limiter, tree, caches }: RegisterDeps,
  principal: Principal,
  { namespace, path, tenant }: Place,
  may: (question: Question) => boolean,
): RateHeaders {
  if (tenant === undefined) return limiter.take(`${callerOf(principal)} `, DEFAULT_POLICIES);
  const owner = may({ verb: 'get', resource: 'tenants', ...tenant }) ? tree.owner(namespace) : undefined;
  if (owner === undefined) return limiter.take(`${callerOf(principal)} ?`, DEFAULT_POLICIES);
  return limiter.take(`${callerOf(principal)} ${path}`, computePolicies(caches.plans, owner));
}

function callerOf({ username, key }: Principal): string {
  return key === undefined ? `user/${username}` : `key/${key.id}`;
}

/** With half of the cluster read, what is not known yet would look as if it were not there. */
function refuseUnread({ lack }: RegisterDeps): void {
  if (lack() === undefined) return;
  throw new Problem(503, 'unavailable', 'the state of the cluster is being read; try again', {
    headers: { 'retry-after': '1' },
  });
}

/** An address that no tenant can have counts too, or guessing would be free. */
function refuseUncounted(deps: RegisterDeps, principal: Principal, reply: FastifyReply): Problem {
  reply.headers(deps.limiter.take(`${callerOf(principal)} ?`, DEFAULT_POLICIES));
  return notFound();
}

const NO_QUERY = z.strictObject({});

function hasQuery({ url }: FastifyRequest): boolean {
  return url.includes('?');
}

/** A name in an address that no resource can have is not there: the same 404. Other parameters are explained. */
function parseParameters(schema: z.ZodType | undefined, input: unknown, isAddress: boolean): unknown {
  if (schema === undefined) return {};
  const parsed = schema.safeParse({ ...(input as object) });
  if (parsed.success) return parsed.data;
  if (isAddress) throw notFound();
  const errors = parsed.error.issues
    .flatMap((issue) => explainIssue(issue, input, schema))
    .map(({ path, message }) => ({ parameter: renderPath(path), detail: message }));
  throw new Problem(400, 'bad-request', describeErrors(errors), { errors });
}

function parseBody(route: Route, input: unknown): unknown {
  if (route.body === undefined) {
    if (input === undefined || input === null) return undefined;
    throw new Problem(400, 'bad-request', 'this takes no body; send none');
  }
  const { schema, optional } = route.body;
  const given = input === undefined || input === null ? (optional === true ? {} : undefined) : input;
  if (given === undefined)
    throw new Problem(400, 'bad-request', 'a body is required; the description at /docs says what is in it');
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues
    .slice(0, MAX_ERRORS)
    .flatMap((issue) => explainIssue(issue, given, schema))
    .map(({ path, message }) => ({ pointer: renderPointer(path), detail: message }));
  throw new Problem(422, 'invalid', describeErrors(errors), { errors });
}

const MAX_ERRORS = 50;

function watchPeer(reply: FastifyReply, stopping: AbortSignal): AbortSignal {
  const gone = new AbortController();
  if (reply.raw.destroyed) gone.abort();
  else reply.raw.once('close', () => gone.abort());
  return AbortSignal.any([gone.signal, stopping]);
}

function send(reply: FastifyReply, { status, headers, body, type }: Answer): FastifyReply {
  reply.status(status);
  if (headers !== undefined) reply.headers(headers);
  if (body === undefined) return reply.send();
  if (type !== undefined) return reply.type(type).send(body);
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(body));
}
