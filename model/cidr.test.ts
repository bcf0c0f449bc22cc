import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isIpPrefix } from './cidr.ts';

describe('isIpPrefix', () => {
  it.each([
    '0.0.0.0/0',
    '10.0.0.0/8',
    '203.0.113.7/32',
    '255.255.255.254/31',
    '::/0',
    '::1/128',
    '2001:db8::/32',
    '2001:DB8:0:0::/64',
    '1:2:3:4:5:6:7:8/128',
    '1:2:3:4:5:6:7::/112',
    '64:ff9b::192.0.2.0/120',
    '::192.0.2.0/120',
  ])('takes %s', (text) => {
    expect(isIpPrefix(text)).toBe(true);
  });

  it.each([
    '',
    '/',
    '/8',
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/33',
    '10.0.0.0/8/8',
    '10.0.0.1/8',
    '10.0.0/8',
    '010.0.0.0/8',
    '10.0.0.256/32',
    '0x0a.0.0.0/8',
    ' 10.0.0.0/8',
    '10.0.0.0/8\n',
    '::1/127',
    '::/129',
    '2001:db8::1/32',
    '1:2:3:4:5:6:7/112',
    '1:2:3:4:5:6:7:8:9/128',
    '1::2::3/128',
    ':1::/32',
    '12345::/32',
    'fe80::%eth0/64',
    '::ffff:192.0.2.0/120',
    '::192.0.2.0:1/128',
    'localhost/8',
  ])('refuses %j', (text) => {
    expect(isIpPrefix(text)).toBe(false);
  });

  it('takes every address with its full length, and no shorter prefix that cuts a bit off', () => {
    const address = fc.oneof(
      fc.ipV4().map((text) => [text, 32] as const),
      fc
        .ipV6()
        .filter((text) => !/^(0*:)*(:|0*:)ffff:/i.test(text))
        .map((text) => [text, 128] as const),
    );
    fc.assert(
      fc.property(address, ([text, bits]) => isIpPrefix(`${text}/${bits}`) && !isIpPrefix(`${text}/${bits + 1}`)),
    );
    fc.assert(
      fc.property(
        fc.nat(254).map((n) => n + 1),
        fc.integer({ min: 1, max: 31 }),
        (low, length) => {
          const shift = 32 - length;
          return isIpPrefix(`10.0.0.${low}/${length}`) === (low % 2 ** Math.min(shift, 8) === 0 && length >= 7);
        },
      ),
    );
  });
});
