import type { Logger } from 'pino';
import type { Clock, Random } from '../../kube/clock.ts';
import { withFormat } from './accept.ts';
import { parsePlainBody } from './body.ts';
import { buildBuiltinKinds } from './builtin/kinds.ts';
import { type Core, newUid, nowOf } from './core.ts';
import { serveDefinitions } from './definitions.ts';
import { answerResource } from './handlers.ts';
import type { Journal } from './journal.ts';
import type { AdmissionHook, UserInfo, Verb } from './kinds.ts';
import { answerNonResource } from './nonresource.ts';
import type { ApiObject } from './object.ts';
import { Registry } from './registry.ts';
import { type ApiAnswer, type ApiRequest, parseResourcePath, splitQuery } from './request.ts';
import { answerReview, REVIEWS } from './reviews.ts';
import { noSuchPath, PAGE_NOT_FOUND, routeCall } from './route.ts';
import { type ApiError, asApiError, badRequest, methodNotSupported } from './status.ts';
import { Store } from './store.ts';
import { createTokens } from './tokens.ts';
import { renderWarnings } from './warnings.ts';

export type ApiServerDeps = { readonly clock: Clock; readonly random: Random; readonly log: Logger };

export type ApiServerOptions = {
  /** How many changes of a resource are kept at least for watches and pages to resume from. Default 2 000. */
  readonly historyEvents?: number;
  /** Between two bookmarks of a watch. Default 60 000. */
  readonly bookmarkIntervalMs?: number;
  /** Signs the tokens of ServiceAccounts. Default: 32 bytes of `deps.random`. */
  readonly tokenKey?: Uint8Array;
  /** Where the state comes from and every change goes. Default: nowhere, the state is gone with the server. */
  readonly journal?: Pick<Journal, 'kept' | 'note'>;
};

/** What one call did. `before` and `after` are there for writes that got as far as the store; of a deletion there is no `after`. */
export type RequestEvent = {
  readonly user: UserInfo;
  readonly userAgent: string;
  readonly verb: Verb;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  readonly dryRun: boolean;
  readonly code: number;
  readonly before: ApiObject | undefined;
  readonly after: ApiObject | undefined;
};

/** A Kubernetes API server inside this process. */
export type ApiServer = {
  /**
   * Answers one call, at once unless a webhook has to be asked. Never throws or rejects: refusals are answers. What it committed has been announced
   * to all watches when it returns.
   */
  handle(request: ApiRequest): ApiAnswer | Promise<ApiAnswer>;
  /** For what belongs to the control plane: the state, the kinds, the hooks of admission. */
  readonly core: Core;
  /** Hears of every call of a resource when it is answered. Gives the function that ends it. */
  onRequest(listener: (event: RequestEvent) => void): () => void;
  /** Ends all watches. */
  close(): void;
};

export function createApiServer(deps: ApiServerDeps, options: ApiServerOptions = {}): ApiServer {
  const { clock, random, log } = deps;
  const store = new Store({
    historyEvents: options.historyEvents ?? 2_000,
    onListenerError: (error) => log.error({ err: error }, 'a listener of the store failed'),
  });
  const { journal } = options;
  if (journal !== undefined) {
    store.restore(journal.kept.revision, journal.kept.objects);
    store.subscribe(journal.note);
  }
  const admission: AdmissionHook[] = [];
  const core: Core = {
    clock,
    random,
    log,
    store,
    registry: new Registry(store, buildBuiltinKinds(store)),
    admission,
    bookmarkIntervalMs: options.bookmarkIntervalMs ?? 60_000,
    tokens: createTokens(options.tokenKey ?? random.bytes(32)),
  };
  serveDefinitions(core);
  createSystemNamespaces(core);
  const listeners = new Set<(event: RequestEvent) => void>();
  return {
    core,
    handle: (request) => handle(core, listeners, request),
    onRequest: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      for (const collection of store.collections()) for (const end of [...collection.watches]) end();
    },
  };
}

type Listeners = ReadonlySet<(event: RequestEvent) => void>;

function handle(core: Core, listeners: Listeners, sent: ApiRequest): ApiAnswer | Promise<ApiAnswer> {
  const request = impersonate(sent);
  const { path, query } = splitQuery(modernPath(request.path));
  const resource = parseResourcePath(path);
  const kind = resource && core.registry.find(resource.group, resource.version, resource.plural);
  if (resource === undefined || kind === undefined) return withFormat(request, answerElse(core, request, path));
  const warnings: string[] = kind.deprecation === undefined ? [] : [kind.deprecation];
  let verb: Verb = 'get';
  let before: ApiObject | undefined;
  let after: ApiObject | undefined;
  const finish = (answer: ApiAnswer): ApiAnswer => {
    if (listeners.size > 0) {
      const { headers, user } = request;
      const { group, version, plural, namespace, name, subresource } = resource;
      const names = {
        group,
        version,
        resource: plural,
        namespace,
        name: name === '' ? (after?.metadata.name ?? '') : name,
      };
      const dryRun = query.dryRun !== undefined;
      const who = { user, userAgent: headers['user-agent'] ?? '' };
      const event = { ...who, verb, ...names, subresource, dryRun, code: answer.status, before, after };
      tell(core, listeners, event);
    }
    return withFormat(request, withDate(core, withWarnings(answer, warnings)));
  };
  const fail = (error: unknown): ApiAnswer => {
    const refusal = asApiError(error);
    if (refusal !== error) core.log.error({ err: error, path }, 'answering a call failed');
    return finish(answerError(refusal, []));
  };
  try {
    const routed = routeCall(kind, request.method, resource, query);
    if (typeof routed !== 'string') return routed;
    verb = routed;
    checkName(resource.name);
    const answer = answerResource({
      core,
      kind,
      path: resource,
      query,
      request,
      verb,
      warn: (message) => warnings.push(message),
      record: (old, next) => {
        before = old;
        after = next;
      },
    });
    return answer instanceof Promise ? answer.then(finish, fail) : finish(answer);
  } catch (error) {
    return fail(error);
  }
}

