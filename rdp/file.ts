export type RdpFile = {
  /** Host name, IPv4 or IPv6 address. */
  readonly address: string;
  readonly port: number;
  readonly username: string;
  /** For people who open the file; clients ignore properties that they do not know. */
  readonly title: string;
};

/**
 * The text of an .rdp file: one `name:type:value` a line, CRLF, no password ever. Clients read line by line, so a
 * value with a line break or another control character could add properties (a drive to share, a program to start):
 * such a value is refused with a RangeError that names the field.
 */
export function renderRdpFile(file: RdpFile): string {
  if (!Number.isInteger(file.port) || file.port < 1 || file.port > 65_535) {
    throw new RangeError(`port: ${file.port} is not a whole number from 1 to 65535`);
  }
  const lines = [
    `title:s:${checkText('title', file.title, 200)}`,
    `full address:s:${renderAddress(file.address)}:${file.port}`,
    `username:s:${checkText('username', file.username, 256)}`,
    'prompt for credentials:i:1',
    'authentication level:i:2',
    'enablecredsspsupport:i:1',
    'negotiate security layer:i:1',
    'screen mode id:i:2',
    'dynamic resolution:i:1',
    'redirectclipboard:i:1',
    'redirectdrives:i:0',
    'redirectprinters:i:0',
    'autoreconnection enabled:i:1',
  ];
  return `${lines.join('\r\n')}\r\n`;
}

const HOST = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;
const IPV6 = /^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$/;
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;

function renderAddress(address: string): string {
  if (address.length > 253) throw new RangeError(`address: ${address.length} characters, at most 253 are allowed`);
  if (HOST.test(address)) return address;
  if (IPV6.test(address)) return `[${address}]`;
  throw new RangeError('address: not a host name or IP address');
}

function checkText(field: string, value: string, maxLength: number): string {
  if (value === '') throw new RangeError(`${field}: must not be empty`);
  if (value.length > maxLength) {
    throw new RangeError(`${field}: ${value.length} characters, at most ${maxLength} are allowed`);
  }
  if (UNSAFE.test(value)) throw new RangeError(`${field}: line breaks and control characters are not allowed`);
  return value;
}
