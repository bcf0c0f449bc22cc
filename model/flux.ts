import type { Resource } from '../kube/object.ts';

/** Flux's kinds and keys that Sublet's parts and the simulated Flux have to agree on. */
export const GITREPOSITORIES: Resource = {
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  plural: 'gitrepositories',
  kind: 'GitRepository',
  namespaced: true,
};

/** Flux's API for sources that others implement. */
export const EXTERNALARTIFACTS: Resource = {
  ...GITREPOSITORIES,
  plural: 'externalartifacts',
  kind: 'ExternalArtifact',
};

export const KUSTOMIZATIONS: Resource = {
  group: 'kustomize.toolkit.fluxcd.io',
  version: 'v1',
  plural: 'kustomizations',
  kind: 'Kustomization',
  namespaced: true,
};

/** On a GitRepository or Kustomization: a new value asks for a reconcile now. */
export const ANNOTATION_REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';

/** Key in an artifact's metadata: the commit that its content comes from, which Flux shows as `lastAppliedOriginRevision`. */
export const ORIGIN_REVISION = 'org.opencontainers.image.revision';
