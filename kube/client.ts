import type { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import type { Clock, Random } from './clock.ts';
import type { Metrics } from './metrics.ts';
import type { KubeObject, List, ObjectKey, Resource } from './object.ts';

/**
 * Typed access to any kind of an API server. What comes back is the JSON that the server sent: nothing is dropped or renamed.
 *
 * Calls throw `StatusError` when the server refuses, `RequestError` when no answer arrives, and the signal's reason when the
 * caller aborts. `429` and `503` with `Retry-After` are waited out and tried again within the call's deadline.
 */
export type Client = {
  get<T extends KubeObject>(resource: Resource, key: ObjectKey, options?: CallOptions): Promise<T>;
  /** One page, or everything when no `limit` is given. Items carry `apiVersion` and `kind`, which servers leave out. */
  list<T extends KubeObject>(resource: Resource, options?: ListOptions): Promise<List<T>>;
  /** One watch, without reconnecting; ends when the server ends it. Reflectors build on this. */
  watch(resource: Resource, options: WatchOptions): AsyncIterable<WatchLine>;
  create<T extends KubeObject>(resource: Resource, object: T, options?: WriteOptions): Promise<T>;
  /** Replaces; the `resourceVersion` in the object is the precondition. */
  update<T extends KubeObject>(resource: Resource, object: T, options?: WriteOptions): Promise<T>;
  /** Server-side apply. */
  apply<T extends KubeObject>(resource: Resource, object: KubeObject, options: ApplyOptions): Promise<T>;
  patch<T extends KubeObject>(resource: Resource, key: ObjectKey, patch: Patch, options?: WriteOptions): Promise<T>;
  delete(resource: Resource, key: ObjectKey, options?: DeleteOptions): Promise<void>;
  /** Ends watches, lets running calls finish, closes connections. */
  close(): Promise<void>;
};

export type CallOptions = {
  readonly signal?: AbortSignal | undefined;
  /** Whole call, tries and waits included. Default 30 000. */
  readonly timeoutMs?: number | undefined;
  /** Asks for `PartialObjectMetadata`: metadata without spec, status or data. */
  readonly metadataOnly?: boolean | undefined;
};

export type ListOptions = CallOptions & {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
};

export type WatchOptions = {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly allowBookmarks?: boolean | undefined;
  /** Begin with the present state as ADDED lines and mark its end with a bookmark (Kubernetes 1.32 and newer). */
  readonly sendInitialEvents?: boolean | undefined;
  /** When the server is to end the watch. */
  readonly timeoutSeconds?: number | undefined;
  readonly metadataOnly?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** `object` of an ERROR line is a `Status`; of a BOOKMARK line it holds only `metadata.resourceVersion`. */
export type WatchLine = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject;
};

export type WriteOptions = CallOptions & {
  readonly fieldManager?: string | undefined;
  readonly subresource?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore' | undefined;
};

export type ApplyOptions = WriteOptions & {
  readonly fieldManager: string;
  /** Take over fields that another manager holds. */
  readonly force?: boolean | undefined;
};

export type Patch =
  | { readonly type: 'json'; readonly ops: readonly JsonPatchOp[] }
  | { readonly type: 'merge'; readonly body: unknown };

export type JsonPatchOp = {
  readonly op: 'add' | 'remove' | 'replace' | 'test';
  readonly path: string;
  readonly value?: unknown;
};

export type DeleteOptions = CallOptions & {
  readonly preconditions?:
    | { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined }
    | undefined;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan' | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  readonly dryRun?: boolean | undefined;
};

export type ClientDeps = {
  readonly kubeConfig: KubeConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
};

export type ClientOptions = {
  /** Connections for calls; watches have their own. Default 32. */
  readonly connections?: number | undefined;
  /** Deadline of a call that names none. Default 30 000. */
  readonly timeoutMs?: number | undefined;
  readonly userAgent?: string | undefined;
};

export declare function createClient(deps: ClientDeps, options?: ClientOptions): Client;
