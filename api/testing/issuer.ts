import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Fetch } from '../authenticate/oidc.ts';

export const ISSUER_URL = 'https://id.example.com/realms/sublet';
export const CLIENT_ID = 'sublet';

/** An OpenID Connect issuer in memory, whose documents are served by `fetch`. */
export type TestIssuer = {
  readonly fetch: Fetch;
  /** URLs that were fetched, in order. */
  readonly fetched: string[];
  /** Answers every fetch while set. */
  answer: (() => Response) | undefined;
  /** A token that is good for an hour from `nowMs`, but for what `claims` and `header` say otherwise. */
  sign(
    claims: Readonly<Record<string, unknown>>,
    header?: { readonly alg?: string; readonly kid?: string },
  ): Promise<string>;
  /** From now on signs by a new key, and serves only that. */
  rotate(): Promise<void>;
};

export async function createTestIssuer(now: () => number): Promise<TestIssuer> {
  let keyId = 'key-1';
  let pair = await generateKeyPair('ES256', { extractable: true });
  const fetched: string[] = [];
  const documents = async (url: string): Promise<unknown> => {
    if (url === `${ISSUER_URL}/.well-known/openid-configuration`)
      return { issuer: ISSUER_URL, jwks_uri: `${ISSUER_URL}/keys` };
    if (url === `${ISSUER_URL}/keys`)
      return { keys: [{ ...(await exportJWK(pair.publicKey)), kid: keyId, alg: 'ES256', use: 'sig' }] };
    return undefined;
  };
  const issuer: TestIssuer = {
    fetched,
    answer: undefined,
    fetch: async (url) => {
      fetched.push(url);
      if (issuer.answer !== undefined) return issuer.answer();
      const document = await documents(url);
      return document === undefined ? new Response('', { status: 404 }) : Response.json(document);
    },
    sign: (claims, { alg = 'ES256', kid = keyId } = {}) => {
      const seconds = Math.floor(now() / 1_000);
      const payload = { iss: ISSUER_URL, aud: CLIENT_ID, iat: seconds, exp: seconds + 3_600, ...claims };
      return new SignJWT(payload).setProtectedHeader({ alg, kid }).sign(pair.privateKey);
    },
    rotate: async () => {
      keyId = `key-${Number(keyId.slice(4)) + 1}`;
      pair = await generateKeyPair('ES256', { extractable: true });
    },
  };
  return issuer;
}
