import type { Condition } from '../../kube/conditions.ts';
import type { KubeObject } from '../../kube/object.ts';

/** What a source offers to whoever applies it: a `.tar.gz` behind `url`. */
export type Artifact = {
  /** Relative to the server's root. */
  readonly path: string;
  readonly url: string;
  /** `main@sha1:<commit>` of a GitRepository; whatever its publisher says of an ExternalArtifact. */
  readonly revision: string;
  /** `sha256:<hex>` of the bytes behind `url`. */
  readonly digest: string;
  readonly lastUpdateTime: string;
  /** Bytes. */
  readonly size?: number | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
};

/** Of several the last in this order decides: branch, tag, name, commit. */
export type GitReference = {
  readonly branch?: string | undefined;
  readonly tag?: string | undefined;
  readonly name?: string | undefined;
  readonly commit?: string | undefined;
};

export type GitRepositorySpec = {
  readonly url: string;
  readonly interval: string;
  readonly timeout?: string | undefined;
  readonly ref?: GitReference | undefined;
  readonly ignore?: string | undefined;
  readonly suspend?: boolean | undefined;
  readonly secretRef?: { readonly name: string } | undefined;
};

export type GitRepositoryStatus = {
  readonly observedGeneration?: number | undefined;
  readonly lastHandledReconcileAt?: string | undefined;
  readonly artifact?: Artifact | undefined;
  readonly observedIgnore?: string | undefined;
  readonly conditions?: readonly Condition[] | undefined;
};

export type GitRepository = KubeObject & {
  readonly spec: GitRepositorySpec;
  readonly status?: GitRepositoryStatus | undefined;
};

/** Made and filled by others; only its artifact is read here. */
export type ExternalArtifact = KubeObject & {
  readonly spec?: Readonly<Record<string, unknown>> | undefined;
  readonly status?: { readonly artifact?: Artifact | undefined } | undefined;
};

export type DeletionPolicy = 'MirrorPrune' | 'Delete' | 'WaitForTermination' | 'Orphan';

export type KustomizationSpec = {
  readonly interval: string;
  readonly retryInterval?: string | undefined;
  readonly timeout?: string | undefined;
  readonly sourceRef: { readonly kind: string; readonly name: string; readonly namespace?: string | undefined };
  readonly path?: string | undefined;
  readonly prune: boolean;
  readonly deletionPolicy?: DeletionPolicy | undefined;
  readonly targetNamespace?: string | undefined;
  readonly serviceAccountName?: string | undefined;
  readonly dependsOn?: readonly { readonly name: string; readonly namespace?: string | undefined }[] | undefined;
  readonly suspend?: boolean | undefined;
  readonly force?: boolean | undefined;
};

/** `id` is `<namespace>_<name>_<group>_<kind>`, `v` the version of the group. */
export type InventoryEntry = { readonly id: string; readonly v: string };

export type KustomizationStatus = {
  readonly observedGeneration?: number | undefined;
  readonly lastHandledReconcileAt?: string | undefined;
  readonly lastAppliedRevision?: string | undefined;
  readonly lastAppliedOriginRevision?: string | undefined;
  readonly lastAttemptedRevision?: string | undefined;
  readonly inventory?: { readonly entries: readonly InventoryEntry[] } | undefined;
  readonly conditions?: readonly Condition[] | undefined;
};

export type Kustomization = KubeObject & {
  readonly spec: KustomizationSpec;
  readonly status?: KustomizationStatus | undefined;
};

export const FINALIZER = 'finalizers.fluxcd.io';
