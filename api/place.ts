import { z } from 'zod';
import { splitPath, tenantNamespace } from '../model/names.ts';

/** Written for the provider where a tenant's path stands; no tenant can be named so. */
export const PROVIDER = '-';

/** A tenant's path in an address: `acme--bob`, or `-` for the provider. */
export const PathParam = z
  .string()
  .max(1_024)
  .regex(/^([a-z0-9]+(--?[a-z0-9]+)*|-)$/, 'must be the path of a tenant, such as acme--bob, or - for the provider')
  .describe('Path of the tenant, such as `acme--bob`; `-` is the provider.');

/** What a path in an address stands for, whether or not it exists. */
export type Place = {
  /** Absent for the provider. */
  readonly path: string | undefined;
  /** Where what the tenant owns lives. */
  readonly namespace: string;
  /** Where the Tenant itself lives; absent for the provider, which is nobody's customer. */
  readonly tenant: { readonly namespace: string; readonly name: string } | undefined;
};

/** Places by the paths in addresses, undefined for what no tenant can have; those asked for again are not read again. */
export function createPlaces(rootNamespace: string): (param: string | undefined) => Place | undefined {
  const known = new Map<string, Place>();
  return (param) => {
    if (param === undefined) return undefined;
    const found = known.get(param);
    if (found !== undefined) return found;
    if (!PathParam.safeParse(param).success) return undefined;
    const place = parsePlace(param, rootNamespace);
    if (known.size >= MOST_PLACES) known.clear();
    known.set(param, place);
    return place;
  };
}

const MOST_PLACES = 10_000;

export function parsePlace(param: string, rootNamespace: string): Place {
  if (param === PROVIDER) return { path: undefined, namespace: rootNamespace, tenant: undefined };
  const { parentPath, name } = splitPath(param);
  const residence = parentPath === undefined ? rootNamespace : tenantNamespace(parentPath);
  return { path: param, namespace: tenantNamespace(param), tenant: { namespace: residence, name } };
}
