import { describe, expect, it } from 'vitest';
import { HOSTILE_HOSTS, HOSTILE_URLS } from '../../model/testing/hostileurls.ts';
import { DestinationError, parseDestination, resolveDestination } from './destination.ts';

const STRICT = { allowedHosts: ['hooks.corp', '10.1.2.3:8443'], protocols: ['https'] } as const;

/** Of the list for repositories, what is a fair address of a webhook: a path that Git would not take, or a query. */
const FAIR = new Set([
  'https://git.example.com',
  'https://git.example.com/',
  'https://git.example.com/x/',
  'https://git.example.com/x?y=z',
  'https://git.example.com//x',
  'https://git.example.com/.git/config',
  'https://git.example.com/-x',
  'https://git.example.com/$(id)',
  'https://git.example.com/x;id',
  `https://git.example.com/${'x'.repeat(500)}`,
]);

const HOSTILE: readonly string[] = [
  ...HOSTILE_URLS.filter((url) => !FAIR.has(url)),
  ...HOSTILE_HOSTS.filter((host) => host !== '').map((host) => `https://${host}:8443/hook?x=1`),
  ...HOSTILE_HOSTS.map((host) => `https://hooks.example.com@${host}/hook`),
  'http://hooks.example.com/x',
  'https://hooks.corp:444/x',
  'https://hooks.corp@10.0.0.1/x',
  'https://hooks.corp.:443/x',
  'https://10.1.2.3/x',
  'https://10.1.2.3:8444/x',
  'https://hooks.example.com/x#https://hooks.corp/',
  'https://hooks.example.com:443/x',
  'https://hooks.example.com/a/../b',
  'https://hooks.example.com/\r\nwebhook-id: x',
  'https://hooks.example.com/%0d%0a\tx',
  'wss://hooks.example.com/x',
  'unix:/var/run/docker.sock',
  'http+unix://%2Fvar%2Frun%2Fdocker.sock/x',
  'blob:https://hooks.example.com/x',
  'https://[::ffff:a9fe:a9fe]:443/latest/meta-data',
  'https://169.254.169.254/latest/meta-data/iam',
  'https://metadata.google.internal/computeMetadata/v1/',
  'https://kubernetes.default.svc/api/v1/secrets',
  `https://hooks.example.com/${'x'.repeat(2_048)}`,
];

describe('the address of a webhook', () => {
  it('is tried on enough hostile URLs', () => {
    expect(new Set(HOSTILE).size).toBeGreaterThanOrEqual(500);
    expect([...FAIR].filter((url) => !HOSTILE_URLS.includes(url))).toEqual([]);
  });

  it.each(HOSTILE)('is not %j', (url) => {
    const parsed = parseDestination(url, STRICT);
    expect(parsed).toEqual({ type: 'refused', message: expect.stringMatching(/^(has|holds|is|names) /) });
  });

  it.each([
    ...FAIR,
    'https://hooks.example.com/sublet?token=abc%20def&x=[1]',
    'https://hooks.example.com:8443/x',
    'https://xn--bcher-kva.example/x',
    'https://203.0.113.7/x',
    'https://[2606:4700::1111]/x',
    'https://hooks.corp/x',
    'https://10.1.2.3:8443/x',
  ])('may be %s', (url) => {
    expect(parseDestination(url, STRICT)).toMatchObject({ type: 'destination' });
  });

  it('may be http for development only, and then too only where the provider says so', () => {
    const development = { allowedHosts: ['127.0.0.1:3000'], protocols: ['https', 'http'] } as const;
    expect(parseDestination('http://127.0.0.1:3000/x', development)).toMatchObject({
      type: 'destination',
      destination: { isTrusted: true },
    });
    expect(parseDestination('http://127.0.0.1:3001/x', development)).toMatchObject({ type: 'refused' });
    expect(parseDestination('http://127.0.0.1:3000/x', { ...development, protocols: ['https'] })).toEqual({
      type: 'refused',
      message: 'has to begin with https://',
    });
  });

  it('is refused in words that say what to do', () => {
    const message = (url: string) => {
      const parsed = parseDestination(url, STRICT);
      return parsed.type === 'refused' ? parsed.message : undefined;
    };
    expect(message('https://10.0.0.8:9443/x')).toBe(
      'names 10.0.0.8, which is a private address; use a host on the internet, or ask the provider to list 10.0.0.8:9443 in webhooks.allowedHosts',
    );
    expect(message('https://HOOKS.example.com:443/x')).toBe('has to be written as https://hooks.example.com/x');
    expect(message('https://a:b@hooks.example.com/x')).toMatch(/^holds credentials/);
  });
});

describe('the addresses behind a name', () => {
  const resolve = (outside: readonly string[], url = 'https://hooks.example.com/x') => {
    const parsed = parseDestination(url, STRICT);
    if (parsed.type === 'refused') throw new Error(parsed.message);
    return resolveDestination(parsed.destination, {
      outside: async () => outside,
      inside: async () => ['10.9.9.9'],
    });
  };

  it.each([
    ...['10.0.0.1', '127.0.0.1', '169.254.169.254', '100.64.0.1', '192.168.1.1', '172.16.0.1', '0.0.0.0', '224.0.0.1'],
    ...['255.255.255.255', '168.63.129.16', '198.18.0.1', '192.0.0.192', '::1', '::', 'fe80::1', 'fc00::1', 'ff02::1'],
    ...['::ffff:127.0.0.1', '::ffff:a00:1', '64:ff9b::7f00:1', '2002:7f00:1::', 'fe80::1%eth0', 'nonsense', ''],
  ])('may not have %s among them', async (address) => {
    await expect(resolve(['203.0.113.7', address])).rejects.toThrow(DestinationError);
    await expect(resolve([address])).rejects.toThrow('leads to an address that is not on the internet');
  });

  it('are those that are connected to', async () => {
    expect(await resolve(['203.0.113.7', '2606:4700::1111'])).toEqual(['203.0.113.7', '2606:4700::1111']);
    expect(await resolve([], 'https://203.0.113.9/x')).toEqual(['203.0.113.9']);
    expect(await resolve([], 'https://[2606:4700::1111]/x')).toEqual(['2606:4700::1111']);
  });

  it('are not asked for outside where the provider allows the host', async () => {
    expect(await resolve(['203.0.113.7'], 'https://hooks.corp/x')).toEqual(['10.9.9.9']);
  });

  it('have to be there', async () => {
    await expect(resolve([])).rejects.toThrow('does not resolve');
  });
});
