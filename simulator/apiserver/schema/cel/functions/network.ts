import { findFormat } from '../../formats.ts';
import {
  type Cidr,
  containsIp,
  type Ip,
  isMapped,
  maskCidr,
  parseCidr,
  parseIp,
  renderCidr,
  renderIp,
  sizeOf,
} from '../../ip.ts';
import { EvaluationError } from '../errors.ts';
import type { Boxed, Url, Value } from '../values.ts';
import { memoize } from './memo.ts';
import { declare, type Overload } from './overload.ts';

type IpValue = Extract<Boxed, { type: 'ip' }>;
type CidrValue = Extract<Boxed, { type: 'cidr' }>;
type UrlValue = Extract<Boxed, { type: 'url' }>;

/** Kubernetes' addresses, networks and URLs. */
export const NETWORK: readonly Overload[] = [
  declare('ip(string): ip', (text: string) => ({ type: 'ip', ip: readIp(text) })),
  declare('isIP(string): bool', (text: string) => isPlainIp(parseIp(text))),
  declare('ip::isCanonical(string): bool', (text: string) => renderIp(readIp(text)) === text),
  declare('string(ip): string', ({ ip }: IpValue) => renderIp(ip)),
  declare('ip.family(): int', ({ ip }: IpValue) => BigInt(ip.family)),
  declare('ip.isUnspecified(): bool', ({ ip }: IpValue) => ip.bits === 0n),
  declare('ip.isLoopback(): bool', ({ ip }: IpValue) => isLoopback(ip)),
  declare('ip.isLinkLocalMulticast(): bool', ({ ip }: IpValue) => isLinkLocalMulticast(ip)),
  declare('ip.isLinkLocalUnicast(): bool', ({ ip }: IpValue) => isLinkLocalUnicast(ip)),
  declare('ip.isGlobalUnicast(): bool', ({ ip }: IpValue) => isGlobalUnicast(ip)),
  declare('cidr(string): cidr', (text: string) => ({ type: 'cidr', cidr: readCidr(text) })),
  declare('isCIDR(string): bool', (text: string) => isPlainIp(findCidr(text)?.address)),
  declare('string(cidr): string', ({ cidr }: CidrValue) => renderCidr(cidr)),
  declare('cidr.containsIP(string): bool', ({ cidr }: CidrValue, text: string) => containsIp(cidr, readIp(text))),
  declare('cidr.containsIP(ip): bool', ({ cidr }: CidrValue, { ip }: IpValue) => containsIp(cidr, ip)),
  declare('cidr.containsCIDR(string): bool', ({ cidr }: CidrValue, text: string) => containsCidr(cidr, readCidr(text))),
  declare('cidr.containsCIDR(cidr): bool', (a: CidrValue, b: CidrValue) => containsCidr(a.cidr, b.cidr)),
  declare('cidr.ip(): ip', ({ cidr }: CidrValue) => ({ type: 'ip', ip: cidr.address })),
  declare('cidr.prefixLength(): int', ({ cidr }: CidrValue) => BigInt(cidr.prefix)),
  declare('cidr.masked(): cidr', ({ cidr }: CidrValue) => ({ type: 'cidr', cidr: maskCidr(cidr) })),
  declare('url(string): url', (text: string) => ({ type: 'url', url: readUrl(text) })),
  declare('isURL(string): bool', isUrl),
  declare('url.getScheme(): string', ({ url }: UrlValue) => url.scheme),
  declare('url.getHost(): string', ({ url }: UrlValue) => url.host),
  declare('url.getHostname(): string', ({ url }: UrlValue) => url.host.replace(/:[0-9]*$/, '').replace(/^\[|\]$/g, '')),
  declare('url.getPort(): string', ({ url }: UrlValue) => /:([0-9]*)$/.exec(url.host)?.[1] ?? ''),
  declare('url.getEscapedPath(): string', ({ url }: UrlValue) => url.path),
  declare('url.getQuery(): map(string, list(string))', ({ url }: UrlValue) => queryOf(url)),
];

function isPlainIp(ip: Ip | undefined): boolean {
  return ip !== undefined && !isMapped(ip);
}

function readIp(text: string): Ip {
  const ip = parseIp(text);
  if (ip === undefined) {
    const why = `ParseAddr(${JSON.stringify(text)}): unable to parse IP`;
    throw new EvaluationError(`IP Address ${JSON.stringify(text)} parse error during conversion from string: ${why}`);
  }
  if (isMapped(ip)) throw new EvaluationError(`IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`);
  return ip;
}

const findCidr = memoize((text) => parseCidr(text));

function readCidr(text: string): Cidr {
  const cidr = findCidr(text);
  if (cidr === undefined) {
    const why = `netip.ParsePrefix(${JSON.stringify(text)}): no '/'`;
    throw new EvaluationError(`network address parse error during conversion from string: ${why}`);
  }
  if (isMapped(cidr.address)) {
    throw new EvaluationError(`IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`);
  }
  return cidr;
}

function containsCidr(a: Cidr, b: Cidr): boolean {
  return a.prefix <= b.prefix && containsIp(a, b.address);
}

/** Whether the first bits are those of the network. */
function isIn(ip: Ip, network: string): boolean {
  const cidr = parseCidr(network);
  return cidr !== undefined && containsIp(cidr, ip);
}

function isLoopback(ip: Ip): boolean {
  return isIn(ip, ip.family === 4 ? '127.0.0.0/8' : '::1/128');
}

function isLinkLocalMulticast(ip: Ip): boolean {
  return ip.family === 4 ? isIn(ip, '224.0.0.0/24') : ((ip.bits >> 112n) & 0xff0fn) === 0xff02n;
}

function isLinkLocalUnicast(ip: Ip): boolean {
  return isIn(ip, ip.family === 4 ? '169.254.0.0/16' : 'fe80::/10');
}

function isGlobalUnicast(ip: Ip): boolean {
  const isBroadcast = ip.family === 4 && ip.bits === (1n << BigInt(sizeOf(ip))) - 1n;
  const isMulticast = isIn(ip, ip.family === 4 ? '224.0.0.0/4' : 'ff00::/8');
  return ip.bits !== 0n && !isBroadcast && !isMulticast && !isLoopback(ip) && !isLinkLocalUnicast(ip);
}

function isUrl(text: string): boolean {
  return findFormat('uri')?.(text) === true;
}

function readUrl(text: string): Url {
  if (!isUrl(text)) {
    const why = `parse ${JSON.stringify(text)}: invalid URI for request`;
    throw new EvaluationError(`URL parse error during conversion from string: ${why}`);
  }
  const [, scheme = '', authority = '', path = '', query = ''] =
    /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?/.exec(text) ?? [];
  return { scheme: scheme.toLowerCase(), host: authority.replace(/^.*@/, ''), path, query };
}

function queryOf({ query }: Url): ReadonlyMap<Value, Value> {
  const values = new Map<string, string[]>();
  for (const [key, value] of new URLSearchParams(query)) values.set(key, [...(values.get(key) ?? []), value]);
  return values;
}
