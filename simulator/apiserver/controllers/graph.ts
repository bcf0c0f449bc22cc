import type { KubeObject, OwnerReference, Resource } from '../../../kube/object.ts';
import type { Change } from './deps.ts';

export const FOREGROUND_FINALIZER = 'foregroundDeletion';
export const ORPHAN_FINALIZER = 'orphan';

/** An object as the garbage collector knows it. */
export type Node = {
  readonly uid: string;
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly owners: readonly OwnerReference[];
  readonly isBeingDeleted: boolean;
  /** Waits, being deleted, for its dependents to go first. */
  readonly isDeletingDependents: boolean;
  /** Waits, being deleted, for its dependents to be let go. */
  readonly isOrphaning: boolean;
};

/** What a change gives to do: to look whether an object has to go, or to orphan the dependents of one. */
export type Job = { readonly task: 'collect' | 'orphan'; readonly uid: string };

/**
 * Who owns whom, by uid. A reference may name an owner that is not there, or one whose name, kind or namespace is another: then its
 * holder is looked at, and whoever looks asks the server.
 */
export class OwnerGraph {
  readonly #nodes = new Map<string, Node>();
  /** By the owner's uid, known or not. */
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): Node | undefined {
    return this.#nodes.get(uid);
  }

  dependentsOf(uid: string): readonly Node[] {
    const nodes: Node[] = [];
    for (const dependent of this.#dependents.get(uid) ?? []) {
      const node = this.#nodes.get(dependent);
      if (node !== undefined) nodes.push(node);
    }
    return nodes;
  }

  /** Takes what exists, all at once, so that the order in which it comes does not matter. */
  load(objects: Iterable<readonly [Resource, KubeObject]>): readonly Job[] {
    const loaded: Node[] = [];
    for (const [resource, object] of objects) {
      const node = buildNode(resource, object);
      this.#nodes.set(node.uid, node);
      loaded.push(node);
    }
    const doubtful = loaded.flatMap((node) => this.#connect(node, undefined));
    return [...doubtful, ...loaded.flatMap((node) => this.#startDeletion(node, undefined))];
  }

  apply(change: Change): readonly Job[] {
    const node = buildNode(change.resource, change.object);
    const before = this.#nodes.get(node.uid);
    if (change.type === 'DELETED') return before === undefined ? [] : this.#remove(before);
    this.#nodes.set(node.uid, node);
    return [...this.#connect(node, before), ...this.#startDeletion(node, before)];
  }

  #connect(node: Node, before: Node | undefined): readonly Job[] {
    const jobs: Job[] = [];
    const past = new Map(before?.owners.map((owner) => [owner.uid, owner]));
    let isDoubtful = false;
    for (const owner of node.owners) {
      const old = past.get(owner.uid);
      past.delete(owner.uid);
      if (old !== undefined) {
        if (old.blockOwnerDeletion === true && owner.blockOwnerDeletion !== true) jobs.push(collect(owner.uid));
        continue;
      }
      const siblings = this.#dependents.get(owner.uid) ?? new Set();
      this.#dependents.set(owner.uid, siblings.add(node.uid));
      isDoubtful ||= !this.#isOwner(owner, node);
    }
    for (const owner of past.values()) {
      this.#disconnect(owner.uid, node.uid);
      if (owner.blockOwnerDeletion === true) jobs.push(collect(owner.uid));
    }
    if (isDoubtful) jobs.push(collect(node.uid));
    return jobs;
  }

  /** Whether the reference names an object that is known to be there. */
  #isOwner(reference: OwnerReference, dependent: Node): boolean {
    const owner = this.#nodes.get(reference.uid);
    if (owner === undefined || owner.name !== reference.name || owner.resource.kind !== reference.kind) return false;
    return owner.namespace === undefined || owner.namespace === dependent.namespace;
  }

  #startDeletion(node: Node, before: Node | undefined): readonly Job[] {
    if (node.isOrphaning && before?.isOrphaning !== true) return [{ task: 'orphan', uid: node.uid }];
    if (!node.isDeletingDependents || before?.isDeletingDependents === true) return [];
    return [...this.dependentsOf(node.uid), node].map(({ uid }) => collect(uid));
  }

  #remove(node: Node): readonly Job[] {
    this.#nodes.delete(node.uid);
    for (const { uid } of node.owners) this.#disconnect(uid, node.uid);
    const waiting = node.owners.filter(({ uid }) => this.#nodes.get(uid)?.isDeletingDependents === true);
    return [...this.dependentsOf(node.uid), ...waiting].map(({ uid }) => collect(uid));
  }

  #disconnect(owner: string, dependent: string): void {
    const siblings = this.#dependents.get(owner);
    siblings?.delete(dependent);
    if (siblings?.size === 0) this.#dependents.delete(owner);
  }
}

function collect(uid: string): Job {
  return { task: 'collect', uid };
}

function buildNode(resource: Resource, { metadata }: KubeObject): Node {
  const isBeingDeleted = metadata.deletionTimestamp !== undefined;
  const waitsFor = (finalizer: string) => isBeingDeleted && metadata.finalizers?.includes(finalizer) === true;
  return {
    uid: metadata.uid ?? '',
    resource,
    namespace: metadata.namespace,
    name: metadata.name,
    owners: metadata.ownerReferences ?? [],
    isBeingDeleted,
    isDeletingDependents: waitsFor(FOREGROUND_FINALIZER),
    isOrphaning: waitsFor(ORPHAN_FINALIZER),
  };
}
