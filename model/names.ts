import { createHash } from 'node:crypto';

export const ROOT_NAMESPACE = 'sublet-root';
export const SYSTEM_NAMESPACE = 'sublet-system';
export const FLEET_NAMESPACE = 'sublet-fleet';
export const IMAGES_NAMESPACE = 'sublet-images';
/** Identity of the provider, the root of the tree. */
export const ROOT_TENANT_ID = 'root';

/** Between the names of a path. A tenant's name holds single hyphens only, so this separates without ambiguity. */
export const PATH_SEPARATOR = '--';

/** DNS label limit, RFC 1123. */
const MAX_NAMESPACE = 63;
const HASH_LENGTH = 16;
const HEAD_LENGTH = MAX_NAMESPACE - 'th-'.length - 1 - HASH_LENGTH;

/** `acme` sold by the provider is `acme`; `bob` sold by `acme` is `acme--bob`. */
export function tenantPath(parentPath: string | undefined, name: string): string {
  return parentPath === undefined ? name : `${parentPath}${PATH_SEPARATOR}${name}`;
}

/** The parent's path and the last name. */
export function splitPath(path: string): { readonly parentPath: string | undefined; readonly name: string } {
  const at = path.lastIndexOf(PATH_SEPARATOR);
  if (at < 0) return { parentPath: undefined, name: path };
  return { parentPath: path.slice(0, at), name: path.slice(at + PATH_SEPARATOR.length) };
}

/**
 * The namespace of a tenant's path. `t-<path>`, or `th-<head>-<hash of the full path>` where that would pass 63 characters. No
 * path gives the namespace of another: `t-` and `th-` differ, and the hash has 64 bits; where two met, the second is a `NameConflict`.
 */
export function tenantNamespace(path: string): string {
  const plain = `t-${path}`;
  if (plain.length <= MAX_NAMESPACE) return plain;
  const hash = createHash('sha256').update(path).digest('hex').slice(0, HASH_LENGTH);
  return `th-${path.slice(0, HEAD_LENGTH).replace(/-+$/, '')}-${hash}`;
}

/** The one name of a desktop's children: VirtualMachine, DataVolume, Secret, Service, NetworkPolicy. */
export function desktopChildName(name: string): string {
  return `rdp-${name}`;
}
