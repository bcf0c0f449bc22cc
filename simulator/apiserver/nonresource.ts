import { representationOf } from './accept.ts';
import type { Core } from './core.ts';
import {
  AGGREGATED,
  buildAggregated,
  buildApiVersions,
  buildGroup,
  buildGroupList,
  buildResourceList,
} from './discovery.ts';
import { buildOpenApi, buildOpenApiIndex } from './openapi.ts';
import type { Registry } from './registry.ts';
import type { ApiAnswer, ApiRequest } from './request.ts';
import { failure } from './status.ts';

/** The version of Kubernetes whose answers these are. */
export const VERSION = { major: '1', minor: '36', gitVersion: 'v1.36.3+embedded' } as const;

/** Answers what is no resource: discovery, OpenAPI, version and health; undefined for what is none of these either. */
export function answerNonResource(core: Core, request: ApiRequest, path: string): ApiAnswer | undefined {
  const clean = path.length > 1 ? path.replace(/\/$/, '') : path;
  if (request.method !== 'GET' && request.method !== 'HEAD' && !ANY_METHOD.test(clean)) {
    if (clean === '/version' || clean === '/api') {
      throw failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
    }
    return undefined;
  }
  const health = /^\/(healthz|livez|readyz)(\/ping)?$/.exec(clean);
  if (health !== null) return text(isVerbose(request) ? `[+]ping ok\n${health[1]} check passed\n` : 'ok');
  if (clean === '/version') return json(VERSION_ANSWER);
  if (clean === '/') return json({ paths: rootPaths(core.registry) });
  if (clean === '/openapi/v3') return text(JSON.stringify(buildOpenApiIndex(core.registry)));
  if (clean.startsWith('/openapi/v3/')) {
    const document = buildOpenApi(core.registry, clean.slice('/openapi/v3/'.length));
    if (document === undefined) return { status: 404, headers: {}, body: '' };
    const answer = json(document);
    return { ...answer, headers: { ...answer.headers, vary: 'Accept' } };
  }
  return answerDiscovery(core, request, clean);
}

/** What the real server answers without a look at the method. */
const ANY_METHOD = /^\/(apis|(healthz|livez|readyz)(\/ping)?)$/;

function answerDiscovery({ registry }: Core, request: ApiRequest, path: string): ApiAnswer | undefined {
  const parts = path.split('/').slice(1);
  const [root, first = '', second = ''] = parts;
  if (parts.length > 3 || (root !== 'api' && root !== 'apis')) return undefined;
  const isRoot = parts.length === 1;
  if (isRoot && wantsAggregated(request)) return aggregated(buildAggregated(registry, root === 'api'));
  representationOf(request);
  if (root === 'api') {
    if (isRoot) return json(buildApiVersions());
    return parts.length === 2 ? optional(buildResourceList(registry, '', first)) : undefined;
  }
  if (isRoot) return json(buildGroupList(registry));
  if (parts.length === 2) return optional(buildGroup(registry, first));
  return first === '' ? undefined : optional(buildResourceList(registry, first, second));
}

function wantsAggregated({ headers }: ApiRequest): boolean {
  return (headers.accept ?? '').split(',').some((type) => {
    const parameters = type.split(';').map((part) => part.trim());
    return ['v=v2', 'g=apidiscovery.k8s.io', 'as=APIGroupDiscoveryList'].every((part) => parameters.includes(part));
  });
}

function rootPaths(registry: Registry): readonly string[] {
  const groups = registry.all().filter(({ group }) => group !== '');
  const paths = groups.flatMap(({ group, version }) => [`/apis/${group}`, `/apis/${group}/${version}`]);
  return [...new Set([...ROOT_PATHS, ...paths])].sort();
}

const ROOT_PATHS = [
  '/api',
  '/api/v1',
  '/apis',
  '/healthz',
  '/healthz/ping',
  '/livez',
  '/livez/ping',
  '/openapi/v3',
  '/readyz',
  '/readyz/ping',
  '/version',
];

function isVerbose({ path }: ApiRequest): boolean {
  return new URLSearchParams(path.split('?')[1] ?? '').has('verbose');
}

const VERSION_ANSWER = {
  ...VERSION,
  emulationMajor: VERSION.major,
  emulationMinor: VERSION.minor,
  minCompatibilityMajor: VERSION.major,
  minCompatibilityMinor: '35',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'embedded',
};

function json(body: unknown): ApiAnswer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** Clients may keep discovery, as long as they ask whether it changed. */
const SHARED = { 'cache-control': 'public', vary: 'Accept' } as const;

function optional(body: unknown): ApiAnswer | undefined {
  return body === undefined ? undefined : json(body);
}

function aggregated(body: unknown): ApiAnswer {
  return { status: 200, headers: { 'content-type': AGGREGATED, ...SHARED }, body: JSON.stringify(body) };
}

function text(body: string): ApiAnswer {
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}
