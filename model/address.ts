import { parseIpv4, parseIpv6 } from './cidr.ts';

/** A range of addresses that are no part of the public internet, and what is there. */
type Range = { readonly cidr: string; readonly is: string };

/** RFC 6890 and IANA's registry; and Azure's metadata service, which has an address of the public range. */
const NOT_PUBLIC_V4: readonly Range[] = [
  { cidr: '0.0.0.0/8', is: 'an address of this network' },
  { cidr: '10.0.0.0/8', is: 'a private address' },
  { cidr: '100.64.0.0/10', is: 'a shared address' },
  { cidr: '127.0.0.0/8', is: 'a loopback address' },
  { cidr: '168.63.129.16/32', is: "a cloud's metadata service" },
  { cidr: '169.254.0.0/16', is: 'a link-local address' },
  { cidr: '172.16.0.0/12', is: 'a private address' },
  { cidr: '192.0.0.0/24', is: 'a reserved address' },
  { cidr: '192.168.0.0/16', is: 'a private address' },
  { cidr: '198.18.0.0/15', is: 'an address for benchmarks' },
  { cidr: '224.0.0.0/4', is: 'a multicast address' },
  { cidr: '240.0.0.0/4', is: 'a reserved address' },
];

/** What embeds an IPv4 address that could be private is among them: NAT64 (RFC 6052, RFC 8215) and 6to4 (RFC 3056). */
const NOT_PUBLIC_V6: readonly Range[] = [
  { cidr: '::/128', is: 'the unspecified address' },
  { cidr: '::1/128', is: 'a loopback address' },
  { cidr: '64:ff9b::/96', is: 'an IPv4 address behind NAT64' },
  { cidr: '64:ff9b:1::/48', is: 'an IPv4 address behind NAT64' },
  { cidr: '2002::/16', is: 'an IPv4 address behind 6to4' },
  { cidr: 'fc00::/7', is: 'a private address' },
  { cidr: 'fe80::/10', is: 'a link-local address' },
  { cidr: 'ff00::/8', is: 'a multicast address' },
];

/** Blocks inside 2000::/3, all of the internet that IPv6 has so far, that are not of it: special purposes (Teredo is one) and examples. */
const NOT_GLOBAL_V6: readonly Range[] = [
  { cidr: '2001::/23', is: 'an address for special purposes' },
  { cidr: '2001:db8::/32', is: 'an address for examples' },
  { cidr: '3fff::/20', is: 'an address for examples' },
];

/** In CIDR form, for NetworkPolicies that let pods reach the internet and nothing else. */
export const NOT_INTERNET_V4: readonly string[] = NOT_PUBLIC_V4.map(({ cidr }) => cidr);
export const NOT_INTERNET_V6: readonly string[] = NOT_PUBLIC_V6.map(({ cidr }) => cidr);

/** Top-level names that are not on the internet: RFC 6761, 6762, 8375, 9476, ICANN's reserved ones, and Kubernetes' `svc` and `pod`. */
const PRIVATE_DOMAINS: ReadonlySet<string> = new Set([
  ...['alt', 'arpa', 'corp', 'home', 'internal', 'intranet', 'invalid', 'lan', 'local', 'localdomain', 'localhost'],
  ...['mail', 'onion', 'pod', 'private', 'svc'],
]);

const MAX_HOST = 253;

/**
 * Why no request of a tenant's may go to a host, as a predicate such as `is a private address`; undefined for a host that can be on the internet.
 * `host` is as a URL states it, an IPv6 address in brackets. Numbers that some resolvers read as an address (`0x7f.1`, `2130706433`, `017700000001`) are
 * refused whatever they stand for. A name says nothing of the addresses that it resolves to: whoever connects has to ask
 * {@link isPublicAddress} of them.
 */
export function explainHost(host: string): string | undefined {
  if (host.startsWith('[')) return explainIpv6(host);
  if (host === '' || host.length > MAX_HOST)
    return `has ${host.length} characters, and a host name has 1 to ${MAX_HOST}`;
  if (!/^[A-Za-z0-9.-]+$/.test(host)) {
    return 'holds characters that no host name has; write letters, digits, dots and hyphens, and other scripts in their xn-- form';
  }
  const labels = host.toLowerCase().split('.');
  const last = labels.at(-1) ?? '';
  if (last === '') return 'ends in a dot; leave it out';
  if (/^(0x[0-9a-f]*|[0-9]+)$/.test(last)) {
    const value = parseIpv4(host);
    return value === undefined
      ? 'reads as an address but is none; an address is four numbers from 0 to 255 with dots between'
      : classify(value, 32, NOT_PUBLIC_V4);
  }
  if (!labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label))) {
    return 'is no host name: each part has 1 to 63 letters, digits and hyphens between them';
  }
  if (PRIVATE_DOMAINS.has(last)) return `ends in ${last}, which is not on the internet`;
  return labels.length === 1 ? 'has no domain, so it could only be inside the cluster' : undefined;
}

/** Whether a resolved address, as `dns.lookup` gives it, is one of the internet. */
export function isPublicAddress(address: string): boolean {
  const v4 = parseIpv4(address);
  if (v4 !== undefined) return classify(v4, 32, NOT_PUBLIC_V4) === undefined;
  const v6 = parseIpv6(address);
  return v6 !== undefined && classifyIpv6(v6) === undefined;
}

function explainIpv6(host: string): string | undefined {
  const value = host.endsWith(']') ? parseIpv6(host.slice(1, -1)) : undefined;
  return value === undefined ? 'is no address: in brackets stands an IPv6 address without a zone' : classifyIpv6(value);
}

const MAPPED_PREFIX = 0xffffn;

function classifyIpv6(value: bigint): string | undefined {
  if (value >> 32n === MAPPED_PREFIX) return classify(value & 0xffff_ffffn, 32, NOT_PUBLIC_V4);
  const known = classify(value, 128, [...NOT_PUBLIC_V6, ...NOT_GLOBAL_V6]);
  if (known !== undefined) return known;
  return value >> 125n === 1n
    ? undefined
    : 'is an address outside 2000::/3, which is all of the internet that IPv6 has';
}

function classify(value: bigint, bits: 32 | 128, ranges: readonly Range[]): string | undefined {
  const found = ranges.find(({ cidr }) => {
    const [network = '', length = ''] = cidr.split('/');
    const base = bits === 32 ? parseIpv4(network) : parseIpv6(network);
    const hostBits = BigInt(bits - Number(length));
    return base !== undefined && value >> hostBits === base >> hostBits;
  });
  return found === undefined ? undefined : `is ${found.is}`;
}
