import { createHash } from 'node:crypto';
import { ROOT_NAMESPACE } from '../model/names.ts';
import type { Target } from './intent.ts';

/** Id of the fleet repository in the journal. */
export const FLEET_REPOSITORY = 'fleet';

/** `spec.source` of a Tenant, as far as it says where its resources are. */
export type SourceFacts =
  | { readonly type: 'Fleet' }
  | {
      readonly type: 'Repository';
      readonly url: string;
      readonly branch: string;
      /** Folder in the repository; absent or `.`: its root. */
      readonly path?: string | undefined;
      /** Name of the Secret with the credentials, in the tenant's own namespace. */
      readonly secret?: string | undefined;
    };

export type LayoutFacts = {
  /** The cluster's environment: the folder below `tenants/`. */
  readonly environment: string;
  /** The Tenant that owns the namespace; undefined where there is none. The root's own namespace needs none. */
  readonly owner: { readonly path: string; readonly source?: SourceFacts | undefined } | undefined;
};

/** A tenant's own repository, as its Tenant says. */
export type OwnRemote = {
  readonly url: string;
  readonly branch: string;
  readonly secret?: { readonly namespace: string; readonly name: string } | undefined;
};

/** `repository`: the id under which changes are journalled. `folder`: below the root of its tree, `''` for the root itself. */
export type Place = {
  readonly type: 'place';
  readonly repository: string;
  readonly folder: string;
  /** Absent for the fleet. */
  readonly remote?: OwnRemote | undefined;
};

export type NoPlace = {
  readonly type: 'refused';
  readonly reason: 'NotInGit' | 'NoTenant' | 'BadPath';
  readonly message: string;
};

/**
 * Where the resources of a namespace are written. The Tenant that owns the namespace decides, and no other: a customer of a reseller with its own
 * repository is in the fleet, in a repository of its own, or in none, as its own `source` says. Two tenants never share an id, even when they name one
 * URL, so that neither writes with the other's credentials.
 */
export function computePlace(namespace: string, facts: LayoutFacts): Place | NoPlace {
  const { environment, owner } = facts;
  if (!ENVIRONMENT.test(environment))
    return refuse('BadPath', `the environment ${show(environment)} is no folder name`);
  if (!NAMESPACE.test(namespace)) return refuse('BadPath', `${show(namespace)} is no namespace`);
  const fleet: Place = { type: 'place', repository: FLEET_REPOSITORY, folder: fleetFolder(environment, namespace) };
  if (namespace === ROOT_NAMESPACE) return fleet;
  if (owner === undefined) return refuse('NoTenant', `the namespace ${namespace} belongs to no Tenant`);
  const { source, path } = owner;
  if (source === undefined) {
    return refuse(
      'NotInGit',
      `the Tenant ${path} has no source: its resources are applied with kubectl, not written to Git`,
    );
  }
  if (source.type === 'Fleet') return fleet;
  const folder = parseFolder(source.path ?? '');
  if (folder === undefined) {
    return refuse(
      'BadPath',
      `spec.source.repository.path ${show(source.path)} of the Tenant ${path} leaves the repository or is hidden`,
    );
  }
  const { url, branch, secret } = source;
  const remote = { url, branch, ...(secret === undefined ? {} : { secret: { namespace, name: secret } }) };
  return { type: 'place', repository: `tenant/${namespace}`, folder, remote };
}

/** Where the fleet repository has a namespace's resources. */
export function fleetFolder(environment: string, namespace: string): string {
  return `tenants/${environment}/${namespace}`;
}

/**
 * The name of a new file for a resource: `<kind>-<name>.yaml` in lower case, the same at every call, unless something of that name is there in any letter case;
 * then the first free of `<kind>-<name>.2.yaml` and so on. Names too long for a file get a hash.
 */
export function computeFileName(
  { kind, name }: Pick<Target, 'kind' | 'name'>,
  isTaken: (name: string) => boolean,
): string {
  const stem = `${kind.toLowerCase()}-${name}`;
  const short =
    stem.length <= MAX_STEM ? stem : `${stem.slice(0, MAX_STEM - HASH_LENGTH - 1).replace(/[-.]+$/, '')}-${hash(stem)}`;
  let free = `${short}.yaml`;
  for (let count = 2; isTaken(free); count++) free = `${short}.${count}.yaml`;
  return free;
}

/** Whether a path of a tree may hold resources: YAML by its name, and nothing on the way hidden. */
export function isResourceFile(path: string): boolean {
  return /\.ya?ml$/i.test(path) && !/(^|\/)\./.test(path);
}

/** The path with single slashes and without `.`, or undefined when it leaves the tree, is hidden, or is no path that every system can check out. */
export function parseFolder(path: string): string | undefined {
  if (path.length > MAX_PATH) return undefined;
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  return segments.every((segment) => SEGMENT.test(segment)) ? segments.join('/') : undefined;
}

function refuse(reason: NoPlace['reason'], message: string): NoPlace {
  return { type: 'refused', reason, message };
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH);
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 120);
}

const ENVIRONMENT = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const NAMESPACE = ENVIRONMENT;
const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;
const MAX_PATH = 512;
/** The fleet's gate takes names of at most 100 characters; this leaves room for `.yaml` and a number. */
const MAX_STEM = 88;
const HASH_LENGTH = 16;
