/**
 * Whether a text is an IP network in CIDR form with no bits set after its prefix, as Kubernetes' CEL functions `isCIDR` and `masked` judge it:
 * no leading zeros, no zone, no IPv4-mapped IPv6.
 */
export function isIpPrefix(text: string): boolean {
  const slash = text.lastIndexOf('/');
  const length = text.slice(slash + 1);
  const address = parseUnmapped(text.slice(0, Math.max(slash, 0)));
  if (address === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(length)) return false;
  const hostBits = address.bits - Number(length);
  return hostBits >= 0 && address.value % (1n << BigInt(hostBits)) === 0n;
}

function parseUnmapped(text: string): { readonly value: bigint; readonly bits: 32 | 128 } | undefined {
  const bits = text.includes(':') ? 128 : 32;
  const value = bits === 32 ? parseIpv4(text) : parseIpv6(text);
  return value === undefined || (bits === 128 && value >> 32n === 0xffffn) ? undefined : { value, bits };
}

/** The 32 bits of four decimal numbers without leading zeros; undefined for every other spelling. */
export function parseIpv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

/** The 128 bits of an IPv6 address in any of its spellings, IPv4-mapped ones included; no zone, no brackets. */
export function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = [expandGroups(halves[0] ?? '', halves.length === 1), expandGroups(halves[1] ?? '', true)];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0n), ...tail];
  return groups.reduce((sum, group) => (sum << 16n) | group, 0n);
}

/** The 16-bit groups of one side of `::`; the last one may be written as an IPv4 address, which counts as two. */
function expandGroups(text: string, mayEndInIpv4: boolean): readonly bigint[] | undefined {
  if (text === '') return [];
  const groups: bigint[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const ipv4 = mayEndInIpv4 && index === parts.length - 1 && part.includes('.') ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) groups.push(ipv4 >> 16n, ipv4 & 0xffffn);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}
