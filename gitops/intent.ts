/** A value as JSON has it. Numbers are finite. */
export type Json = string | number | boolean | null | readonly Json[] | JsonMap;
export type JsonMap = { readonly [member: string]: Json };

/** The resource that a change is about. Its namespace decides where it lives (`layout.ts`); kind and name find its document there. */
export type Target = { readonly kind: string; readonly namespace: string; readonly name: string };

/** One step into a resource: a member of a map, or the item of a list that people edit as a map by keys (`{ name: 'base' }`, `{ kind: 'User', name: 'oidc:anna' }`). */
export type Step = string | { readonly [key: string]: string };

/**
 * One field as its author saw it and as it shall be. `from` absent: nothing was there; `to` absent: it shall go; null counts as absent. Two edits of
 * different fields of one resource both win; where the present value is `from`, `to` is written; where it is `to`, nothing is left to do; anything else is a
 * conflict.
 *
 * `path` starts at the root of the resource (`['spec', 'plan']`, `['metadata', 'labels', 'team']`) and may not touch what identifies it. Maps on the way are
 * made where they are missing; the items of lists are not, but that the last step adds one at the end, whose `to` holds the step's keys.
 */
export type FieldEdit = {
  readonly path: readonly Step[];
  readonly from?: Json | undefined;
  readonly to?: Json | undefined;
};

/** What somebody asks for. It says nothing of files, so that it can be replayed on any later state of the repository. All of its edits are made, or none. */
export type Intent =
  /** Of `object` counts what people write: labels, annotations and spec. What exists and is equal in these is left alone; with others it is a conflict. */
  | { readonly type: 'Create'; readonly target: Target; readonly object: JsonMap }
  | { readonly type: 'Edit'; readonly target: Target; readonly edits: readonly FieldEdit[] }
  /** `seen`: the spec that its author saw; another one there now is a conflict. Absent: whatever is there goes. Nothing there: nothing to do. */
  | { readonly type: 'Delete'; readonly target: Target; readonly seen?: Json | undefined };

/** Where an edit found something else than its author. `path` is for people: `spec.price[name=base].recurring.amount`. */
export type Difference = {
  readonly path: string;
  readonly seen?: Json | undefined;
  readonly wanted?: Json | undefined;
  readonly found?: Json | undefined;
};
