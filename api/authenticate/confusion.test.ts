import { CompactEncrypt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFakeClock, type FakeClock } from '../../kube/testing/fakeclock.ts';
import { CLIENT_ID, createTestIssuer, ISSUER_URL, type TestIssuer } from '../testing/issuer.ts';
import { OidcIssuer, TokenError } from './claims.ts';
import { createTokenVerifier, type TokenVerifier } from './oidc.ts';

const OTHER_URL = 'https://other.example.com';

let clock: FakeClock;
let issuer: TestIssuer;
/** Its keys are those of another issuer, which is trusted, too. */
let other: TestIssuer;
let verifier: TokenVerifier;

beforeEach(async () => {
  clock = createFakeClock();
  // The library that fetches keys looks at no other clock.
  vi.useFakeTimers({ toFake: ['Date'], now: clock.now() });
  issuer = await createTestIssuer(() => clock.now());
  other = await createTestIssuer(() => clock.now());
  const settings = { clientId: CLIENT_ID, signingAlgorithms: ['ES256'], usernamePrefix: 'oidc:' };
  verifier = createTokenVerifier(
    {
      clock,
      fetch: async (url, options) => {
        if (!url.startsWith(OTHER_URL)) return issuer.fetch(url, options);
        const answer = await other.fetch(url.replace(OTHER_URL, ISSUER_URL), options);
        return new Response((await answer.text()).replaceAll(ISSUER_URL, OTHER_URL), { status: answer.status });
      },
    },
    [
      OidcIssuer.parse({ ...settings, issuerUrl: ISSUER_URL }),
      OidcIssuer.parse({ ...settings, issuerUrl: OTHER_URL, clientId: 'other', usernamePrefix: 'other:' }),
    ],
  );
});

afterEach(() => void vi.useRealTimers());

const seconds = (offset: number) => Math.floor(clock.now() / 1_000) + offset;
const parts = (token: string) => token.split('.') as [string, string, string];
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a token of two trusted issuers', () => {
  it('is of whoever signed it', async () => {
    expect(await verifier.verify(await issuer.sign({ sub: 'anna' }))).toMatchObject({ username: 'oidc:anna' });
    const theirs = await other.sign({ sub: 'anna', iss: OTHER_URL, aud: 'other' });
    expect(await verifier.verify(theirs)).toMatchObject({ username: 'other:anna' });
  });

  it.each<[string, () => Promise<string>]>([
    ['in the name of the one by a key of the other', () => other.sign({ sub: 'anna' })],
    ['in the name of the other by a key of the one', () => issuer.sign({ sub: 'anna', iss: OTHER_URL, aud: 'other' })],
    ['for the audience of the other', () => issuer.sign({ sub: 'anna', aud: 'other' })],
    ['in the name of both', () => issuer.sign({ sub: 'anna', iss: [ISSUER_URL, OTHER_URL] })],
  ])('is not taken %s', async (_, make) => {
    await expect(verifier.verify(await make())).rejects.toBeInstanceOf(TokenError);
  });
});

describe('a token whose form is bent', () => {
  it.each<[string, () => Promise<string> | string]>([
    ['without a signature', async () => `${(await issuer.sign({ sub: 'anna' })).split('.').slice(0, 2).join('.')}.`],
    [
      'with a signature of zeros',
      async () =>
        [...parts(await issuer.sign({ sub: 'anna' })).slice(0, 2), Buffer.alloc(64).toString('base64url')].join('.'),
    ],
    [
      'with a header in other letters',
      async () => {
        const [, payload, signature] = parts(await issuer.sign({ sub: 'anna' }));
        return [encode({ alg: 'es256', kid: 'key-1' }), payload, signature].join('.');
      },
    ],
    ...['none', 'None', 'NONE', 'nOnE', ''].map(
      (alg) =>
        [
          `of the algorithm ${JSON.stringify(alg)}`,
          () =>
            `${encode({ alg, kid: 'key-1' })}.${encode({ sub: 'anna', iss: ISSUER_URL, aud: CLIENT_ID, exp: seconds(60) })}.`,
        ] as [string, () => string],
    ),
    ['of two tokens', async () => `${await issuer.sign({ sub: 'anna' })}.${await issuer.sign({ sub: 'eve' })}`],
    [
      'of one token in JSON',
      async () => {
        const [head, payload, signature] = parts(await issuer.sign({ sub: 'anna' }));
        return JSON.stringify({ protected: head, payload, signature });
      },
    ],
    [
      'whose header has to be understood',
      async () => {
        const pair = await generateKeyPair('ES256');
        return new SignJWT({ sub: 'anna', iss: ISSUER_URL, aud: CLIENT_ID, exp: seconds(60) })
          .setProtectedHeader({ alg: 'ES256', kid: 'key-1', crit: ['exp'], exp: seconds(60) })
          .sign(pair.privateKey, { crit: { exp: true } });
      },
    ],
    [
      'that is sealed',
      async () => {
        const { publicKey } = await generateKeyPair('ECDH-ES');
        const inner = new TextEncoder().encode(await issuer.sign({ sub: 'anna' }));
        return new CompactEncrypt(inner)
          .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', iss: ISSUER_URL })
          .encrypt(publicKey);
      },
    ],
    ['whose end is a text', () => issuer.sign({ sub: 'anna', exp: '9999999999' })],
    ['whose end is no time', () => issuer.sign({ sub: 'anna', exp: {} })],
    ['whose user is a list', () => issuer.sign({ sub: ['anna'] })],
    ['whose user is inherited', () => issuer.sign(JSON.parse('{"__proto__":{"sub":"anna"}}'))],
    ['whose audience is a longer one', () => issuer.sign({ sub: 'anna', aud: `${CLIENT_ID}x` })],
    ['whose audiences are all others', () => issuer.sign({ sub: 'anna', aud: ['a', 'b'] })],
    ['whose issuer differs in letter case', () => issuer.sign({ sub: 'anna', iss: ISSUER_URL.toUpperCase() })],
  ])('is not taken: %s', async (_, make) => {
    await expect(verifier.verify(await make())).rejects.toBeInstanceOf(TokenError);
  });

  it('is not taken by the key that it brings, and nothing that it names is asked', async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(pair.publicKey);
    for (const header of [
      { jwk },
      { jku: `${OTHER_URL}/evil` },
      { x5u: 'http://169.254.169.254/' },
      { x5c: ['MAA='] },
    ]) {
      for (const kid of ['key-1', 'http://127.0.0.1/', '../keys', "' OR 1=1 --", '__proto__']) {
        const token = await new SignJWT({ sub: 'anna', iss: ISSUER_URL, aud: CLIENT_ID, exp: seconds(60) })
          .setProtectedHeader({ alg: 'ES256', kid, ...header })
          .sign(pair.privateKey);
        await expect(verifier.verify(token)).rejects.toBeInstanceOf(TokenError);
      }
    }
    // Strange key ids are no reason to ask again within ten seconds.
    expect(issuer.fetched).toEqual([`${ISSUER_URL}/.well-known/openid-configuration`, `${ISSUER_URL}/keys`]);
    expect(other.fetched).toEqual([]);
  });
});
