import { groupResource, type ServedKind, type Verb } from './kinds.ts';
import { parseBoolean } from './options.ts';
import type { ApiAnswer, Query, ResourcePath } from './request.ts';
import { badRequest, failure, methodNotSupported, notFound } from './status.ts';

/** The real server's answer to paths that lead nowhere. */
export const PAGE_NOT_FOUND: ApiAnswer = {
  status: 404,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
  body: '404 page not found\n',
};

/**
 * What a call asks of a kind; the answer itself where the path leads nowhere. Throws `ApiError`. Custom resources are routed by their definition, built-in
 * kinds by a table of paths and methods, and the two refuse in different words.
 */
export function routeCall(kind: ServedKind, method: string, path: ResourcePath, query: Query): Verb | ApiAnswer {
  const verb = verbOf(method, path, query);
  return kind.custom ? routeCustom(kind, path, verb) : routeBuiltin(kind, path, verb);
}

const METHODS: Readonly<Record<string, readonly [ofCollection: Verb | undefined, ofObject: Verb | undefined]>> = {
  GET: ['list', 'get'],
  HEAD: ['list', 'get'],
  POST: ['create', 'create'],
  PUT: ['update', 'update'],
  PATCH: ['patch', 'patch'],
  DELETE: ['deletecollection', 'delete'],
};

function verbOf(method: string, { name }: ResourcePath, query: Query): Verb | undefined {
  const verb = METHODS[method]?.[name === '' ? 0 : 1];
  return verb === 'list' && parseBoolean(query.watch) === true ? 'watch' : verb;
}

const ACROSS_NAMESPACES: ReadonlySet<Verb | undefined> = new Set(['list', 'watch']);

function routeCustom(kind: ServedKind, path: ResourcePath, verb: Verb | undefined): Verb | ApiAnswer {
  const { namespace, name, subresource } = path;
  const of = groupResource(kind);
  if (kind.namespaced ? namespace === '' && !ACROSS_NAMESPACES.has(verb) : namespace !== '') return PAGE_NOT_FOUND;
  if (subresource !== '' && !kind.subresources.some((served) => served === subresource)) throw notFound(of, name);
  if (verb === undefined) throw methodNotSupported(of, '');
  if (subresource !== '' && verb !== 'get' && verb !== 'update' && verb !== 'patch') throw methodNotSupported(of, verb);
  if (name === '' && (verb === 'update' || verb === 'patch')) throw badRequest('name must be provided');
  return verb;
}

function routeBuiltin(kind: ServedKind, path: ResourcePath, verb: Verb | undefined): Verb | ApiAnswer {
  const { namespace, name, subresource } = path;
  const isLost = !kind.namespaced && namespace !== '' && (kind.plural !== 'namespaces' || namespace !== name);
  const isUnknown = subresource !== '' && !kind.subresources.some((served) => served === subresource);
  if (isLost || isUnknown || (kind.namespaced && namespace === '' && name !== '')) throw noSuchPath();
  const isWhole = kind.namespaced && namespace === '' && !ACROSS_NAMESPACES.has(verb);
  if (verb === undefined || isWhole || !kind.verbs.includes(verb)) throw methodNotAllowed();
  const isNamed = verb === 'create' && subresource !== 'token' && name !== '';
  const isUnnamed = name === '' && (verb === 'update' || verb === 'patch');
  if (isNamed || isUnnamed || (subresource !== '' && !takes(subresource, verb))) throw methodNotAllowed();
  return verb;
}

function takes(subresource: string, verb: Verb): boolean {
  if (subresource === 'token') return verb === 'create';
  if (subresource === 'finalize') return verb === 'update';
  return verb === 'get' || verb === 'update' || verb === 'patch';
}

function methodNotAllowed(): Error {
  return failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

/** The path is served by nothing, below a group that is built in. */
export function noSuchPath(): Error {
  return failure(404, 'NotFound', 'the server could not find the requested resource', {});
}
