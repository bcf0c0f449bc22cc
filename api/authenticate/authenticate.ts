import type { Logger } from 'pino';
import type { Clock } from '../../kube/clock.ts';
import { renderError } from '../../kube/errors.ts';
import type { Principal } from '../authorize.ts';
import { Problem } from '../problem.ts';
import type { KeyRecords } from '../records/keys.ts';
import { isSecretOf, looksLikeKey, parseKey } from './apikey.ts';
import { TokenError } from './claims.ts';
import { type ChooseUse, createUseChooser } from './keyuse.ts';
import { IssuerUnavailableError, type TokenVerifier } from './oidc.ts';

/** Who sends this `Authorization` header from this address; at once for most that were known a moment ago. Rejects with the 401 or 503 that the caller gets. */
export type Authenticate = {
  (authorization: string | undefined, address: string): Principal | Promise<Principal>;
  /** Whether somebody got in with this header lately. He may not any more. */
  isKnown(authorization: string | undefined): boolean;
};

export type AuthenticateDeps = {
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  readonly tokens: TokenVerifier;
  readonly keys: Pick<KeyRecords, 'find' | 'noteUse'>;
};

/** One scheme, `Bearer`, with an ID token of a known issuer or an API key. */
export function createAuthenticate(deps: AuthenticateDeps): Authenticate {
  // Of headers that were taken: to read and hash a long token again would cost as much as the rest of a read.
  const tokens = new Map<string, string>();
  const chooseUse = createUseChooser();
  const ask = (token: string, address: string): Principal | Promise<Principal> =>
    looksLikeKey(token) ? authenticateKey({ ...deps, chooseUse }, token, address) : authenticateToken(deps, token);
  const meet = async (authorization: string | undefined, address: string): Promise<Principal> => {
    const token = readBearer(authorization);
    const principal = await ask(token, address);
    if (tokens.size >= MOST_TOKENS) tokens.clear();
    if (authorization !== undefined) tokens.set(authorization, token);
    return principal;
  };
  const authenticate = (authorization: string | undefined, address: string): Principal | Promise<Principal> => {
    const token = authorization === undefined ? undefined : tokens.get(authorization);
    return token === undefined ? meet(authorization, address) : ask(token, address);
  };
  return Object.assign(authenticate, {
    isKnown: (authorization: string | undefined) => authorization !== undefined && tokens.has(authorization),
  });
}

const MOST_TOKENS = 10_000;

const BEARER = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i;

function readBearer(authorization: string | undefined): string {
  if (authorization === undefined) {
    const detail = 'send Authorization: Bearer with an ID token or an API key';
    throw new Problem(401, 'unauthenticated', detail, { headers: { 'www-authenticate': 'Bearer' } });
  }
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined) throw refuse('the header Authorization has to be Bearer and one token');
  return token;
}

function authenticateToken({ tokens, log }: AuthenticateDeps, token: string): Principal | Promise<Principal> {
  const principal = tokens.verify(token);
  if (!(principal instanceof Promise)) return principal;
  return principal.catch((error: unknown) => {
    if (error instanceof TokenError) throw refuse(`the token is not taken: ${error.message}`);
    if (!(error instanceof IssuerUnavailableError)) throw error;
    log.warn({ err: renderError(error), cause: renderError(error.cause) }, 'an issuer does not answer');
    const detail = 'the issuer of your token cannot be asked for its keys just now; try again, or use an API key';
    throw new Problem(503, 'unavailable', detail, { headers: { 'retry-after': '5' } });
  });
}

async function authenticateKey(
  { keys, clock, log, chooseUse }: AuthenticateDeps & { readonly chooseUse: ChooseUse },
  token: string,
  address: string,
): Promise<Principal> {
  const parts = parseKey(token);
  const record = parts === undefined ? undefined : await keys.find(parts.id);
  const isRight = isSecretOf(parts?.secret ?? '', record ?? NOBODY);
  if (record === undefined || !isRight || record.revokedAtMs !== undefined)
    throw refuse('the API key is not known, or was revoked');
  const nowMs = clock.now();
  if (record.expiresAtMs <= nowMs) throw refuse('the API key has expired; make a new one');
  const from = chooseUse(record.id, address, nowMs);
  if (from !== undefined) {
    keys
      .noteUse(record, { atMs: nowMs, from })
      .catch((error: unknown) => log.warn({ err: renderError(error) }, 'the use of a key was not written down'));
  }
  const { id, scope, role, maker } = record;
  return { username: maker, groups: [], key: { id, scope, role } };
}

const NOBODY = { salt: '', hash: '00'.repeat(32) };

function refuse(detail: string): Problem {
  return new Problem(401, 'unauthenticated', detail, {
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  });
}