/** What listeners throw is theirs, and nothing to the client. */
function tell({ log }: Core, listeners: Listeners, event: RequestEvent): void {
  for (const listener of listeners) {
    try {
      listener(event);
    } catch (error) {
      log.error({ err: error }, 'a listener of requests failed');
    }
  }
}

/** Watches had paths of their own once, which are served still. */
function modernPath(path: string): string {
  const match = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)\/watch\/([^?]*)(?:\?(.*))?$/.exec(path);
  if (match === null) return path;
  const [, base = '', rest = '', query] = match;
  return `${base}/${rest}?${query === undefined ? '' : `${query}&`}watch=true`;
}

/** The request as of whom the client wants to be: everybody may be anybody. */
function impersonate(request: ApiRequest): ApiRequest {
  const username = request.headers['impersonate-user'];
  if (username === undefined) return request;
  const groups = request.headers['impersonate-group']?.split(',').map((group) => group.trim()) ?? [];
  return { ...request, user: { username, groups: [...groups, 'system:authenticated'] } };
}

/** What is no resource that is kept. */
function answerElse(core: Core, request: ApiRequest, path: string): ApiAnswer {
  try {
    return answerNonResource(core, request, path) ?? answerReviews(core, request, path) ?? answerNowhere(core, path);
  } catch (error) {
    return answerError(asApiError(error), []);
  }
}

function answerNowhere(core: Core, path: string): ApiAnswer {
  const [, root = '', group = ''] = path.split('/');
  const isBuiltin = core.registry.all().some((kind) => !kind.custom && kind.group === group);
  if (root === 'api' || (root === 'apis' && group !== '' && isBuiltin)) throw noSuchPath();
  return PAGE_NOT_FOUND;
}

/** Throws `ApiError` on what cannot be a segment of a path, and so no name. */
function checkName(name: string): void {
  const problem =
    name === '.' || name === '..' ? `may not be '${name}'` : name.includes('%') ? `may not contain '%'` : '';
  if (problem !== '') throw badRequest(`Name parameter invalid: ${JSON.stringify(name)}: ${problem}`);
}

function answerReviews(core: Core, request: ApiRequest, path: string): ApiAnswer | undefined {
  const review = REVIEWS.find(({ group, version, name }) => path === `/apis/${group}/${version}/${name}`);
  if (review === undefined) return undefined;
  if (request.method !== 'POST')
    throw methodNotSupported({ group: review.group, resource: review.name }, request.method);
  const asked = parsePlainBody(request, review.kind);
  const body = JSON.stringify(answerReview(core, review.kind, asked, request.user));
  return { status: 201, headers: { 'content-type': 'application/json' }, body };
}

function withDate({ clock }: Core, answer: ApiAnswer): ApiAnswer {
  return { ...answer, headers: { ...answer.headers, date: new Date(clock.now()).toUTCString() } };
}

function withWarnings(answer: ApiAnswer, warnings: readonly string[]): ApiAnswer {
  if (warnings.length === 0) return answer;
  return { ...answer, headers: { ...answer.headers, warning: renderWarnings(warnings) } };
}

function answerError(error: ApiError, warnings: readonly string[]): ApiAnswer {
  const details = error.status.details as { readonly retryAfterSeconds?: number } | undefined;
  const wait = details?.retryAfterSeconds;
  const headers = {
    'content-type': 'application/json',
    ...(wait === undefined ? {} : { 'retry-after': String(wait) }),
  };
  return withWarnings({ status: error.code, headers, body: JSON.stringify(error.status) }, warnings);
}

/** The namespaces that are there before anybody asks for one. */
function createSystemNamespaces(core: Core): void {
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    const { namespaces } = core.registry;
    if (namespaces.get('', name) !== undefined) continue;
    const labels = { 'kubernetes.io/metadata.name': name };
    const metadata = { name, uid: newUid(core.random), creationTimestamp: nowOf(core), labels };
    const spec = { finalizers: ['kubernetes'] };
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata, spec, status: { phase: 'Active' } };
    core.store.put(namespaces, namespace, undefined);
  }
}
