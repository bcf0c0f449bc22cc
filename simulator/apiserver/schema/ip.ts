/** IP addresses and networks as Go's `net` and `netip` read and print them. */

export type Ip = { readonly family: 4 | 6; readonly bits: bigint };
/** `address` keeps the bits behind the prefix. */
export type Cidr = { readonly address: Ip; readonly prefix: number };

/** `isSloppy` allows leading zeros in IPv4, as the formats `ipv4` and `cidr` do. Zones are refused. */
export function parseIp(text: string, options: { readonly isSloppy?: boolean } = {}): Ip | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text, options.isSloppy === true);
}

export function parseCidr(text: string, options: { readonly isSloppy?: boolean } = {}): Cidr | undefined {
  const slash = text.lastIndexOf('/');
  if (slash === -1) return undefined;
  const address = parseIp(text.slice(0, slash), options);
  const digits = text.slice(slash + 1);
  const isPrefix = options.isSloppy === true ? /^[0-9]{1,3}$/.test(digits) : /^(0|[1-9][0-9]{0,2})$/.test(digits);
  if (address === undefined || !isPrefix || Number(digits) > sizeOf(address)) return undefined;
  return { address, prefix: Number(digits) };
}

export function renderIp({ family, bits }: Ip): string {
  if (family === 4) return renderIpv4(bits);
  if (isMapped({ family, bits })) return `::ffff:${renderIpv4(bits & 0xffffffffn)}`;
  const groups = Array.from({ length: 8 }, (_, index) => Number((bits >> BigInt(112 - 16 * index)) & 0xffffn));
  const [start, length] = findZeros(groups);
  if (length < 2) return groups.map((group) => group.toString(16)).join(':');
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

export function renderCidr({ address, prefix }: Cidr): string {
  return `${renderIp(address)}/${prefix}`;
}

/** Without the bits behind the prefix. */
export function maskCidr({ address, prefix }: Cidr): Cidr {
  const rest = BigInt(sizeOf(address) - prefix);
  return { address: { family: address.family, bits: (address.bits >> rest) << rest }, prefix };
}

export function containsIp(cidr: Cidr, ip: Ip): boolean {
  if (cidr.address.family !== ip.family) return false;
  const rest = BigInt(sizeOf(ip) - cidr.prefix);
  return cidr.address.bits >> rest === ip.bits >> rest;
}

export function equalIp(a: Ip, b: Ip): boolean {
  return a.family === b.family && a.bits === b.bits;
}

/** An IPv4 address written as `::ffff:1.2.3.4`. */
export function isMapped({ family, bits }: Ip): boolean {
  return family === 6 && bits >> 32n === 0xffffn;
}

export function sizeOf(ip: Ip): number {
  return ip.family === 4 ? 32 : 128;
}

function parseIpv4(text: string, isSloppy: boolean): Ip | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let bits = 0n;
  for (const part of parts) {
    const isNumber = isSloppy ? /^[0-9]+$/.test(part) : /^(0|[1-9][0-9]{0,2})$/.test(part);
    if (!isNumber || Number(part) > 255) return undefined;
    bits = (bits << 8n) | BigInt(Number(part));
  }
  return { family: 4, bits };
}

function parseIpv6(text: string): Ip | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const parts = halves.map((half, index) => readGroups(half, index === halves.length - 1));
  const [head, tail] = parts;
  if (head === undefined || parts.includes(undefined)) return undefined;
  if (halves.length === 1) return head.length === 8 ? { family: 6, bits: join(head) } : undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (missing < 1) return undefined;
  return { family: 6, bits: join([...head, ...new Array<number>(missing).fill(0), ...(tail ?? [])]) };
}

/** The groups of 16 bits; an IPv4 address may stand for the last two. */
function readGroups(text: string, isLast: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (isLast && index === parts.length - 1 && part.includes('.')) {
      const ipv4 = parseIpv4(part, false);
      if (ipv4 === undefined) return undefined;
      groups.push(Number(ipv4.bits >> 16n), Number(ipv4.bits & 0xffffn));
    } else {
      if (!/^[0-9A-Fa-f]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

function join(groups: readonly number[]): bigint {
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n);
}

function renderIpv4(bits: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 0xffn)).join('.');
}

/** The first longest run of zeros. */
function findZeros(groups: readonly number[]): readonly [start: number, length: number] {
  let best: readonly [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start += 1) {
    let end = start;
    while (groups[end] === 0) end += 1;
    if (end - start > best[1]) best = [start, end - start];
    if (end > start) start = end;
  }
  return best;
}
