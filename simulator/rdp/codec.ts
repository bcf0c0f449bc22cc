/**
 * The first exchange of an RDP connection as the server sees it. Written from MS-RDPBCGR 2.2.1.1 and 2.2.1.2 on its own, and sharing no
 * line with the product's client side: the two check each other.
 */

/** `requestedProtocols` of RDP_NEG_REQ is a mask of these; `selectedProtocol` of RDP_NEG_RSP is one of them. */
const PROTOCOL = { RDP: 0, TLS: 1, NLA: 2 } as const;
export type Protocol = keyof typeof PROTOCOL;

/** `failureCode` of RDP_NEG_FAILURE. */
export const FAILURE = {
  TLS_REQUIRED: 1,
  TLS_NOT_ALLOWED: 2,
  NO_CERTIFICATE: 3,
  INCONSISTENT_FLAGS: 4,
  NLA_REQUIRED: 5,
} as const;
export type Failure = keyof typeof FAILURE;

export type ConnectionRequest = {
  /** The line before the negotiation request: a cookie or a routing token, without its CRLF. */
  readonly token?: string;
  /** Absent when the client sent no negotiation request: it can speak standard RDP security only. */
  readonly requestedProtocols?: number;
  readonly lengthBytes: number;
};

export type RequestResult =
  | { readonly kind: 'request'; readonly request: ConnectionRequest }
  | { readonly kind: 'more' }
  | { readonly kind: 'invalid'; readonly reason: string };

/** An X.224 header is at most 254 bytes after its length; nothing longer is a connection request. */
export const MAX_REQUEST_BYTES = 259;

/** Never throws; decides on at most {@link MAX_REQUEST_BYTES}. */
export function decodeConnectionRequest(bytes: Buffer): RequestResult {
  if (bytes.length >= 1 && bytes.readUInt8(0) !== 0x03) return invalid('no TPKT header');
  if (bytes.length < 4) return { kind: 'more' };
  const total = bytes.readUInt16BE(2);
  if (total < 11 || total > MAX_REQUEST_BYTES) return invalid(`TPKT length ${total}`);
  if (bytes.length < total) return { kind: 'more' };
  const pdu = bytes.subarray(4, total);
  if (pdu.readUInt8(0) !== pdu.length - 1) return invalid('X.224 length does not match the TPKT length');
  if (pdu.readUInt8(1) >> 4 !== 0xe) return invalid('not a connection request');
  return decodeVariablePart(pdu.subarray(7), total);
}

export function encodeConfirm(selected: Protocol): Buffer {
  const negotiation = Buffer.alloc(8);
  negotiation.writeUInt8(0x02, 0);
  negotiation.writeUInt16LE(8, 2);
  negotiation.writeUInt32LE(PROTOCOL[selected], 4);
  return encodeConfirmWith(negotiation);
}

/** The answer to a client that sent no negotiation request. */
export function encodePlainConfirm(): Buffer {
  return encodeConfirmWith(Buffer.alloc(0));
}

export function encodeFailure(failure: Failure): Buffer {
  const negotiation = Buffer.alloc(8);
  negotiation.writeUInt8(0x03, 0);
  negotiation.writeUInt16LE(8, 2);
  negotiation.writeUInt32LE(FAILURE[failure], 4);
  return encodeConfirmWith(negotiation);
}

/** What a server that offers `offered` answers: NLA before TLS before standard security, as Windows prefers them. */
export function selectProtocol(offered: readonly Protocol[], requested: number): Protocol | Failure {
  if (offered.includes('NLA') && (requested & PROTOCOL.NLA) !== 0) return 'NLA';
  if (offered.includes('TLS') && (requested & PROTOCOL.TLS) !== 0) return 'TLS';
  if (offered.includes('RDP')) return requested === 0 ? 'RDP' : 'TLS_NOT_ALLOWED';
  return offered.includes('TLS') ? 'TLS_REQUIRED' : 'NLA_REQUIRED';
}

function decodeVariablePart(variable: Buffer, lengthBytes: number): RequestResult {
  const lineEnd = variable.indexOf('\r\n', 0, 'latin1');
  const hasToken = lineEnd >= 0 && /^(Cookie: |tsv:)/.test(variable.toString('latin1', 0, lineEnd));
  const rest = hasToken ? variable.subarray(lineEnd + 2) : variable;
  const token = hasToken ? { token: variable.toString('latin1', 0, lineEnd) } : {};
  if (rest.length === 0) return { kind: 'request', request: { ...token, lengthBytes } };
  const known = rest.length >= 8 && rest.readUInt8(0) === 0x01 && rest.readUInt16LE(2) === 8;
  if (!known) return invalid('no negotiation request where one was expected');
  const hasCorrelation = (rest.readUInt8(1) & 0x08) !== 0;
  if (rest.length !== (hasCorrelation ? 8 + 36 : 8)) return invalid('bytes after the negotiation request');
  return { kind: 'request', request: { ...token, requestedProtocols: rest.readUInt32LE(4), lengthBytes } };
}

function encodeConfirmWith(negotiation: Buffer): Buffer {
  const total = 11 + negotiation.length;
  const head = Buffer.from([0x03, 0x00, total >> 8, total & 0xff, total - 5, 0xd0, 0x00, 0x00, 0x12, 0x34, 0x00]);
  return Buffer.concat([head, negotiation]);
}

function invalid(reason: string): RequestResult {
  return { kind: 'invalid', reason };
}
