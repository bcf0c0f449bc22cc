import { createHash } from 'node:crypto';
import { Problem } from './problem.ts';

/** A request's key, and what tells it from another request. */
export type RequestKey = { readonly key: string; readonly digest: string };

const MAX_KEY = 255;
const PRINTABLE = /^[\x21-\x7e]{1,255}$/;

/** The header as draft-ietf-httpapi-idempotency-key-header has it, a quoted string, or bare as most send it. Throws a 400 on another form. */
export function parseIdempotencyKey(header: string | undefined, request: readonly string[]): RequestKey | undefined {
  if (header === undefined) return undefined;
  const trimmed = header.trim();
  const key = trimmed.length > 1 && trimmed.startsWith('"') && trimmed.endsWith('"') ? trimmed.slice(1, -1) : trimmed;
  if (!PRINTABLE.test(key)) {
    const detail = `has to be 1 to ${MAX_KEY} printable characters without spaces, such as a UUID`;
    throw new Problem(400, 'bad-request', `Idempotency-Key ${detail}`, {
      errors: [{ header: 'Idempotency-Key', detail }],
    });
  }
  const digest = createHash('sha256').update(JSON.stringify(request)).digest('hex');
  return { key, digest };
}

export function keyReused(): Problem {
  const detail = 'belongs to another request of the last seven days; take a new key for another request';
  return new Problem(422, 'key-reused', `Idempotency-Key ${detail}`, {
    errors: [{ header: 'Idempotency-Key', detail }],
  });
}
