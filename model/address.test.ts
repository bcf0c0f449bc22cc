import { describe, expect, it } from 'vitest';
import { explainHost, isPublicAddress } from './address.ts';
import { HOSTILE_HOSTS } from './testing/hostileurls.ts';

describe('explainHost', () => {
  it('has enough hostile hosts to try', () => {
    expect(new Set(HOSTILE_HOSTS).size).toBeGreaterThanOrEqual(150);
  });

  it.each(HOSTILE_HOSTS)('refuses %j as it is written', (host) => {
    expect(explainHost(host)).toMatch(/^(is|has|holds|ends|reads) /);
  });

  it.each(HOSTILE_HOSTS)('refuses %j as WHATWG URLs normalise it', (host) => {
    const url = URL.parse(`https://${host}/`);
    if (url !== null) expect(explainHost(url.hostname), url.hostname).toBeDefined();
  });

  it.each([
    ['github.com'],
    ['git.example.com'],
    ['a.b.c.d.e.example'],
    ['xn--bcher-kva.example'],
    ['GIT.Example.COM'],
    ['1password.com'],
    ['0x7f.example.com'],
    ['203.0.113.7'],
    ['8.8.8.8'],
    ['100.63.255.255'],
    ['172.32.0.1'],
    ['192.0.1.1'],
    ['[2606:4700::1111]'],
    ['[2a00:1450:4001::200e]'],
    ['[::ffff:8.8.8.8]'],
    ['local.example.com'],
    ['svc.cluster.local.example.com'],
    // What only the network can refuse: names that resolve to private addresses.
    ['127.0.0.1.nip.io'],
    ['localtest.me'],
  ])('takes %s', (host) => {
    expect(explainHost(host)).toBeUndefined();
  });

  it.each([
    ['10.1.2.3', 'is a private address'],
    ['169.254.169.254', 'is a link-local address'],
    ['0x7f.1', 'reads as an address but is none; an address is four numbers from 0 to 255 with dots between'],
    ['git.cluster.local', 'ends in local, which is not on the internet'],
    ['gitea', 'has no domain, so it could only be inside the cluster'],
    ['git.example.com.', 'ends in a dot; leave it out'],
    ['[fe80::1%25eth0]', 'is no address: in brackets stands an IPv6 address without a zone'],
  ])('says why of %s', (host, why) => {
    expect(explainHost(host)).toBe(why);
  });
});

describe('isPublicAddress', () => {
  it.each(['8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8'])('is so of %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    ...[
      '127.0.0.1',
      '10.0.0.1',
      '169.254.169.254',
      '0.0.0.0',
      '::1',
      '::',
      'fe80::1',
      'fe80::1%eth0',
      'fd00::1',
      '::ffff:10.0.0.1',
      '::ffff:7f00:1',
    ],
    ...['64:ff9b::a00:1', '2002:a00:1::', '2001::1', '', 'git.example.com', '8.8.8', '010.0.0.1', '8.8.8.8 '],
  ])('is not so of %j', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});
