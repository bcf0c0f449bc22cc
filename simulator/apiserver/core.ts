import type { Logger } from 'pino';
import type { Clock, Random } from '../../kube/clock.ts';
import type { AdmissionHook, ServedKind, Subresource, UserInfo } from './kinds.ts';
import { type ApiObject, renderTime } from './object.ts';
import type { WriteOptions } from './options.ts';
import type { Registry } from './registry.ts';
import type { JsonObject } from './schema/json.ts';
import type { Store } from './store.ts';
import type { Tokens } from './tokens.ts';

/** What the parts of the server share. */
export type Core = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly store: Store;
  readonly registry: Registry;
  /** Run in order, after everything else judged a write. */
  readonly admission: AdmissionHook[];
  /** Between two bookmarks of a watch. */
  readonly bookmarkIntervalMs: number;
  readonly tokens: Tokens;
};

/** One write, as far as it does not depend on what is written. */
export type WriteCall = {
  readonly core: Core;
  readonly kind: ServedKind;
  readonly namespace: string;
  /** Empty where the server makes up the name. */
  readonly name: string;
  readonly subresource: Subresource | undefined;
  readonly user: UserInfo;
  /** Who owns the fields that are written, for `managedFields`. */
  readonly manager: string;
  readonly options: WriteOptions;
  readonly optionsObject: JsonObject;
  /** How much the client sent. */
  readonly bodyBytes: number;
  readonly warn: (message: string) => void;
  /** Told what the write did; the last call counts. Objects are in the storage version. */
  readonly record: (before: ApiObject | undefined, after: ApiObject | undefined) => void;
};

export function nowOf(core: Core): string {
  return renderTime(core.clock.now());
}

/** A version 4 UUID. */
export function newUid(random: Random): string {
  const bytes = Buffer.from(random.bytes(16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
const MAX_GENERATED_LENGTH = 63;

/** A name for `generateName`. */
export function generateName(random: Random, base: string): string {
  let suffix = '';
  for (let index = 0; index < SUFFIX_LENGTH; index += 1) {
    suffix += SUFFIX_LETTERS[Math.floor(random.next() * SUFFIX_LETTERS.length)];
  }
  return base.slice(0, MAX_GENERATED_LENGTH - SUFFIX_LENGTH) + suffix;
}

/** Continues with a value that may still be on its way; stays synchronous when it is there. (A module that exports `then` cannot be imported.) */
export function chain<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
