import type { Difference } from '../../intent.ts';
import { FINAL_STATES, type NewChange, OPEN_STATES, type Outcome } from '../../journal.ts';

/** How long a key answers for its request. */
export const KEY_LIFE_MS = 7 * 24 * 60 * 60 * 1_000;

/** No read of the journal gives more changes at once. */
export const MOST_CHANGES = 10_000;

export const MAX_INTENT_BYTES = 1_048_576;

/** A change that the journal does not take; the message names the field and the number. */
export class UnfitChange extends Error {
  override readonly name = 'UnfitChange';
}

/** Throws `UnfitChange` for what the tables would refuse, in words. */
export function checkChange(change: NewChange): void {
  const { target } = change.intent;
  if (!/^I[0-9a-f]{40}$/.test(change.id)) throw new UnfitChange('id has to be I and 40 hexadecimal digits');
  checkText('repository', change.repository, 253);
  checkText('intent.target.kind', target.kind, 63);
  checkText('intent.target.namespace', target.namespace, 63);
  checkText('intent.target.name', target.name, 253);
  checkText('author.subject', change.author.subject, 512);
  checkText('author.name', change.author.name, 256);
  checkText('author.email', change.author.email, 320);
  checkText('requestId', change.requestId, 128);
  if (change.traceparent !== undefined && !/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(change.traceparent))
    throw new UnfitChange('traceparent has to be as W3C Trace Context 00 writes it');
  const bytes = Buffer.byteLength(JSON.stringify(change.intent));
  if (bytes > MAX_INTENT_BYTES)
    throw new UnfitChange(`intent has ${bytes} bytes; at most ${MAX_INTENT_BYTES} are taken`);
}

/** Throws `UnfitChange` for a key that the tables would refuse. */
export function checkKey(subject: string, { key, digest }: { readonly key: string; readonly digest: string }): void {
  checkText('author.subject', subject, 512);
  checkText('the idempotency key', key, 255);
  checkText('the digest of the request', digest, 128);
}

/** The outcome cut to what a row holds: texts shortened, differences dropped from the end. */
export function fitOutcome(outcome: Outcome): Outcome {
  const { message, differences } = outcome;
  return {
    ...outcome,
    ...(message === undefined ? {} : { message: cutText(message, MAX_MESSAGE) }),
    ...(differences === undefined ? {} : { differences: cutDifferences(differences) }),
  };
}

export function isFinal(state: string): boolean {
  return FINAL_STATES.some((one) => one === state);
}

export function isOpen(state: string): boolean {
  return OPEN_STATES.some((one) => one === state);
}

/** How many rows a read may give. */
export function clampMost(most: number): number {
  return Math.max(0, Math.min(MOST_CHANGES, Math.floor(most)));
}

const MAX_MESSAGE = 32_000;
const MOST_DIFFERENCES = 100;
const MAX_DIFFERENCE_BYTES = 8_192;

function cutDifferences(differences: readonly Difference[]): readonly Difference[] {
  return differences.slice(0, MOST_DIFFERENCES).map((difference) => {
    const path = cutText(difference.path, 1_024);
    const whole = { ...difference, path };
    return Buffer.byteLength(JSON.stringify(whole)) <= MAX_DIFFERENCE_BYTES ? whole : { path };
  });
}

function cutText(text: string, most: number): string {
  const clean = text.toWellFormed().replaceAll('\0', '\ufffd');
  return clean.length <= most ? clean : `${clean.slice(0, most - 1).toWellFormed()}…`;
}

function checkText(field: string, text: string, most: number): void {
  if (text.length === 0 || text.length > most)
    throw new UnfitChange(`${field} has ${text.length} characters; 1 to ${most} are taken`);
  if (text.includes('\0') || !text.isWellFormed())
    throw new UnfitChange(`${field} holds a NUL character or half of a surrogate pair`);
}
