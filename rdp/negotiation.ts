/**
 * The first exchange of an RDP connection as the client sees it: X.224 Connection Request and Confirm, with RDP's
 * negotiation structures inside. Source of every rule here: MS-RDPBCGR 2.2.1.1 (request), 2.2.1.2 (confirm),
 * and RFC 1006 section 6 for the TPKT header.
 */

/** `RDP` is standard RDP security: what a server without a negotiation structure speaks. */
export type SecurityProtocol = 'RDP' | 'TLS' | 'NLA' | 'RDSTLS' | 'NLA-EX' | 'AAD';

export type ServerFlag =
  | 'EXTENDED_CLIENT_DATA_SUPPORTED'
  | 'DYNVC_GFX_PROTOCOL_SUPPORTED'
  | 'RESERVED'
  | 'RESTRICTED_ADMIN_MODE_SUPPORTED'
  | 'REDIRECTED_AUTHENTICATION_MODE_SUPPORTED';

export type ConnectionRequest = {
  /** Routing identity, sent as `Cookie: mstshash=<cookie>`; 1 to {@link MAX_COOKIE_LENGTH} letters, digits, `.`, `_`, `-`, `@`, `\`. */
  readonly cookie?: string;
  /** What the client is ready to speak. `RDP` is always implied: it is the absence of every other bit. */
  readonly protocols: readonly SecurityProtocol[];
};

export type ConnectionConfirm =
  | {
      readonly kind: 'confirm';
      readonly selectedProtocol: SecurityProtocol;
      readonly flags: readonly ServerFlag[];
      /** False when the server sent no negotiation structure at all (before RDP 5.2), which means standard RDP security. */
      readonly negotiated: boolean;
      /** Bytes of the input that the confirm took. */
      readonly lengthBytes: number;
    }
  | { readonly kind: 'failure'; readonly code: number; readonly text: string; readonly lengthBytes: number }
  /** `need` is the least number of further bytes without which no verdict is possible. */
  | { readonly kind: 'incomplete'; readonly need: number }
  | { readonly kind: 'invalid'; readonly reason: string };

export const MAX_COOKIE_LENGTH = 128;

/**
 * The longest confirm that is accepted. X.224 bounds its header by 254 bytes, so an announced length above this is no
 * confirm, and nobody has to wait for (or store) more.
 */
export const MAX_CONFIRM_BYTES = 4 + 1 + 254;

/** The bytes a client sends first. Throws RangeError, naming the field, when the cookie could break out of its line. */
export function buildConnectionRequest(request: ConnectionRequest): Uint8Array {
  const cookie = request.cookie === undefined ? '' : `Cookie: mstshash=${checkCookie(request.cookie)}\r\n`;
  const totalBytes = TPKT_BYTES + X224_FIXED_BYTES + cookie.length + NEGOTIATION_BYTES;
  const bytes = new Uint8Array(totalBytes);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, TPKT_VERSION);
  view.setUint16(2, totalBytes);
  view.setUint8(4, totalBytes - TPKT_BYTES - 1);
  view.setUint8(5, X224_CONNECTION_REQUEST);
  for (let i = 0; i < cookie.length; i += 1) {
    view.setUint8(TPKT_BYTES + X224_FIXED_BYTES + i, cookie.charCodeAt(i));
  }
  const negotiationAt = totalBytes - NEGOTIATION_BYTES;
  view.setUint8(negotiationAt, TYPE_NEG_REQ);
  view.setUint16(negotiationAt + 2, NEGOTIATION_BYTES, true);
  view.setUint32(negotiationAt + 4, protocolMask(request.protocols), true);
  return bytes;
}

/**
 * Reads a server's answer from the start of `bytes`. Never throws, looks at no more than {@link MAX_CONFIRM_BYTES},
 * and says `invalid` at the first byte that rules a confirm out rather than waiting for the rest. Bytes after
 * the confirm are not looked at.
 */
export function parseConnectionConfirm(bytes: Uint8Array): ConnectionConfirm {
  const header = checkHeader(bytes);
  if (header.kind !== 'header') return header;
  const { totalBytes, headerLength } = header;
  if (bytes.length < totalBytes) return { kind: 'incomplete', need: totalBytes - bytes.length };
  if (headerLength === X224_FIXED_BYTES - 1) {
    return { kind: 'confirm', selectedProtocol: 'RDP', flags: [], negotiated: false, lengthBytes: totalBytes };
  }
  return parseNegotiation(new DataView(bytes.buffer, bytes.byteOffset, totalBytes), totalBytes);
}

const TPKT_VERSION = 3;
const TPKT_BYTES = 4;
const X224_FIXED_BYTES = 7;
const X224_CONNECTION_REQUEST = 0xe0;
const X224_CONNECTION_CONFIRM = 0xd0;
const NEGOTIATION_BYTES = 8;
const TYPE_NEG_REQ = 0x01;
const TYPE_NEG_RSP = 0x02;
const TYPE_NEG_FAILURE = 0x03;

const PROTOCOL_BITS = {
  RDP: 0x00,
  TLS: 0x01,
  NLA: 0x02,
  RDSTLS: 0x04,
  'NLA-EX': 0x08,
  AAD: 0x10,
} as const satisfies Record<SecurityProtocol, number>;

