import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { Problem } from './problem.ts';

/** Makes and reads the places in a list at which the next page begins. */
export type Cursors = {
  /** `query` is everything that the list depends on: route, tenant, filters. */
  render(query: string, after: string): string;
  /** Throws a 400 on what this key did not make for this query. */
  parse(query: string, cursor: string): string;
};

const MAC_BYTES = 16;

/** Opaque and signed: a cursor is good for the list that gave it and nothing can be read from or put into it by hand. */
export function createCursors(secret: Uint8Array): Cursors {
  const sign = (query: string, after: string): Buffer =>
    createHmac('sha256', secret).update(digest(query)).update(after).digest().subarray(0, MAC_BYTES);
  return {
    render: (query, after) => Buffer.concat([sign(query, after), Buffer.from(after)]).toString('base64url'),
    parse: (query, cursor) => {
      const bytes = Buffer.from(cursor, 'base64url');
      const after = bytes.subarray(MAC_BYTES).toString('utf8');
      const isCanonical = bytes.length > MAC_BYTES && bytes.toString('base64url') === cursor;
      if (isCanonical && timingSafeEqual(bytes.subarray(0, MAC_BYTES), sign(query, after))) return after;
      const detail = 'is not a cursor of this list; begin again without it';
      throw new Problem(400, 'bad-cursor', `cursor ${detail}`, { errors: [{ parameter: 'cursor', detail }] });
    },
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** One page of what is sorted by `keyOf`, and where the next one begins. */
export function pageOf<T>(
  sorted: readonly T[],
  keyOf: (item: T) => string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): { readonly items: readonly T[]; readonly next: string | undefined } {
  const start = after === undefined ? 0 : sorted.findIndex((item) => keyOf(item) > after);
  if (start < 0) return { items: [], next: undefined };
  const items = sorted.slice(start, start + limit);
  const last = items.at(-1);
  return { items, next: last !== undefined && start + limit < sorted.length ? keyOf(last) : undefined };
}
