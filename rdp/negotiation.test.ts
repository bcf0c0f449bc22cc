import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildConnectionRequest, MAX_CONFIRM_BYTES, parseConnectionConfirm } from './negotiation.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

describe('buildConnectionRequest', () => {
  it('renders TPKT, X.224 and the negotiation request without a cookie', () => {
    expect(buildConnectionRequest({ protocols: ['TLS', 'NLA'] })).toEqual(
      hex('03 00 00 13  0e e0 00 00 00 00 00  01 00 08 00 03 00 00 00'),
    );
  });

  it('puts the cookie between the X.224 header and the negotiation request', () => {
    const bytes = buildConnectionRequest({ cookie: 'anna', protocols: [] });
    expect(Buffer.from(bytes.subarray(11, -8)).toString('latin1')).toBe('Cookie: mstshash=anna\r\n');
    expect(bytes.subarray(-8)).toEqual(hex('01 00 08 00 00 00 00 00'));
    expect([bytes[3], bytes[4]]).toEqual([bytes.length, bytes.length - 5]);
  });

  it.each([
    ['line break', 'a\r\nCookie: x', 'cookie: only letters, digits and . _ - @ \\ are allowed'],
    ['empty', '', 'cookie: only letters, digits and . _ - @ \\ are allowed'],
    ['too long', 'a'.repeat(129), 'cookie: 129 characters, at most 128 are allowed'],
  ])('refuses a cookie: %s', (_, cookie, message) => {
    expect(() => buildConnectionRequest({ cookie, protocols: [] })).toThrow(new RangeError(message));
  });

  it('accepts the longest cookie within X.224 bounds', () => {
    const bytes = buildConnectionRequest({ cookie: 'a'.repeat(128), protocols: ['NLA'] });
    expect(bytes[4]).toBeLessThanOrEqual(254);
  });
});

describe('parseConnectionConfirm', () => {
  it.each([
    ['TLS', '03 00 00 13  0e d0 00 00 12 34 00  02 00 08 00 01 00 00 00', 'TLS', []],
    ['RDP chosen in a response', '03 00 00 13  0e d0 00 00 12 34 00  02 00 08 00 00 00 00 00', 'RDP', []],
    [
      'NLA with flags',
      '03 00 00 13  0e d0 00 00 12 34 00  02 1f 08 00 02 00 00 00',
      'NLA',
      [
        'EXTENDED_CLIENT_DATA_SUPPORTED',
        'DYNVC_GFX_PROTOCOL_SUPPORTED',
        'RESERVED',
        'RESTRICTED_ADMIN_MODE_SUPPORTED',
        'REDIRECTED_AUTHENTICATION_MODE_SUPPORTED',
      ],
    ],
  ])('reads a confirm: %s', (_, text, selectedProtocol, flags) => {
    expect(parseConnectionConfirm(hex(text))).toEqual({
      kind: 'confirm',
      selectedProtocol,
      flags,
      negotiated: true,
      lengthBytes: 19,
    });
  });

  it('takes a server without a negotiation structure as standard RDP security', () => {
    expect(parseConnectionConfirm(hex('03 00 00 0b  06 d0 00 00 12 34 00'))).toEqual({
      kind: 'confirm',
      selectedProtocol: 'RDP',
      flags: [],
      negotiated: false,
      lengthBytes: 11,
    });
  });

  it.each([
    [1, 'the server requires TLS'],
    [2, 'the server allows only standard RDP security'],
    [3, 'the server has no certificate for TLS'],
    [4, 'the server found the requested protocols inconsistent'],
    [5, 'the server requires NLA'],
    [6, 'the server requires TLS with client authentication'],
    [77, 'the server refused with the unknown code 77'],
  ])('reads failure code %i', (code, text) => {
    const bytes = hex('03 00 00 13  0e d0 00 00 12 34 00  03 00 08 00 00 00 00 00');
    bytes[15] = code;
    expect(parseConnectionConfirm(bytes)).toEqual({ kind: 'failure', code, text, lengthBytes: 19 });
  });

  it.each([
    ['', 11],
    ['03', 10],
    ['03 00 00', 8],
    ['03 00 00 13', 15],
    ['03 00 00 13 0e', 14],
    ['03 00 00 13 0e d0 00 00 12 34 00', 8],
  ])('asks for more after "%s"', (text, need) => {
    expect(parseConnectionConfirm(hex(text))).toEqual({ kind: 'incomplete', need });
  });

  it.each([
    ['another protocol', '48 54 54 50', 'byte 0 is 72, not TPKT version 3'],
    ['length too short', '03 00 00 0a', 'TPKT length 10 is too short for a confirm'],
    ['length too long', '03 00 ff ff', 'TPKT length 65535 is over the 259 bytes of the longest confirm'],
    ['header length', '03 00 00 13 06 d0', 'X.224 header length 6 does not fill the TPKT length 19'],
    ['a disconnect', '03 00 00 0b 06 80', 'X.224 code 0x80 is no confirm'],
    ['half a structure', '03 00 00 0d 08 d0', '2 bytes follow the X.224 header where a negotiation structure has 8'],
    [
      'negotiation length',
      '03 00 00 13  0e d0 00 00 00 00 00  02 00 09 00 01 00 00 00',
      'negotiation length is 9, not 8',
    ],
    [
      'negotiation type',
      '03 00 00 13  0e d0 00 00 00 00 00  01 00 08 00 01 00 00 00',
      'negotiation type is 1, neither a response nor a failure',
    ],
    [
      'two protocols at once',
      '03 00 00 13  0e d0 00 00 00 00 00  02 00 08 00 03 00 00 00',
      'selected protocol 0x3 is not one protocol',
    ],
  ])('refuses %s', (_, text, reason) => {
    expect(parseConnectionConfirm(hex(text))).toEqual({ kind: 'invalid', reason });
  });

  it('never throws, and never asks for more than a confirm can hold', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const result = parseConnectionConfirm(bytes);
        if (result.kind === 'incomplete') {
          expect(result.need).toBeGreaterThan(0);
          expect(result.need + bytes.length).toBeLessThanOrEqual(MAX_CONFIRM_BYTES);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives the same verdict whatever memory the bytes are a view of', () => {
    const bytes = hex('03 00 00 13  0e d0 00 00 12 34 00  02 00 08 00 02 00 00 00');
    const inside = new Uint8Array(100).fill(0xaa);
    inside.set(bytes, 17);
    expect(parseConnectionConfirm(inside.subarray(17, 36))).toEqual(parseConnectionConfirm(bytes));
  });
});
