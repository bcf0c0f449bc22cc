import type { Random } from '../../kube/clock.ts';
import type { ApiObject } from './object.ts';
import type { CompiledSchema, FieldError, JsonObject } from './schema/index.ts';
import type { GroupResource } from './status.ts';
import type { Collection } from './store.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** One resource in one version, as it is served. Versions of one resource share a collection. */
export type ServedKind = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly Verb[];
  readonly subresources: readonly Subresource[];
  readonly collection: Collection;
  /** The version that objects are kept in. */
  readonly storageVersion: string;
  readonly custom: boolean;
  /** What clients are warned of that use this version. */
  readonly deprecation?: string | undefined;
  /** Absent where versions differ by their name only. */
  readonly convert?: {
    readonly toStorage: (object: ApiObject) => ApiObject;
    readonly fromStorage: (object: ApiObject) => ApiObject;
  };
  /** Brings what was stored under an older schema up to the present one. Gives the same for the same. */
  readonly refresh?: ((object: ApiObject) => ApiObject) | undefined;
  /** Tells renderings under one schema from those under another. */
  readonly renderKey: string;
  readonly schema: CompiledSchema;
  /**
   * Checks and normalizes what a client sent, as Go's decoder does for built-in kinds: changes it and answers its unknown members, or throws an Error.
   */
  readonly decode?: (value: JsonObject) => readonly string[];
  /** What an object is of which nothing is said, where some members are always there. */
  readonly empty?: JsonObject;
  /** Sets defaults that no schema can say. Changes the object. */
  readonly setDefaults?: ((value: JsonObject) => void) | undefined;
  /** What OpenAPI says of the kind: `schema` as its definition has it, or absent where `name` is that of a built-in definition. */
  readonly openApi: { readonly name: string; readonly schema?: JsonObject };
  readonly strategy: Strategy;
  readonly columns: readonly Column[];
  /** Fields beyond `metadata.name` and `metadata.namespace` that field selectors may name. */
  readonly selectableFields: readonly string[];
};

export type Subresource = 'status' | 'finalize' | 'token' | 'scale';

/** A column of a table. `path` is a JSON path; `cell` computes where no path can say it. */
export type Column = {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format: string;
  readonly description: string;
  readonly priority: number;
  readonly jsonPath?: string;
  readonly cell?: (object: ApiObject, nowMs: number) => unknown;
};

/**
 * What a resource does beside what all do; the names are those of `rest.RESTCreateStrategy` and its companions. Functions are given objects in the
 * served version, defaulted, and answer new ones.
 */
export type Strategy = {
  /** PUT on what does not exist creates it. */
  readonly allowCreateOnUpdate: boolean;
  /** PUT without a resourceVersion replaces whatever is there. */
  readonly allowUnconditionalUpdate: boolean;
  readonly prepareForCreate: (object: ApiObject) => ApiObject;
  readonly validate: (object: ApiObject) => readonly FieldError[];
  readonly prepareForUpdate: (object: ApiObject, old: ApiObject) => ApiObject;
  readonly validateUpdate: (object: ApiObject, old: ApiObject) => readonly FieldError[];
  readonly prepareForStatusUpdate: (object: ApiObject, old: ApiObject) => ApiObject;
  readonly validateStatusUpdate: (object: ApiObject, old: ApiObject) => readonly FieldError[];
  /** Gives the object what it shares a stock of with others of its kind, such as addresses: on create, and on update where something is missing. */
  readonly allocate?: (object: ApiObject, allocation: Allocation) => ApiObject;
  /** Where the first deletion only marks the object, for a controller to go on. */
  readonly terminate?: (object: ApiObject, now: string) => ApiObject;
  readonly garbageCollection: 'background' | 'orphan' | 'unsupported';
  /** Top-level members that a write of the whole object never changes, and so does not own. */
  readonly resetFields: readonly (readonly string[])[];
  readonly statusResetFields: readonly (readonly string[])[];
  readonly warnings?: (object: ApiObject, old: ApiObject | undefined) => readonly string[];
  /** Whether deletion answers the object; otherwise it answers a Status. */
  readonly returnsDeleted?: boolean;
};

export type Allocation = {
  /** All objects of the kind. */
  readonly siblings: () => readonly ApiObject[];
  readonly random: Random;
};

export function groupResource(kind: { readonly group: string; readonly plural: string }): GroupResource {
  return { group: kind.group, resource: kind.plural };
}

export function apiVersionOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === '' ? version : `${group}/${version}`;
}

/** Who asks. */
export type UserInfo = { readonly username: string; readonly groups: readonly string[]; readonly uid?: string };

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE';

/** What admission judges. Objects are in the served version. */
export type AdmissionRequest = {
  readonly operation: Operation;
  readonly kind: ServedKind;
  readonly subresource: Subresource | undefined;
  readonly namespace: string;
  /** Empty for a collection that is deleted as a whole. */
  readonly name: string;
  /** Absent on DELETE. */
  readonly object: ApiObject | undefined;
  /** Absent on CREATE. */
  readonly oldObject: ApiObject | undefined;
  readonly dryRun: boolean;
  readonly user: UserInfo;
  /** `CreateOptions`, `UpdateOptions` or `DeleteOptions`, with `kind` and `apiVersion`. */
  readonly options: JsonObject;
  /** Adds a `Warning` header to the answer. */
  readonly warn: (message: string) => void;
};

/**
 * Judges a write after everything else did: throws `ApiError`, or rejects with one, to refuse it. Called again when the object changed while an
 * asynchronous hook was thinking.
 */
export type AdmissionHook = (request: AdmissionRequest) => void | Promise<void>;
