import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeConnectionRequest,
  encodeConfirm,
  encodeFailure,
  encodePlainConfirm,
  MAX_REQUEST_BYTES,
  selectProtocol,
} from './codec.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const COOKIE = Buffer.from('Cookie: mstshash=anna\r\n', 'latin1').toString('hex');

describe('decodeConnectionRequest', () => {
  it.each([
    ['negotiation only', '03000013 0ee00000000000 0100080003000000', { requestedProtocols: 3, lengthBytes: 19 }],
    ['nothing (an old client)', '0300000b 06e00000000000', { lengthBytes: 11 }],
    [
      'cookie and negotiation',
      `0300002a 25e00000000000 ${COOKIE} 0100080001000000`,
      { token: 'Cookie: mstshash=anna', requestedProtocols: 1, lengthBytes: 42 },
    ],
    ['cookie only', `03000022 1de00000000000 ${COOKIE}`, { token: 'Cookie: mstshash=anna', lengthBytes: 34 }],
    [
      'correlation info',
      `03000037 32e00000000000 010808000b000000 ${'00'.repeat(36)}`,
      { requestedProtocols: 11, lengthBytes: 55 },
    ],
  ])('reads %s', (_, text, request) => {
    expect(decodeConnectionRequest(hex(text))).toEqual({ kind: 'request', request });
  });

  it.each([
    ['no TPKT header', '47455420'],
    ['TPKT length 65535', '0300ffff'],
    ['X.224 length does not match the TPKT length', '0300000b 07e00000000000'],
    ['not a connection request', '0300000b 06d00000000000'],
    ['no negotiation request where one was expected', '0300000d 08e00000000000 0102'],
    ['bytes after the negotiation request', '03000014 0fe00000000000 010008000300000000'],
  ])('refuses: %s', (reason, text) => {
    expect(decodeConnectionRequest(hex(text))).toEqual({ kind: 'invalid', reason });
  });

  it('never throws and never waits for more than a request can hold', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const result = decodeConnectionRequest(Buffer.from(bytes));
        if (result.kind === 'more') expect(bytes.length).toBeLessThan(MAX_REQUEST_BYTES);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('answers', () => {
  it('are the bytes of the specification', () => {
    expect(encodeConfirm('NLA').toString('hex')).toBe('030000130ed000001234000200080002000000');
    expect(encodePlainConfirm().toString('hex')).toBe('0300000b06d00000123400');
    expect(encodeFailure('NLA_REQUIRED').toString('hex')).toBe('030000130ed000001234000300080005000000');
  });

  it.each([
    [['NLA', 'TLS'], 3, 'NLA'],
    [['NLA', 'TLS'], 1, 'TLS'],
    [['NLA', 'TLS'], 0, 'TLS_REQUIRED'],
    [['TLS'], 2, 'TLS_REQUIRED'],
    [['NLA'], 1, 'NLA_REQUIRED'],
    [['RDP'], 0, 'RDP'],
    [['RDP'], 3, 'TLS_NOT_ALLOWED'],
  ] as const)('a server that offers %j answers a request for %i with %s', (offers, requested, answer) => {
    expect(selectProtocol(offers, requested)).toBe(answer);
  });
});
