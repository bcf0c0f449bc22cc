import { createHmac, timingSafeEqual } from 'node:crypto';
import type { UserInfo } from './kinds.ts';
import { isObject } from './schema/json.ts';

export type TokenSubject = {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly audiences: unknown;
};

export type TokenLife = { readonly issuedAtMs: number; readonly expiresAtMs: number };

/** Tokens of ServiceAccounts: signed, so that nothing has to be kept of those that were given. */
export type Tokens = {
  issue(subject: TokenSubject, life: TokenLife): string;
  /** Whose token it is; undefined when it is none of ours or its time is over. */
  verify(token: string, nowMs: number): UserInfo | undefined;
};

const HEADER = encode({ alg: 'HS256', typ: 'JWT' });
const ISSUER = 'https://kubernetes.default.svc';

export function createTokens(key: Uint8Array): Tokens {
  const sign = (text: string): string => createHmac('sha256', key).update(text).digest('base64url');
  return {
    issue: ({ namespace, name, uid, audiences }, { issuedAtMs, expiresAtMs }) => {
      const kubernetes = { namespace, serviceaccount: { name, uid } };
      const sub = `system:serviceaccount:${namespace}:${name}`;
      const [iat, exp] = [Math.floor(issuedAtMs / 1000), Math.floor(expiresAtMs / 1000)];
      const claims = { aud: audiences, iss: ISSUER, sub, iat, nbf: iat, exp, 'kubernetes.io': kubernetes };
      const text = `${HEADER}.${encode(claims)}`;
      return `${text}.${sign(text)}`;
    },
    verify: (token, nowMs) => {
      const [header = '', payload = '', signature = ''] = token.split('.');
      const expected = Buffer.from(sign(`${header}.${payload}`));
      const given = Buffer.from(signature);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
      const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
      if (!isObject(claims) || typeof claims.sub !== 'string' || Number(claims.exp) * 1000 <= nowMs) return undefined;
      return serviceAccountUser(claims.sub);
    },
  };
}

function serviceAccountUser(username: string): UserInfo {
  const namespace = username.split(':')[2] ?? '';
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  return { username, groups };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
