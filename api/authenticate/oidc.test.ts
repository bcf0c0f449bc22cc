import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../../kube/testing/fakeclock.ts';
import { CLIENT_ID, createTestIssuer, ISSUER_URL, type TestIssuer } from '../testing/issuer.ts';
import { OidcIssuer, TokenError } from './claims.ts';
import { createTokenVerifier, IssuerUnavailableError, type TokenVerifier } from './oidc.ts';

let clock: FakeClock;
let issuer: TestIssuer;

const verifierOf = (settings: Partial<OidcIssuer> = {}): TokenVerifier =>
  createTokenVerifier({ clock, fetch: issuer.fetch }, [
    OidcIssuer.parse({ issuerUrl: ISSUER_URL, clientId: CLIENT_ID, signingAlgorithms: ['ES256'], ...settings }),
  ]);

beforeEach(async () => {
  clock = createFakeClock();
  issuer = await createTestIssuer(() => clock.now());
});

describe('who a token is', () => {
  it.each<[string, Partial<OidcIssuer>, Record<string, unknown>, { username: string; groups: string[] }]>([
    [
      'the issuer and # before the subject by default',
      {},
      { sub: 'anna' },
      { username: `${ISSUER_URL}#anna`, groups: [] },
    ],
    [
      'nothing before it when the prefix is -',
      { usernamePrefix: '-' },
      { sub: 'anna' },
      { username: 'anna', groups: [] },
    ],
    ['the prefix that is set', { usernamePrefix: 'oidc:' }, { sub: 'anna' }, { username: 'oidc:anna', groups: [] }],
    [
      'an email as it is',
      { usernameClaim: 'email' },
      { email: 'a@example.com' },
      { username: 'a@example.com', groups: [] },
    ],
    [
      'an email that is verified, with the prefix that is set',
      { usernameClaim: 'email', usernamePrefix: 'oidc:' },
      { email: 'a@example.com', email_verified: true },
      { username: 'oidc:a@example.com', groups: [] },
    ],
    [
      'groups of a list with their prefix',
      { usernamePrefix: '-', groupsClaim: 'groups', groupsPrefix: 'oidc:' },
      { sub: 'anna', groups: ['a', 'b'] },
      { username: 'anna', groups: ['oidc:a', 'oidc:b'] },
    ],
    [
      'one group that is a text',
      { usernamePrefix: '-', groupsClaim: 'role' },
      { sub: 'anna', role: 'a' },
      { username: 'anna', groups: ['a'] },
    ],
    [
      'no groups when no claim is named',
      { usernamePrefix: '-' },
      { sub: 'anna', groups: ['a'] },
      { username: 'anna', groups: [] },
    ],
    [
      'whoever has the claims that are required',
      { usernamePrefix: '-', requiredClaims: { tier: 'gold' } },
      { sub: 'anna', tier: 'gold' },
      { username: 'anna', groups: [] },
    ],
  ])('is %s', async (_, settings, claims, expected) => {
    expect(await verifierOf(settings).verify(await issuer.sign(claims))).toEqual(expected);
  });
});

