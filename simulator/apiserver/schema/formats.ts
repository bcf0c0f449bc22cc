import { parseCidr, parseIp } from './ip.ts';
import { parseDate, parseWordyDuration } from './time.ts';

/** Whether the API server checks this format of a text; it ignores others. Hyphens in names do not count. */
export function isKnownFormat(format: string): boolean {
  return FORMATS.has(normalize(format));
}

/** The check of a format that {@link isKnownFormat}. */
export function findFormat(format: string): ((text: string) => boolean) | undefined {
  return FORMATS.get(normalize(format));
}

function normalize(format: string): string {
  return format.replaceAll('-', '');
}

const HEX = '[0-9a-fA-F]';
const SHORT_NAME = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';

const FORMATS: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['bsonobjectid', matches(new RegExp(`^${HEX}{24}$`))],
  ['uri', isRequestUri],
  ['email', isEmail],
  ['hostname', isHostname],
  ['ipv4', (text) => text.includes('.') && parseIp(text, { isSloppy: true }) !== undefined],
  ['ipv6', (text) => text.includes(':') && parseIp(text) !== undefined],
  ['cidr', (text) => parseCidr(text, { isSloppy: true }) !== undefined],
  ['mac', isMac],
  ['uuid', uuid('[0-9a-f]', '[0-9a-f]')],
  ['uuid3', uuid('3', '[0-9a-f]')],
  ['uuid4', uuid('4', '[89ab]')],
  ['uuid5', uuid('5', '[89ab]')],
  ['isbn', (text) => isIsbn10(text) || isIsbn13(text)],
  ['isbn10', isIsbn10],
  ['isbn13', isIsbn13],
  ['creditcard', isCreditCard],
  ['ssn', (text) => text.length === 11 && /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text)],
  ['hexcolor', matches(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/)],
  ['rgbcolor', matches(buildRgbPattern())],
  ['byte', matches(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/)],
  ['password', () => true],
  ['date', (text) => parseDate(text) !== undefined],
  ['duration', (text) => parseWordyDuration(text) !== undefined],
  ['datetime', isDateTime],
  ['k8sshortname', matches(new RegExp(`^(?=.{0,63}$)${SHORT_NAME}$`))],
  ['k8slongname', matches(new RegExp(`^(?=.{0,253}$)${SHORT_NAME}(?:\\.${SHORT_NAME})*$`))],
]);

function matches(pattern: RegExp): (text: string) => boolean {
  return (text) => pattern.test(text);
}

function uuid(version: string, variant: string): (text: string) => boolean {
  const head = '^[0-9a-f]{8}-?[0-9a-f]{4}-?';
  return matches(new RegExp(`${head}${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}$`, 'i'));
}

function buildRgbPattern(): RegExp {
  const value = '(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])';
  return new RegExp(`^rgb\\(\\s*${[value, value, value].join('\\s*,\\s*')}\\s*\\)$`);
}

/** As the API server's: lower case is allowed, seconds up to 59, any separator before the fraction. */
function isDateTime(text: string): boolean {
  const [date = '', time] = text.toLowerCase().split('t');
  if (time === undefined || parseDate(date) === undefined) return false;
  const match = /^([0-9]{2}):([0-9]{2}):([0-9]{2})([^\n][0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$/.exec(time);
  if (match === null) return false;
  const [, hours = '', minutes = '', seconds = ''] = match;
  return hours <= '23' && minutes <= '59' && seconds <= '59';
}

function isHostname(text: string): boolean {
  return HOSTNAME.test(text) && byteLength(text) <= 255 && text.split('.').every((part) => byteLength(part) <= 63);
}

const HOSTNAME =
  /^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$/u;

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/** `net.ParseMAC`: 6, 8 or 20 octets by `:` or `-`, or groups of four digits by `.`. */
function isMac(text: string): boolean {
  return [6, 8, 20].some((octets) => {
    const pairs = new RegExp(`^${HEX}{2}(?:([:-])${HEX}{2})(?:\\1${HEX}{2}){${octets - 2}}$`);
    const quads = new RegExp(`^${HEX}{4}(?:\\.${HEX}{4}){${octets / 2 - 1}}$`);
    return pairs.test(text) || quads.test(text);
  });
}

/** `url.ParseRequestURI`: an absolute URI or path. */
function isRequestUri(text: string): boolean {
  if (text === '' || hasControls(text)) return false;
  if (text === '*') return true;
  const [, scheme, afterScheme] = /^([a-zA-Z][a-zA-Z0-9+.-]*):([\s\S]*)$/.exec(text) ?? [];
  const rest = (afterScheme ?? text).replace(/\?[\s\S]*$/, '');
  if (scheme === undefined && text.startsWith(':')) return false;
  if (!rest.startsWith('/')) return scheme !== undefined;
  const authority = scheme === undefined ? null : /^\/\/([^/]*)/.exec(rest);
  const path = authority === null ? rest : rest.slice(authority[0].length);
  return !/%(?![0-9a-fA-F]{2})/.test(path) && (authority === null || isAuthority(authority[1] ?? ''));
}

function isAuthority(text: string): boolean {
  const at = text.lastIndexOf('@');
  if (at !== -1 && !/^(?:[A-Za-z0-9\-._:~!$&'()*+,;=%@])*$/.test(text.slice(0, at))) return false;
  const host = text.slice(at + 1);
  const match =
    /^(?:(\[[^[\]]*\])|((?:[A-Za-z0-9\-_.~!$&'()*+,;="<>\u0080-\u{10ffff}]|%[89A-Fa-f][0-9A-Fa-f])*))(?::([0-9]*))?$/u;
  return match.test(host);
}

function hasControls(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

const ATOM = "A-Za-z0-9!#$%&'*+\\-/=?^_`{|}~\\u0080-\\u{10ffff}";
const DOT_ATOM = `[${ATOM}]+(?:\\.[${ATOM}]+)*`;
const QUOTED = '"(?:[^"\\\\\\n]|\\\\.)*"';
const ADDRESS = `(?:${DOT_ATOM}|${QUOTED})@(?:${DOT_ATOM}|\\[[^\\[\\]\\\\\\s]*\\])`;
const EMAIL = new RegExp(`^\\s*(?:${ADDRESS}|(?:[${ATOM} \\t.]|${QUOTED})*<${ADDRESS}>)\\s*$`, 'u');

/** An address, with or without a name before it. Comments, which Go's parser knows, are refused. */
function isEmail(text: string): boolean {
  return text.length <= 4096 && EMAIL.test(text);
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\t\n\f\r -]+/g, '');
  if (!/^(?:[0-9]{9}X|[0-9]{10})$/.test(digits)) return false;
  const sum = [...digits].reduce(
    (total, digit, index) => total + (index + 1) * (digit === 'X' ? 10 : Number(digit)),
    0,
  );
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\t\n\f\r -]+/g, '');
  if (!/^[0-9]{13}$/.test(digits)) return false;
  const sum = [...digits.slice(0, 12)].reduce(
    (total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3),
    0,
  );
  return Number(digits[12]) === (10 - (sum % 10)) % 10;
}

const CREDIT_CARD = new RegExp(
  [
    '^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}',
    '|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\\d{3})\\d{11})$',
  ].join(''),
);

function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, '');
  if (!CREDIT_CARD.test(digits)) return false;
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 1 : 2);
    return total + (value >= 10 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}
