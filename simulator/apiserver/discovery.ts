import { createHash } from 'node:crypto';
import { apiVersionOf, type ServedKind, type Subresource, type Verb } from './kinds.ts';
import type { Registry } from './registry.ts';
import { REVIEWS } from './reviews.ts';
import type { JsonObject } from './schema/json.ts';

/** What discovery says of one resource or subresource. */
type Entry = {
  readonly group: string;
  readonly version: string;
  readonly name: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly Verb[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly custom: boolean;
  readonly subresources: readonly Subresource[];
  readonly storageGroup: string;
  readonly storageVersion: string;
  /** Whether objects of it are kept anywhere. */
  readonly isStored: boolean;
};

const SUBRESOURCE_VERBS: Readonly<Record<Subresource, readonly Verb[]>> = {
  status: ['get', 'patch', 'update'],
  scale: ['get', 'patch', 'update'],
  finalize: ['update'],
  token: ['create'],
};

/** `/api`. */
export function buildApiVersions(): JsonObject {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:443' }],
  };
}

/** `/apis`. */
export function buildGroupList(registry: Registry): JsonObject {
  const groups = [...groupEntries(registry).keys()].filter((group) => group !== '');
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map((group) => groupOf(registry, group)) };
}

/** `/apis/<group>`; undefined for a group that is not served. */
export function buildGroup(registry: Registry, group: string): JsonObject | undefined {
  if (group === '' || !groupEntries(registry).has(group)) return undefined;
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(registry, group) };
}

/** `/api/v1` and `/apis/<group>/<version>`; undefined for what is not served. */
export function buildResourceList(registry: Registry, group: string, version: string): JsonObject | undefined {
  const entries = groupEntries(registry).get(group)?.get(version);
  if (entries === undefined) return undefined;
  const resources = entries.flatMap((entry) => [
    resourceOf(entry),
    ...entry.subresources.map((of) => partOf(entry, of)),
  ]);
  const apiVersion = group === '' ? {} : { apiVersion: 'v1' };
  return { kind: 'APIResourceList', ...apiVersion, groupVersion: apiVersionOf({ group, version }), resources };
}

export const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** `/api` or `/apis` for clients that take everything at once. */
export function buildAggregated(registry: Registry, isCore: boolean): JsonObject {
  const groups = [...groupEntries(registry)].filter(([group]) => (group === '') === isCore);
  const items = groups.map(([group, versions]) => ({
    metadata: group === '' ? {} : { name: group },
    versions: [...versions].map(([version, entries]) => ({
      version,
      resources: entries.map(aggregatedOf),
      freshness: 'Current',
    })),
  }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

function aggregatedOf(entry: Entry): JsonObject {
  const { name, singular, namespaced, verbs, shortNames, categories, subresources } = entry;
  const responseKind = responseKindOf(entry);
  const parts = subresources.map((subresource) => ({
    subresource,
    responseKind: subresource === 'token' ? TOKEN_REQUEST : responseKind,
    verbs: SUBRESOURCE_VERBS[subresource],
  }));
  return {
    resource: name,
    responseKind,
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...optionalList('shortNames', shortNames),
    ...optionalList('categories', categories),
    ...optionalList('subresources', parts),
  };
}

const TOKEN_REQUEST = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' };

/** Built-in kinds leave group and version out, which then are those of the list. */
function responseKindOf({ custom, group, version, kind }: Entry): JsonObject {
  return custom ? { group, version, kind } : { group: '', version: '', kind };
}

function resourceOf({ name, singular, namespaced, kind, verbs, shortNames, categories, ...of }: Entry): JsonObject {
  const lists = { ...optionalList('shortNames', shortNames), ...optionalList('categories', categories) };
  const hash = of.isStored ? { storageVersionHash: hashStorageVersion(of.storageGroup, of.storageVersion, kind) } : {};
  return { name, singularName: singular, namespaced, kind, verbs, ...lists, ...hash };
}

/** Changes with the version that objects are kept in, which for two kinds is another one than is served. */
function hashStorageVersion(group: string, version: string, kind: string): string {
  const stored = STORED_OTHERWISE[`${group}/${kind}`] ?? `${group}/${version}`;
  return createHash('sha256').update(`${stored}/${kind}`).digest().subarray(0, 8).toString('base64');
}

const STORED_OTHERWISE: Readonly<Record<string, string>> = {
  'events.k8s.io/Event': '/v1',
  'apiextensions.k8s.io/CustomResourceDefinition': 'apiextensions.k8s.io/v1beta1',
};

function partOf({ name, namespaced, kind }: Entry, subresource: Subresource): JsonObject {
  const foreign = subresource === 'token' ? TOKEN_REQUEST : { kind };
  const verbs = SUBRESOURCE_VERBS[subresource];
  return { name: `${name}/${subresource}`, singularName: '', namespaced, ...foreign, verbs };
}

function optionalList(name: string, list: readonly unknown[]): JsonObject {
  return list.length === 0 ? {} : { [name]: list };
}

function groupOf(registry: Registry, group: string): JsonObject {
  const versions = [...(groupEntries(registry).get(group)?.keys() ?? [])];
  const described = versions.map((version) => ({ groupVersion: apiVersionOf({ group, version }), version }));
  return { name: group, versions: described, preferredVersion: described[0] };
}

type Groups = Map<string, Map<string, Entry[]>>;

function groupEntries(registry: Registry): Groups {
  const groups: Groups = new Map();
  for (const entry of [...registry.all().map(entryOf), ...REVIEWS]) {
    const versions = groups.get(entry.group) ?? new Map<string, Entry[]>();
    groups.set(entry.group, versions);
    const entries = versions.get(entry.version);
    if (entries === undefined) versions.set(entry.version, [entry]);
    else entries.push(entry);
  }
  for (const [group, versions] of groups) {
    groups.set(group, new Map([...versions].sort(([a], [b]) => compareVersions(a, b))));
  }
  return groups;
}

function entryOf(kind: ServedKind): Entry {
  const storageGroup = kind.collection.group;
  return { ...kind, name: kind.plural, isStored: true, storageGroup, subresources: [...kind.subresources].sort() };
}

/** As Kubernetes prefers versions: `v2` before `v1` before `v2beta1` before `v1alpha1` before anything else. */
export function compareVersions(a: string, b: string): number {
  const [first, second] = [rank(a), rank(b)];
  for (const [index, part] of first.entries()) {
    const difference = (second[index] ?? 0) - part;
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : 1;
}

function rank(version: string): readonly number[] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return [0, 0, 0];
  const [, major, stage, minor] = match;
  return [stage === undefined ? 3 : stage === 'beta' ? 2 : 1, Number(major), Number(minor ?? 0)];
}
