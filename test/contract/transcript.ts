import type { Json } from './json.ts';

/** What one server answered to the steps of one case. */
export type Transcript = { readonly entries: readonly Entry[]; readonly scope: Scope };

export type Entry = {
  /** The step in words, as the case states it: `2 PUT /api/v1/...`. */
  readonly step: string;
  readonly answer: Json;
  /** Why the case itself is wrong: what it waited for never came. */
  readonly failure?: string;
};

/** The names that only this run of this case has. */
export type Scope = { readonly id: string; readonly ns: string; readonly ns2: string };
