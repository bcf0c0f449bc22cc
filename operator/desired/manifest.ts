import type { KubeObject } from '../../kube/object.ts';

/** A child as a value: an object of any kind, with whatever fields that kind has. */
export type Manifest = KubeObject & { readonly [field: string]: unknown };
