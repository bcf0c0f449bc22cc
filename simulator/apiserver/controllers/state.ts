import type { KubeObject, ObjectKey } from '../../../kube/object.ts';
import type { Core } from '../core.ts';
import type { ServedKind } from '../kinds.ts';
import type { Collection } from '../store.ts';
import type { Change, ClusterState, Collected } from './deps.ts';

/** The state of a server, as its control plane's controllers see it. */
export function createClusterState({ store, registry }: Pick<Core, 'store' | 'registry'>): ClusterState {
  const kinds = createKindLookup(registry);
  return {
    kinds: kinds.all,
    objects: function* (resource, namespace) {
      for (const { object } of kinds.collection(resource)?.sorted(namespace) ?? []) yield object as KubeObject;
    },
    object: (resource, { namespace = '', name }: ObjectKey) =>
      kinds.collection(resource)?.get(namespace, name)?.object as KubeObject | undefined,
    count: (resource, namespace) => kinds.collection(resource)?.countIn(namespace) ?? 0,
    subscribe: (listener) =>
      store.subscribe(({ type, collection, current, previous }) => {
        const resource = kinds.kindOf(collection);
        if (resource === undefined) return;
        const old = previous?.object as KubeObject | undefined;
        listener({ resource, type, object: current.object as KubeObject, old } satisfies Change);
      }),
  };
}

type KindLookup = {
  /** The same array until kinds come or go. */
  all(): readonly ServedKind[];
  collection(resource: Collected): Collection | undefined;
  /** Also of a kind that is no longer served, because its last objects go after its definition. */
  kindOf(collection: Collection): ServedKind | undefined;
};

function createKindLookup(registry: Core['registry']): KindLookup {
  const byCollection = new Map<Collection, ServedKind>();
  const byName = new Map<string, Collection>();
  let all: readonly ServedKind[] = [];
  const learn = (): void => {
    all = registry.resources();
    for (const kind of all) byCollection.set(kind.collection, kind);
    for (const { group, plural, collection } of registry.all()) byName.set(`${plural}.${group}`, collection);
  };
  learn();
  registry.onChange(learn);
  return {
    all: () => all,
    collection: ({ group, plural }) => byName.get(`${plural}.${group}`),
    kindOf: (collection) => byCollection.get(collection),
  };
}
