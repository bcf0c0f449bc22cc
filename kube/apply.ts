import type { Logger } from 'pino';
import type { Client } from './client.ts';
import type { KubeObject, Resource } from './object.ts';

export type ApplyOutcome<T extends KubeObject> = {
  readonly outcome: 'created' | 'configured' | 'unchanged';
  /** The API server's answer; absent when nothing was called. */
  readonly object?: T | undefined;
};

export type ApplyCallOptions = {
  readonly signal?: AbortSignal | undefined;
  /** `live` has no fields but metadata (Secrets): compare labels, annotations and the applied hash only. */
  readonly metadataOnly?: boolean | undefined;
  /**
   * When `live` is absent, create with POST and fail with `AlreadyExists` if the name is taken, instead of adopting what is there.
   * Without it a missing object is created by server-side apply.
   */
  readonly mustNotExist?: boolean | undefined;
  /** Stands for the intent instead of its hash; for intents whose hash must not be published. */
  readonly hash?: string | undefined;
};

export type PruneOptions = {
  readonly signal?: AbortSignal | undefined;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan' | undefined;
};

export type Applier = {
  /** Makes the API server hold `intent`; no call when `live` already does. */
  apply<T extends KubeObject>(
    resource: Resource,
    intent: KubeObject,
    live: T | undefined,
    options?: ApplyCallOptions,
  ): Promise<ApplyOutcome<T>>;
  /**
   * Deletes what is in `owned` and not in `keep` (keys as `objectKey` makes them), each with its UID and resourceVersion as
   * precondition. What is being deleted already is left alone. Returns the keys for which a delete was accepted.
   * Throws `TransientError` when one changed in between.
   */
  prune(
    resource: Resource,
    owned: readonly KubeObject[],
    keep: ReadonlySet<string>,
    options?: PruneOptions,
  ): Promise<readonly string[]>;
};

export type ApplierDeps = { readonly client: Client; readonly log?: Logger | undefined };

export type ApplierOptions = {
  readonly fieldManager: string;
  /** Annotation that keeps the hash of the last applied intent. */
  readonly hashAnnotation: string;
};

export declare function createApplier(deps: ApplierDeps, options: ApplierOptions): Applier;