describe('tokens that are not taken', () => {
  const seconds = (offset: number): number => Math.floor(clock.now() / 1_000) + offset;

  it.each<[string, () => Promise<string> | string, Partial<OidcIssuer>?]>([
    ['of another issuer', () => issuer.sign({ sub: 'anna', iss: 'https://evil.example.com' })],
    ['of an issuer that differs by a slash', () => issuer.sign({ sub: 'anna', iss: `${ISSUER_URL}/` })],
    ['for another audience', () => issuer.sign({ sub: 'anna', aud: 'other' })],
    ['for no audience', () => issuer.sign({ sub: 'anna', aud: undefined })],
    ['that are over', () => issuer.sign({ sub: 'anna', exp: seconds(-1) })],
    ['that are never over', () => issuer.sign({ sub: 'anna', exp: undefined })],
    ['that do not begin for two minutes', () => issuer.sign({ sub: 'anna', nbf: seconds(120) })],
    ['without the claim of the user', () => issuer.sign({})],
    ['whose user is no text', () => issuer.sign({ sub: 3 })],
    ['whose user is empty', () => issuer.sign({ sub: '' })],
    ['whose user is endless', () => issuer.sign({ sub: 'x'.repeat(600) })],
    [
      'whose email is not verified',
      () => issuer.sign({ email: 'a@example.com', email_verified: false }),
      { usernameClaim: 'email' },
    ],
    [
      'whose email is verified by a text',
      () => issuer.sign({ email: 'a@example.com', email_verified: 'true' }),
      { usernameClaim: 'email' },
    ],
    ['whose groups are a map', () => issuer.sign({ sub: 'anna', groups: { a: 1 } }), { groupsClaim: 'groups' }],
    ['without a claim that is required', () => issuer.sign({ sub: 'anna' }), { requiredClaims: { tier: 'gold' } }],
    [
      'with another claim than is required',
      () => issuer.sign({ sub: 'anna', tier: 'tin' }),
      { requiredClaims: { tier: 'gold' } },
    ],
    [
      'without a signature',
      () => new UnsecuredJWT({ sub: 'anna', iss: ISSUER_URL, aud: CLIENT_ID, exp: seconds(60) }).encode(),
    ],
    ['of an algorithm that is not allowed', () => issuer.sign({ sub: 'anna' }), { signingAlgorithms: ['RS256'] }],
    ['by a key that is not known', () => issuer.sign({ sub: 'anna' }, { kid: 'other' })],
    ['by a key in the place of a path', () => issuer.sign({ sub: 'anna' }, { kid: '../../etc/passwd' })],
    ['that are longer than any', () => `e30.${'A'.repeat(20_000)}.AA`],
    ['that are three words', () => 'a.b.c'],
    ['that are nothing', () => ''],
  ])('are those %s', async (_, make, settings = {}) => {
    await expect(verifierOf(settings).verify(await make())).rejects.toBeInstanceOf(TokenError);
  });

  it('are those signed with the public key as a shared secret', async () => {
    const served = (await (
      await issuer.fetch(`${ISSUER_URL}/keys`, { signal: AbortSignal.timeout(1_000), redirect: 'manual' })
    ).json()) as { keys: { x: string }[] };
    const secret = new TextEncoder().encode(JSON.stringify(served.keys[0]));
    const token = await new SignJWT({ sub: 'anna', iss: ISSUER_URL, aud: CLIENT_ID, exp: seconds(60) })
      .setProtectedHeader({ alg: 'HS256', kid: 'key-1' })
      .sign(secret);
    await expect(verifierOf().verify(token)).rejects.toBeInstanceOf(TokenError);
  });

  it('are those signed by a key of the token itself', async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const token = await new SignJWT({ sub: 'anna', iss: ISSUER_URL, aud: CLIENT_ID, exp: seconds(60) })
      .setProtectedHeader({
        alg: 'ES256',
        kid: 'key-1',
        jwk: await exportJWK(pair.publicKey),
        jku: 'https://evil.example.com/keys',
      })
      .sign(pair.privateKey);
    await expect(verifierOf().verify(token)).rejects.toBeInstanceOf(TokenError);
    expect(issuer.fetched.some((url) => url.includes('evil'))).toBe(false);
  });

  it('are those whose payload was changed', async () => {
    const [head = '', , signature = ''] = (await issuer.sign({ sub: 'anna' })).split('.');
    const payload = Buffer.from(
      JSON.stringify({ sub: 'root', iss: ISSUER_URL, aud: CLIENT_ID, exp: seconds(60) }),
    ).toString('base64url');
    await expect(verifierOf().verify(`${head}.${payload}.${signature}`)).rejects.toThrow('signature');
  });
});

describe('time', () => {
  it('takes a token whose begin is up to a minute ahead, and none past its end', async () => {
    const verifier = verifierOf();
    const start = Math.floor(clock.now() / 1_000);
    const token = await issuer.sign({ sub: 'anna', nbf: start + 59, exp: start + 100 });
    await verifier.verify(token);
    await clock.advance(99_000);
    await verifier.verify(token);
    await clock.advance(1_000);
    await expect(verifier.verify(token)).rejects.toThrow('expired');
  });
});

describe('keys of an issuer', () => {
  it('are fetched once for many tokens, and again for a key that is new', async () => {
    const verifier = verifierOf();
    const tokens = await Promise.all(['a', 'b', 'c'].map((sub) => issuer.sign({ sub })));
    await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(issuer.fetched).toEqual([`${ISSUER_URL}/.well-known/openid-configuration`, `${ISSUER_URL}/keys`]);
  });

  it('fail as unavailable, and are asked for again', async () => {
    const verifier = verifierOf();
    const token = await issuer.sign({ sub: 'anna' });
    for (const answer of [
      () => new Response('', { status: 503 }),
      () => new Response('not json'),
      () => Response.json({ issuer: 'https://other.example.com', jwks_uri: 'https://other.example.com/keys' }),
      () => Response.json({ issuer: ISSUER_URL, jwks_uri: 'http://169.254.169.254/keys' }),
      () => new Response('', { status: 302, headers: { location: 'http://127.0.0.1/' } }),
    ]) {
      issuer.answer = answer;
      await expect(verifier.verify(token)).rejects.toBeInstanceOf(IssuerUnavailableError);
    }
    issuer.answer = undefined;
    await verifier.verify(token);
  });
});

describe('settings of an issuer', () => {
  it.each([
    'http://id.example.com',
    'https://id.example.com?x=1',
    'https://id.example.com#x',
    'file:///etc/passwd',
    'nonsense',
    '',
  ])('refuse %j', (issuerUrl) => {
    expect(OidcIssuer.safeParse({ issuerUrl, clientId: 'x' }).success).toBe(false);
  });

  it('take plain http on loopback, for trying things', () => {
    expect(OidcIssuer.safeParse({ issuerUrl: 'http://127.0.0.1:8080/realms/x', clientId: 'x' }).success).toBe(true);
    expect(OidcIssuer.safeParse({ issuerUrl: 'https://x', clientId: 'x', signingAlgorithms: ['none'] }).success).toBe(
      false,
    );
    expect(OidcIssuer.safeParse({ issuerUrl: 'https://x', clientId: 'x', signingAlgorithms: ['HS256'] }).success).toBe(
      false,
    );
  });
});
