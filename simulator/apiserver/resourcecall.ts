import type { Core, WriteCall } from './core.ts';
import type { ServedKind, Verb } from './kinds.ts';
import type { ApiAnswer, ApiRequest, Query, ResourcePath } from './request.ts';

/** One call of a resource, parsed. */
export type ResourceCall = {
  readonly core: Core;
  readonly kind: ServedKind;
  readonly path: ResourcePath;
  readonly query: Query;
  readonly request: ApiRequest;
  readonly verb: Verb;
  readonly warn: (message: string) => void;
  readonly record: WriteCall['record'];
};

export type Answer = ApiAnswer | Promise<ApiAnswer>;
