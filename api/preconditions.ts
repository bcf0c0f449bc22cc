import { Problem } from './problem.ts';

/** `*`, or at most 32 entity tags (RFC 9110). */
export const TAGS = /^(\*|(W\/)?"[!#-~]*"( ?, ?(W\/)?"[!#-~]*"){0,31})$/;
const TAG = /(W\/)?"[!#-~]*"/g;

/** Tags of `If-Match` or `If-None-Match`: `*`, or a list. Throws a 400 on another form. */
export function parseTags(header: 'If-Match' | 'If-None-Match', value: string): '*' | readonly string[] {
  const trimmed = value.trim();
  if (trimmed === '*') return '*';
  if (TAGS.test(trimmed)) return trimmed.match(TAG) ?? [];
  const detail = 'has to be * or at most 32 entity tags in quotes, as an ETag gave them';
  throw new Problem(400, 'bad-request', `${header} ${detail}`, { errors: [{ header, detail }] });
}

/** Throws unless the present state is one that the caller saw. `required`: a write that would undo others' unseen needs it (RFC 6585). */
export function checkIfMatch(value: string | undefined, etag: string, required: boolean): void {
  if (value === undefined) {
    if (!required) return;
    const detail =
      'If-Match is required here: send the ETag that you got, so that nothing you did not see is undone; or use PATCH';
    throw new Problem(428, 'precondition-required', detail, {
      errors: [{ header: 'If-Match', detail: 'is required' }],
    });
  }
  const tags = parseTags('If-Match', value);
  if (tags === '*' || tags.includes(etag)) return;
  const detail = `it changed since you saw it; its ETag is ${etag} now. Get it again and repeat what you wanted`;
  throw new Problem(412, 'precondition-failed', detail, { headers: { etag } });
}

/** Whether the caller has this state already. */
export function isNotModified(value: string | undefined, etag: string): boolean {
  if (value === undefined) return false;
  const tags = parseTags('If-None-Match', value);
  return tags === '*' || tags.some((tag) => tag.replace(/^W\//, '') === etag);
}
