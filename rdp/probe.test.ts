import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildConnectionRequest } from './negotiation.ts';
import { createHandshake, type HandshakeVerdict } from './probe.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
const CONFIRM_TLS = hex('03 00 00 13  0e d0 00 00 12 34 00  02 00 08 00 01 00 00 00');
const FAILURE_NLA = hex('03 00 00 13  0e d0 00 00 12 34 00  03 00 08 00 05 00 00 00');

describe('createHandshake', () => {
  it('asks for TLS and NLA unless told otherwise', () => {
    expect(createHandshake().request).toEqual(buildConnectionRequest({ protocols: ['TLS', 'NLA'] }));
    expect(createHandshake({ cookie: 'x', protocols: ['RDP'] }).request).toEqual(
      buildConnectionRequest({ cookie: 'x', protocols: ['RDP'] }),
    );
  });

  it('is answered by a confirm of what was requested', () => {
    expect(createHandshake().push(CONFIRM_TLS)).toEqual({
      kind: 'answered',
      selectedProtocol: 'TLS',
      flags: [],
      negotiated: true,
    });
  });

  it('is answered by an old server with standard RDP security', () => {
    expect(createHandshake().push(hex('03 00 00 0b  06 d0 00 00 12 34 00'))).toMatchObject({
      kind: 'answered',
      selectedProtocol: 'RDP',
      negotiated: false,
    });
  });

  it('is refused by a failure, with its code', () => {
    expect(createHandshake({ protocols: ['TLS'] }).push(FAILURE_NLA)).toEqual({
      kind: 'refused',
      reason: 'Failure',
      code: 5,
      text: 'the server requires NLA',
    });
  });

  it('is refused by a server that selects what nobody requested', () => {
    expect(createHandshake({ protocols: ['NLA'] }).push(CONFIRM_TLS)).toEqual({
      kind: 'refused',
      reason: 'Invalid',
      text: 'the server selected TLS, never requested',
    });
  });

  it('is refused by garbage at the first byte that rules an answer out', () => {
    expect(createHandshake().push(hex('48'))).toMatchObject({ kind: 'refused', reason: 'Invalid' });
  });

  it('is refused by a connection that ends early', () => {
    const handshake = createHandshake();
    expect(handshake.push(CONFIRM_TLS.subarray(0, 5))).toEqual({ kind: 'more', need: 14 });
    expect(handshake.end()).toEqual({
      kind: 'refused',
      reason: 'Closed',
      text: 'the connection ended after 5 bytes, 14 short of an answer',
    });
  });

  it('keeps its first verdict', () => {
    const handshake = createHandshake();
    const verdict = handshake.push(CONFIRM_TLS);
    expect(handshake.push(hex('ff'))).toBe(verdict);
    expect(handshake.end()).toBe(verdict);
  });

  it('decides alike however arbitrary bytes are split', () => {
    const stream = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.constantFrom(CONFIRM_TLS, FAILURE_NLA),
      fc.uint8Array({ maxLength: 20 }).map((tail) => Uint8Array.from([...CONFIRM_TLS, ...tail])),
      fc.tuple(fc.nat(18), fc.nat(255)).map(([at, value]) => CONFIRM_TLS.with(at, value)),
    );
    fc.assert(
      fc.property(stream, fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 }), (bytes, cuts) => {
        expect(pushInPieces(bytes, cuts)).toEqual(pushInPieces(bytes, []));
      }),
      { numRuns: 2_000 },
    );
  });
});

function pushInPieces(bytes: Uint8Array, cuts: readonly number[]): HandshakeVerdict {
  const handshake = createHandshake();
  let at = 0;
  for (const cut of cuts) {
    handshake.push(bytes.subarray(at, at + cut));
    at += cut;
  }
  handshake.push(bytes.subarray(at));
  return handshake.end();
}
