/**
 * Whether a text is an IP network in CIDR form with no bits set after its prefix, as Kubernetes' CEL functions `isCIDR` and `masked` judge it:
 * no leading zeros, no zone, no IPv4-mapped IPv6.
 */
export function isIpPrefix(text: string): boolean {
  const slash = text.lastIndexOf('/');
  const length = text.slice(slash + 1);
  const address = parseIp(text.slice(0, Math.max(slash, 0)));
  if (address === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(length)) return false;
  const hostBits = address.bits - Number(length);
  return hostBits >= 0 && address.value % (1n << BigInt(hostBits)) === 0n;
}

type IpAddress = { readonly value: bigint; readonly bits: 32 | 128 };

function parseIp(text: string): IpAddress | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): IpAddress | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return { value: parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n), bits: 32 };
}

function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = [expandGroups(halves[0] ?? '', halves.length === 1), expandGroups(halves[1] ?? '', true)];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0n), ...tail];
  const value = groups.reduce((sum, group) => (sum << 16n) | group, 0n);
  const isMapped = value >> 32n === 0xffffn;
  return isMapped ? undefined : { value, bits: 128 };
}

/** The 16-bit groups of one side of `::`; the last one may be written as an IPv4 address, which counts as two. */
function expandGroups(text: string, mayEndInIpv4: boolean): readonly bigint[] | undefined {
  if (text === '') return [];
  const groups: bigint[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const ipv4 = mayEndInIpv4 && index === parts.length - 1 && part.includes('.') ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) groups.push(ipv4.value >> 16n, ipv4.value & 0xffffn);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}