const PROTOCOL_BY_BITS: ReadonlyMap<number, SecurityProtocol> = new Map([
  [0x00, 'RDP'],
  [0x01, 'TLS'],
  [0x02, 'NLA'],
  [0x04, 'RDSTLS'],
  [0x08, 'NLA-EX'],
  [0x10, 'AAD'],
]);

const SERVER_FLAGS: readonly (readonly [number, ServerFlag])[] = [
  [0x01, 'EXTENDED_CLIENT_DATA_SUPPORTED'],
  [0x02, 'DYNVC_GFX_PROTOCOL_SUPPORTED'],
  [0x04, 'RESERVED'],
  [0x08, 'RESTRICTED_ADMIN_MODE_SUPPORTED'],
  [0x10, 'REDIRECTED_AUTHENTICATION_MODE_SUPPORTED'],
];

/** MS-RDPBCGR 2.2.1.2.2, in our words. */
const FAILURES: ReadonlyMap<number, string> = new Map([
  [1, 'the server requires TLS'],
  [2, 'the server allows only standard RDP security'],
  [3, 'the server has no certificate for TLS'],
  [4, 'the server found the requested protocols inconsistent'],
  [5, 'the server requires NLA'],
  [6, 'the server requires TLS with client authentication'],
]);

const COOKIE = /^[A-Za-z0-9._@\\-]+$/;

type Header =
  | { readonly kind: 'header'; readonly totalBytes: number; readonly headerLength: number }
  | { readonly kind: 'incomplete'; readonly need: number }
  | { readonly kind: 'invalid'; readonly reason: string };

function checkHeader(bytes: Uint8Array): Header {
  const [version, , lengthHigh, lengthLow, headerLength, code] = bytes;
  if (version === undefined) return { kind: 'incomplete', need: TPKT_BYTES + X224_FIXED_BYTES };
  if (version !== TPKT_VERSION) return invalid(`byte 0 is ${version}, not TPKT version ${TPKT_VERSION}`);
  if (lengthHigh === undefined || lengthLow === undefined) {
    return { kind: 'incomplete', need: TPKT_BYTES + X224_FIXED_BYTES - bytes.length };
  }
  const totalBytes = lengthHigh * 256 + lengthLow;
  if (totalBytes < TPKT_BYTES + X224_FIXED_BYTES)
    return invalid(`TPKT length ${totalBytes} is too short for a confirm`);
  if (totalBytes > MAX_CONFIRM_BYTES) {
    return invalid(`TPKT length ${totalBytes} is over the ${MAX_CONFIRM_BYTES} bytes of the longest confirm`);
  }
  if (headerLength === undefined || code === undefined) return { kind: 'incomplete', need: totalBytes - bytes.length };
  if (headerLength !== totalBytes - TPKT_BYTES - 1) {
    return invalid(`X.224 header length ${headerLength} does not fill the TPKT length ${totalBytes}`);
  }
  if ((code & 0xf0) !== X224_CONNECTION_CONFIRM) return invalid(`X.224 code 0x${code.toString(16)} is no confirm`);
  const negotiationBytes = totalBytes - TPKT_BYTES - X224_FIXED_BYTES;
  if (negotiationBytes !== 0 && negotiationBytes !== NEGOTIATION_BYTES) {
    return invalid(
      `${negotiationBytes} bytes follow the X.224 header where a negotiation structure has ${NEGOTIATION_BYTES}`,
    );
  }
  return { kind: 'header', totalBytes, headerLength };
}

function parseNegotiation(view: DataView, totalBytes: number): ConnectionConfirm {
  const at = totalBytes - NEGOTIATION_BYTES;
  const type = view.getUint8(at);
  const length = view.getUint16(at + 2, true);
  const value = view.getUint32(at + 4, true);
  if (length !== NEGOTIATION_BYTES) return invalid(`negotiation length is ${length}, not ${NEGOTIATION_BYTES}`);
  if (type === TYPE_NEG_FAILURE) {
    const text = FAILURES.get(value) ?? `the server refused with the unknown code ${value}`;
    return { kind: 'failure', code: value, text, lengthBytes: totalBytes };
  }
  if (type !== TYPE_NEG_RSP) return invalid(`negotiation type is ${type}, neither a response nor a failure`);
  const selectedProtocol = PROTOCOL_BY_BITS.get(value);
  if (selectedProtocol === undefined) return invalid(`selected protocol 0x${value.toString(16)} is not one protocol`);
  const mask = view.getUint8(at + 1);
  const flags = SERVER_FLAGS.filter(([bit]) => (mask & bit) !== 0).map(([, flag]) => flag);
  return { kind: 'confirm', selectedProtocol, flags, negotiated: true, lengthBytes: totalBytes };
}

function protocolMask(protocols: readonly SecurityProtocol[]): number {
  return protocols.reduce((mask, protocol) => mask | PROTOCOL_BITS[protocol], 0);
}

function checkCookie(cookie: string): string {
  if (cookie.length > MAX_COOKIE_LENGTH) {
    throw new RangeError(`cookie: ${cookie.length} characters, at most ${MAX_COOKIE_LENGTH} are allowed`);
  }
  if (!COOKIE.test(cookie)) throw new RangeError('cookie: only letters, digits and . _ - @ \\ are allowed');
  return cookie;
}

function invalid(reason: string): { readonly kind: 'invalid'; readonly reason: string } {
  return { kind: 'invalid', reason };
}
