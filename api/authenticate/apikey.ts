import { createHash, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../kube/clock.ts';

/** What is handed out once, and what is kept instead. */
export type MintedKey = { readonly token: string; readonly id: string; readonly salt: string; readonly hash: string };

const PREFIX = 'sublet_sk_';
const ID_BYTES = 10;
const SALT_BYTES = 16;
const SECRET_BYTES = 32;
const TOKEN = /^sublet_sk_([0-9a-f]{20})_([A-Za-z0-9_-]{43})$/;

/**
 * A new key: `sublet_sk_<id>_<secret>`, the secret 256 random bits. SHA-256 over salt and secret is kept: stretching protects what people choose, and nobody searches 2^256;
 * it would only let strangers make us work.
 */
export function mintKey(random: Random): MintedKey {
  const id = Buffer.from(random.bytes(ID_BYTES)).toString('hex');
  const secret = Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url');
  const salt = Buffer.from(random.bytes(SALT_BYTES)).toString('hex');
  return { token: `${PREFIX}${id}_${secret}`, id, salt, hash: hashSecret(salt, secret) };
}

/** Whether a bearer token is meant as one of our keys. */
export function looksLikeKey(token: string): boolean {
  return token.startsWith(PREFIX);
}

/** The parts of a token; undefined when it is not of the form. */
export function parseKey(token: string): { readonly id: string; readonly secret: string } | undefined {
  const match = TOKEN.exec(token);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { id: match[1], secret: match[2] };
}

/** Takes as long for a wrong secret as for the right one. */
export function isSecretOf(secret: string, { salt, hash }: { readonly salt: string; readonly hash: string }): boolean {
  const wanted = Buffer.from(hash, 'hex');
  const given = Buffer.from(hashSecret(salt, secret), 'hex');
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

function hashSecret(salt: string, secret: string): string {
  return createHash('sha256').update(salt).update(secret).digest('hex');
}
