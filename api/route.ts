import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { Membership, Principal, Question } from './authorize.ts';
import type { Place } from './place.ts';

/** What a handler is given. Rights were checked and everything parsed before. */
export type Call<P = unknown, Q = unknown, B = unknown> = {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly principal: Principal;
  readonly memberships: readonly Membership[];
  /** What `{path}` stands for; the provider on routes without one. */
  readonly place: Place;
  readonly requestId: string;
  /** Address of the peer, or what the trusted proxy says it is. */
  readonly remoteAddress: string;
  header(name: string): string | undefined;
  /** For decisions that depend on what is found. */
  may(question: Question): boolean;
  /** Aborts when the caller is gone or has its answer, or the server stops. */
  signal(): AbortSignal;
};

/** What a handler answers. */
export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** A string or stream goes out as it is and needs `type`; anything else as JSON. */
  readonly body?: unknown;
  readonly type?: string | undefined;
};

export type BodyKind = 'json' | 'merge-patch' | 'form';

/**
 * Who may call. A function says which right on Kubernetes is needed; `undefined` where the place has no such thing. `SignedIn`: any caller who is known; the handler
 * asks `may` itself. `Public`: anybody.
 */
export type Access<P> = 'Public' | 'SignedIn' | ((place: Place, params: P) => Question | undefined);

/** One route, as a value: it is served, described in OpenAPI and checked against Kubernetes' rights from this. */
export type RouteDefinition<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `{name}` for parameters; `{path}` is a tenant's. */
  readonly url: string;
  readonly operationId: string;
  readonly summary: string;
  readonly tag: string;
  readonly access: Access<z.output<P>>;
  /** What a refusal says that the role does not let one do, where the right that is asked for is another thing's. */
  readonly purpose?: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: {
    readonly kind: BodyKind;
    readonly schema: B;
    /** What the description says where the schema leaves more to the rules. */
    readonly described?: z.ZodType | undefined;
    /** A body need not be there; the schema then gets `{}`. */
    readonly optional?: boolean | undefined;
  };
  /** Headers that matter, for the description only: who reads one also judges it. */
  readonly headers?: Readonly<Record<string, z.ZodString>>;
  readonly answers: Readonly<
    Record<number, { readonly description: string; readonly schema?: z.ZodType; readonly type?: string }>
  >;
  readonly handle: (call: Call<z.output<P>, z.output<Q>, z.output<B>>) => Answer | Promise<Answer>;
};

/** A route whose parts the compiler does not know apart any more. */
export type Route = Omit<RouteDefinition<z.ZodType, z.ZodType, z.ZodType>, 'access' | 'handle'> & {
  readonly access: Access<unknown>;
  readonly handle: (call: Call) => Answer | Promise<Answer>;
};

/** Ties the types of a route's parts together. `handle` and `access` get what the schemas of the same route gave, and nothing else. */
export function defineRoute<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  definition: RouteDefinition<P, Q, B>,
): Route {
  return definition as unknown as Route;
}

export function isStream(body: unknown): body is Readable {
  return typeof body === 'object' && body !== null && 'pipe' in body && typeof body.pipe === 'function';
}
