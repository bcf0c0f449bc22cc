import type { Logger } from 'pino';
import type { Clock, Random } from '../../../kube/clock.ts';
import type { KubeObject, ObjectKey, Resource } from '../../../kube/object.ts';
import type { Transport } from '../../../kube/transport.ts';

/** What every controller gets. */
export type ControllerDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly state: ClusterState;
  /** The server as everybody calls it, under this user's name. */
  readonly connect: (user: string) => Transport;
};

/** What a controller sees without asking: the committed state and every change to it. Objects are shared: never change one. */
export type ClusterState = {
  /** One entry a kind, in the version in which `objects` gives it; what is not served is not in it. */
  kinds(): readonly Resource[];
  /** Everything of one kind, or what one namespace holds of it, in the order of lists. */
  objects(resource: Collected, namespace?: string): Iterable<KubeObject>;
  object(resource: Collected, key: ObjectKey): KubeObject | undefined;
  count(resource: Collected, namespace: string): number;
  /** Calls `listener` synchronously after each commit, in order of commits. Returns the function that ends it. */
  subscribe(listener: (change: Change) => void): () => void;
};

/** What names a kind in any version. */
export type Collected = Pick<Resource, 'group' | 'plural'>;

export type Change = {
  readonly resource: Resource;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
  /** What it was before; absent for what was added. */
  readonly old?: KubeObject | undefined;
};

/** A running controller. */
export type RunningController = {
  /** Resolves when the call that is under way has ended; nothing is called after that. */
  stop(): Promise<void>;
};

/** Under which name a part of the control plane acts. */
export function controllerUser(name: string): string {
  return `system:serviceaccount:kube-system:${name}`;
}
