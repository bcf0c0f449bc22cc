import { createRemoteJWKSet, customFetch, decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../kube/clock.ts';
import type { Principal } from '../authorize.ts';
import { mapClaims, type OidcIssuer, TokenError } from './claims.ts';

/** The issuer cannot be asked just now, so nothing can be said of its tokens. */
export class IssuerUnavailableError extends Error {
  override readonly name = 'IssuerUnavailableError';
}

/** As much of `fetch` as is used. */
export type Fetch = (
  url: string,
  options: { readonly signal: AbortSignal; readonly redirect: 'manual' },
) => Promise<Response>;

/** Who the bearer of a token is. Throws TokenError or IssuerUnavailableError. */
export type TokenVerifier = {
  /** At once for a token that was verified a moment ago. */
  verify(token: string): Principal | Promise<Principal>;
};

/** Longer than any token of a real issuer, many groups included. */
const MAX_TOKEN_LENGTH = 16_384;
/** How long a token that was verified is taken at its word: bounds how long a key that its issuer withdrew still counts. */
const VERIFIED_MS = 60_000;
const MAX_VERIFIED = 10_000;
/** The API server's too: `nbf` may be this far ahead; `exp` has no tolerance. */
const NOT_BEFORE_LEEWAY_S = 60;
const FETCH_TIMEOUT_MS = 5_000;
const KEYS_MAX_AGE_MS = 600_000;
const KEYS_COOLDOWN_MS = 10_000;

/**
 * Verifies ID tokens of the configured issuers as the API server does with the same flags: issuer, audience, algorithm, signature, times, required claims. Keys come
 * from the issuer's discovery document and are fetched again for a key id that is not known, at most every ten seconds.
 */
export function createTokenVerifier(
  deps: { readonly clock: Pick<Clock, 'now'>; readonly fetch: Fetch },
  issuers: readonly OidcIssuer[],
): TokenVerifier {
  const known = new Map(
    issuers.map((issuer) => [issuer.issuerUrl, { issuer, keys: createKeySource(deps.fetch, issuer) }]),
  );
  const verified = new Map<string, { readonly principal: Principal; readonly untilMs: number }>();

  const verifyAnew = async (
    token: string,
  ): Promise<{ readonly principal: Principal; readonly expiresAtMs: number }> => {
    const found = known.get(readIssuer(token));
    if (found === undefined) throw new TokenError('its issuer is not one of ours');
    const { issuer, keys } = found;
    const payload = await verifySignature(token, await keys.get(), issuer, deps.clock.now());
    const expiresAtMs = (payload.exp ?? 0) * 1_000;
    if (expiresAtMs <= deps.clock.now()) throw new TokenError('it has expired');
    return { principal: mapClaims(payload, issuer), expiresAtMs };
  };

  const verifyAndKeep = async (token: string, nowMs: number): Promise<Principal> => {
    if (token.length > MAX_TOKEN_LENGTH) throw new TokenError(`it is longer than ${MAX_TOKEN_LENGTH} characters`);
    verified.delete(token);
    const { principal, expiresAtMs } = await verifyAnew(token);
    forgetOldest(verified);
    verified.set(token, { principal, untilMs: Math.min(expiresAtMs, nowMs + VERIFIED_MS) });
    return principal;
  };

  return {
    verify: (token) => {
      const nowMs = deps.clock.now();
      const hit = verified.get(token);
      return hit !== undefined && hit.untilMs > nowMs ? hit.principal : verifyAndKeep(token, nowMs);
    },
  };
}

function forgetOldest(verified: Map<string, unknown>): void {
  const [oldest] = verified.keys();
  if (verified.size >= MAX_VERIFIED && oldest !== undefined) verified.delete(oldest);
}

/** Only to choose whose keys the signature is checked by. */
function readIssuer(token: string): string {
  try {
    return decodeJwt(token).iss ?? '';
  } catch {
    throw new TokenError('it is no JSON Web Token');
  }
}

async function verifySignature(
  token: string,
  keys: ReturnType<typeof createRemoteJWKSet>,
  issuer: OidcIssuer,
  nowMs: number,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer: issuer.issuerUrl,
      audience: issuer.clientId,
      algorithms: [...issuer.signingAlgorithms],
      clockTolerance: NOT_BEFORE_LEEWAY_S,
      currentDate: new Date(nowMs),
      requiredClaims: ['exp'],
    });
    return payload;
  } catch (error) {
    if (error instanceof IssuerUnavailableError) throw error;
    if (error instanceof errors.JWTExpired) throw new TokenError('it has expired');
    if (error instanceof errors.JWTClaimValidationFailed)
      throw new TokenError(`its claim ${error.claim} is not as it has to be`);
    if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) throw unavailable(issuer, error);
    if (error instanceof errors.JOSEError) throw new TokenError(`its signature cannot be verified (${error.code})`);
    throw unavailable(issuer, error);
  }
}

type KeySource = { get(): Promise<ReturnType<typeof createRemoteJWKSet>> };

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url().max(2_048) });
const MAX_DISCOVERY_BYTES = 262_144;

/** The keys of an issuer. Discovery is asked once it succeeded, by whoever comes first; failures are not kept. */
function createKeySource(fetch: Fetch, issuer: OidcIssuer): KeySource {
  let keys: Promise<ReturnType<typeof createRemoteJWKSet>> | undefined;
  const discover = async () => {
    const url = `${issuer.issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const document = Discovery.parse(await fetchJson(fetch, url));
    if (document.issuer !== issuer.issuerUrl) throw new Error('the discovery document is of another issuer');
    const jwksUrl = new URL(document.jwks_uri);
    if (jwksUrl.protocol !== new URL(issuer.issuerUrl).protocol) throw new Error('jwks_uri is of another scheme');
    return createRemoteJWKSet(jwksUrl, {
      timeoutDuration: FETCH_TIMEOUT_MS,
      cooldownDuration: KEYS_COOLDOWN_MS,
      cacheMaxAge: KEYS_MAX_AGE_MS,
      [customFetch]: (address, { signal }) => fetch(address, { signal, redirect: 'manual' }),
    });
  };
  return {
    get: () => {
      keys ??= discover().catch((error: unknown) => {
        keys = undefined;
        throw unavailable(issuer, error);
      });
      return keys;
    },
  };
}

async function fetchJson(fetch: Fetch, url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS), redirect: 'manual' });
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
  const text = await response.text();
  if (text.length > MAX_DISCOVERY_BYTES) throw new Error(`${url} answered more than ${MAX_DISCOVERY_BYTES} bytes`);
  return JSON.parse(text);
}

function unavailable(issuer: OidcIssuer, cause: unknown): IssuerUnavailableError {
  return new IssuerUnavailableError(`the issuer ${issuer.issuerUrl} cannot be asked for its keys`, { cause });
}
