import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

export type ServerCertificate = { readonly key: string; readonly cert: string };

/**
 * A self-signed ECDSA P-256 certificate (RFC 5280), as an RDP server makes one for itself. `validFromMs` is the epoch time from which it is valid
 * for ten years. With `alternatives`, IPv4 addresses and DNS names, it is one that clients can check a server by: X.509 v3, and its own authority.
 * Node has no call that makes certificates, so the DER is written here.
 */
export function createSelfSignedCertificate(
  commonName: string,
  validFromMs: number,
  alternatives: readonly string[] = [],
): ServerCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const isV3 = alternatives.length > 0;
  const tbs = sequence(
    ...(isV3 ? [VERSION_3] : []),
    integer(randomBytes(8)),
    ECDSA_WITH_SHA256,
    name(commonName),
    sequence(utcTime(validFromMs), utcTime(validFromMs + TEN_YEARS_MS)),
    name(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(isV3 ? [der(0xa3, sequence(alternativeNames(alternatives)))] : []),
  );
  const certificate = sequence(tbs, ECDSA_WITH_SHA256, bitString(sign('sha256', tbs, privateKey)));
  return { key: exportKey(privateKey), cert: pem('CERTIFICATE', certificate) };
}

const TEN_YEARS_MS = 10 * 365 * 86_400_000;

/** AlgorithmIdentifier with OID 1.2.840.10045.4.3.2. */
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex');

const VERSION_3 = Buffer.from('a003020102', 'hex');

/** OID 2.5.29.17. */
const SUBJECT_ALTERNATIVE_NAME = Buffer.from('0603551d11', 'hex');

function alternativeNames(names: readonly string[]): Buffer {
  const list = sequence(
    ...names.map((one) =>
      isIPv4(one) ? der(0x87, Buffer.from(one.split('.').map(Number))) : der(0x82, Buffer.from(one, 'latin1')),
    ),
  );
  return sequence(SUBJECT_ALTERNATIVE_NAME, der(0x04, list));
}

/** OID 2.5.4.3. */
const COMMON_NAME = Buffer.from('0603550403', 'hex');

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, Math.trunc(length / 256), length % 256];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

/** Positive: the first bit is cleared and the second set, which also keeps the encoding minimal. */
function integer(bytes: Buffer): Buffer {
  const positive = Buffer.from(bytes);
  positive.writeUInt8((positive.readUInt8(0) & 0x7f) | 0x40, 0);
  return der(0x02, positive);
}

function name(commonName: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(commonName, 'utf8')))));
}

/** YYMMDDHHMMSSZ; RFC 5280 reads the years 50 to 99 as 19xx, so this serves until 2049. */
function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`, 'latin1'));
}

function bitString(content: Buffer): Buffer {
  return der(0x03, Buffer.concat([Buffer.from([0]), content]));
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
