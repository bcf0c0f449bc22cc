import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderRdpFile } from './file.ts';

const file = { address: '198.51.100.7', port: 3389, username: 'anna', title: 'anna-desk (bob)' };

describe('renderRdpFile', () => {
  it('renders one property a line with CRLF', () => {
    const text = renderRdpFile(file);
    expect(text.endsWith('\r\n')).toBe(true);
    expect(text.split('\r\n').slice(0, 4)).toEqual([
      'title:s:anna-desk (bob)',
      'full address:s:198.51.100.7:3389',
      'username:s:anna',
      'prompt for credentials:i:1',
    ]);
    expect(text).not.toMatch(/password/i);
  });

  it('puts an IPv6 address in brackets', () => {
    expect(renderRdpFile({ ...file, address: '2001:db8::7' })).toContain('full address:s:[2001:db8::7]:3389\r\n');
  });

  it.each([
    [
      'username',
      { username: 'anna\r\ndrivestoredirect:s:*' },
      'username: line breaks and control characters are not allowed',
    ],
    ['username', { username: '' }, 'username: must not be empty'],
    ['username', { username: 'a'.repeat(257) }, 'username: 257 characters, at most 256 are allowed'],
    ['title', { title: 'a\u2028b' }, 'title: line breaks and control characters are not allowed'],
    ['address', { address: '198.51.100.7\n' }, 'address: not a host name or IP address'],
    ['address', { address: 'a'.repeat(254) }, 'address: 254 characters, at most 253 are allowed'],
    ['port', { port: 0 }, 'port: 0 is not a whole number from 1 to 65535'],
    ['port', { port: 33.5 }, 'port: 33.5 is not a whole number from 1 to 65535'],
  ])('refuses a bad %s', (_, change, message) => {
    expect(() => renderRdpFile({ ...file, ...change })).toThrow(new RangeError(message));
  });

  it('has the same lines whatever the values are, or refuses', () => {
    const lineCount = renderRdpFile(file).split(/\r\n|[\n\r\u2028\u2029\u0085\v\f]/).length;
    const value = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(value, value, (username, title) => {
        try {
          const text = renderRdpFile({ ...file, username, title });
          expect(text.split(/\r\n|[\n\r\u2028\u2029\u0085\v\f]/)).toHaveLength(lineCount);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
