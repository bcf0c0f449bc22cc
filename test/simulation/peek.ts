import type { KubeObject } from '../../kube/object.ts';
import type { Collection, Store } from '../../simulator/apiserver/store.ts';

/** The stored object, without a call. `resource` is plural and group. */
export function find<T extends KubeObject>(store: Store, resource: string, key: string): T | undefined {
  const slash = key.indexOf('/');
  const [namespace, name] = slash < 0 ? ['', key] : [key.slice(0, slash), key.slice(slash + 1)];
  return collectionOf(store, resource).get(namespace, name)?.object as T | undefined;
}

export function listAll<T extends KubeObject>(store: Store, resource: string): readonly T[] {
  return collectionOf(store, resource)
    .sorted()
    .map(({ object }) => object as unknown as T);
}

function collectionOf(store: Store, resource: string): Collection {
  const dot = resource.indexOf('.');
  return dot < 0 ? store.collection('', resource) : store.collection(resource.slice(dot + 1), resource.slice(0, dot));
}
