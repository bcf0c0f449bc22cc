/** What happened in one world, in the order in which it happened. The checker judges nothing else. */
export type TrailEvent = RequestSent | RequestAnswered | Change | Handshake | Repository | Mark;

/** An object as the API server stores it. */
export type Live = {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly metadata: LiveMeta;
  readonly [member: string]: unknown;
};

export type LiveMeta = {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly generation?: number | undefined;
  readonly creationTimestamp?: string | undefined;
  readonly deletionTimestamp?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly finalizers?: readonly string[] | undefined;
};

export type Verb = 'create' | 'update' | 'apply' | 'patch' | 'delete' | 'get' | 'list' | 'watch';

/**
 * Who acts. A process of the operator is `operator/<n>`, another number after each start; anything else is not the operator:
 * `person`, `flux`, `kubevirt`, `apiserver` (its own controllers).
 */
export type Actor = string;

/** A request on its way. */
export type RequestSent = {
  readonly type: 'request';
  /** Unique in the trail. */
  readonly id: number;
  /** Milliseconds since the epoch, by the world's clock; so is every `atMs`. */
  readonly atMs: number;
  readonly actor: Actor;
  readonly verb: Verb;
  /** Plural and group: `virtualmachines.kubevirt.io`, `secrets`. */
  readonly resource: string;
  /** `namespace/name`, `name` for what has no namespace; empty for collections. */
  readonly key: string;
  readonly subresource?: string | undefined;
  /** Which object and version the request says that it means: preconditions of a delete, metadata of a body, `test`s of a patch. */
  readonly means?: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined } | undefined;
  /** Paths that a JSON patch tests. */
  readonly tests?: readonly string[] | undefined;
};

/** The answer reached whoever asked. A request without one was never answered. */
export type RequestAnswered = {
  readonly type: 'answer';
  readonly id: number;
  readonly atMs: number;
  /** HTTP status; 0 when the connection broke. */
  readonly code: number;
  /** Version of the object in the answer. */
  readonly resourceVersion?: string | undefined;
};

/** A committed change of one object: created without `before`, gone without `after`. */
export type Change = {
  readonly type: 'change';
  readonly atMs: number;
  readonly actor: Actor;
  readonly resource: string;
  readonly key: string;
  readonly before?: Live | undefined;
  readonly after?: Live | undefined;
};

/** A guest completed an RDP handshake. */
export type Handshake = { readonly type: 'handshake'; readonly atMs: number; readonly instanceUid: string };

/** The revision that everybody sees of the fleet repository from now on. */
export type Repository = {
  readonly type: 'repository';
  readonly atMs: number;
  readonly revision: string;
  /** `<namespace>/<kind>/<name>` of everything that it declares. */
  readonly declared: ReadonlySet<string>;
  /** Whether a person confirmed what this revision removes. */
  readonly confirmed: boolean;
};

/** `settled`: faults have stopped and everything has converged; nothing is to be written until the next `disturbed`. */
export type Mark = { readonly type: 'settled' | 'disturbed'; readonly atMs: number };

export const INVARIANTS = ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8'] as const;
export type InvariantName = (typeof INVARIANTS)[number];

/** One broken promise, in plain words. */
export type Violation = {
  readonly invariant: InvariantName;
  readonly atMs: number;
  /** `resource namespace/name`. */
  readonly object: string;
  /** The request that did it, where one did: `operator/1 delete virtualmachines.kubevirt.io t-bob/rdp-desk`. */
  readonly request?: string | undefined;
  readonly text: string;
};

/** `2026-11-21T09:00:03.000Z I7 virtualmachines.kubevirt.io t-bob/rdp-desk: ...`. */
export function renderViolation({ invariant, atMs, object, request, text }: Violation): string {
  const by = request === undefined ? '' : ` (${request})`;
  return `${new Date(atMs).toISOString()} ${invariant} ${object}: ${text}${by}`;
}
