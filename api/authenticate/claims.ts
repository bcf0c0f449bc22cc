import { z } from 'zod';
import type { Principal } from '../authorize.ts';

/** Why a token is not taken; for the log and, without names of keys, for its bearer. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
}

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'] as const;

const Issuer = z.string().max(2_048).refine(isIssuer, {
  message: 'must be an https URL without query and fragment (http only on loopback)',
});

/** An issuer of ID tokens, by the names and defaults of the API server's `--oidc-*` flags, so that both give one user one name. */
export const OidcIssuer = z.strictObject({
  /** `--oidc-issuer-url`: exactly as in the claim `iss`. */
  issuerUrl: Issuer,
  /** `--oidc-client-id`: has to be in the claim `aud`. */
  clientId: z.string().min(1).max(1_024),
  /** `--oidc-username-claim`. */
  usernameClaim: z.string().min(1).max(253).default('sub'),
  /** `--oidc-username-prefix`: absent, the issuer's URL and `#` for every claim but `email`; `-`: none. */
  usernamePrefix: z.string().max(253).optional(),
  /** `--oidc-groups-claim`. */
  groupsClaim: z.string().min(1).max(253).optional(),
  /** `--oidc-groups-prefix`. */
  groupsPrefix: z.string().max(253).default(''),
  /** `--oidc-required-claim`. */
  requiredClaims: z.record(z.string().max(253), z.string().max(1_024)).default({}),
  /** `--oidc-signing-algs`. */
  signingAlgorithms: z.array(z.enum(ALGORITHMS)).min(1).default(['RS256']),
});
export type OidcIssuer = z.infer<typeof OidcIssuer>;

const Groups = z.union([z.string(), z.array(z.string()).max(1_000)]);
/** What a change has room for; no real user name comes near. */
const MAX_USERNAME = 512;

/** User and groups of a verified token, exactly as the API server maps them. Throws TokenError where it refuses. */
export function mapClaims(claims: Readonly<Record<string, unknown>>, issuer: OidcIssuer): Principal {
  for (const [name, value] of Object.entries(issuer.requiredClaims)) {
    if (claims[name] !== value) throw new TokenError(`its claim ${name} is not as it has to be`);
  }
  const username = claims[issuer.usernameClaim];
  if (typeof username !== 'string' || username === '' || username.length > MAX_USERNAME) {
    throw new TokenError(`its claim ${issuer.usernameClaim} is no user name`);
  }
  const isUnverified = claims.email_verified !== undefined && claims.email_verified !== true;
  if (issuer.usernameClaim === 'email' && isUnverified) throw new TokenError('its email is not verified');
  return { username: usernamePrefix(issuer) + username, groups: readGroups(claims, issuer) };
}

function usernamePrefix({ usernamePrefix: prefix, usernameClaim, issuerUrl }: OidcIssuer): string {
  if (prefix === '-') return '';
  if (prefix !== undefined && prefix !== '') return prefix;
  return usernameClaim === 'email' ? '' : `${issuerUrl}#`;
}

function readGroups(claims: Readonly<Record<string, unknown>>, issuer: OidcIssuer): readonly string[] {
  const { groupsClaim, groupsPrefix } = issuer;
  const claim = groupsClaim === undefined ? undefined : claims[groupsClaim];
  if (claim === undefined) return [];
  const groups = Groups.safeParse(claim);
  if (!groups.success) throw new TokenError(`its claim ${groupsClaim} is neither a text nor a list of texts`);
  return [groups.data].flat().map((group) => groupsPrefix + group);
}

function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, search, hash } = new URL(text);
  const isLoopback = hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
  return (protocol === 'https:' || (protocol === 'http:' && isLoopback)) && search === '' && hash === '';
}
