import type { Check } from './checker.ts';
import { DESKTOPS, isOperator, TENANTS } from './live.ts';
import type { Actor, RequestSent } from './trail.ts';

/** They have a rule of their own. */
const LEASES = 'leases.coordination.k8s.io';
/** Whoever saw it happen again counts on in its series: the one patch that means no version. Nobody decides anything by an Event. */
const EVENTS = 'events.events.k8s.io';

/**
 * I5: nobody acts on a view older than his own last write. A request that says which version it means never means one older than the
 * answer that the same process had before; and what destroys, replaces or changes says which object and version it means.
 */
export const createMonotonicCheck: Check = (report) => {
  /** By object, then process: the newest version that an answer showed it, and when. */
  const shown = new Map<string, Map<Actor, { readonly version: bigint; readonly atMs: number }>>();
  return {
    request(request, world) {
      if (!isOperator(request.actor) || request.resource === LEASES) return;
      const isThere = world.get(request.resource, request.key) !== undefined;
      const lack = findLack(request, isThere);
      if (lack !== undefined) report('I5', request, lack);
      const means = parseVersion(request.means?.resourceVersion);
      const last = shown.get(objectOf(request))?.get(request.actor);
      // What is sent in the same moment as an answer comes may have been decided before it.
      if (means === undefined || last === undefined || request.atMs <= last.atMs || means >= last.version) return;
      report('I5', request, `it means version ${means}, and its process had been answered ${last.version} before`);
    },
    answer({ code, resourceVersion, atMs }, request) {
      const version = parseVersion(resourceVersion);
      if (!isOperator(request.actor) || code < 200 || code > 299 || version === undefined) return;
      if (request.verb === 'delete' || request.verb === 'list' || request.verb === 'watch') return;
      const known = shown.get(objectOf(request)) ?? new Map();
      shown.set(objectOf(request), known);
      if (version > (known.get(request.actor)?.version ?? 0n)) known.set(request.actor, { version, atMs });
    },
    change(change) {
      if (change.after === undefined) shown.delete(objectOf(change));
    },
  };
};

function objectOf({ resource, key }: { readonly resource: string; readonly key: string }): string {
  return `${resource} ${key}`;
}

/** What an apply makes anew has no version; what it changes has. */
function findLack({ verb, resource, means, tests }: RequestSent, isThere: boolean): string | undefined {
  const exact = means?.uid !== undefined && means.resourceVersion !== undefined;
  if (verb === 'delete') return exact ? undefined : 'a delete without the UID and version that it means';
  if (verb === 'update' && means?.resourceVersion === undefined)
    return 'a replacement without the version that it means';
  if (verb === 'apply')
    return isThere && !exact ? 'an apply over what is there without the UID and version that it means' : undefined;
  if (verb !== 'patch' || resource === EVENTS) return undefined;
  const finalizers = resource === TENANTS || resource === DESKTOPS;
  // A version is of one object alone: another one of the same name never has it.
  if (!finalizers)
    return means?.resourceVersion === undefined ? 'a patch without the version that it means' : undefined;
  const tested = tests?.includes('/metadata/uid') === true && tests.includes('/metadata/finalizers');
  return tested ? undefined : 'finalizers are patched without a test of the UID and of what they were';
}

function parseVersion(text: string | undefined): bigint | undefined {
  return text !== undefined && /^\d+$/.test(text) ? BigInt(text) : undefined;
}
