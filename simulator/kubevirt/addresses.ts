import type { Random } from '../../kube/clock.ts';

/** Loopback addresses, one a holder. */
export type AddressPool = {
  /** The holder's address; a new one is free and can be bound at the pool's port. Rejects when the range is used up. */
  allocate(holder: string): Promise<string>;
  /** Takes an address that was recorded earlier. False when another holder has it or it is not of the range. */
  claim(holder: string, address: string): boolean;
  release(holder: string): void;
  size(): number;
};

/**
 * `cidr` must lie in 127.0.0.0/8: simulated desktops are never reachable from another machine. Addresses are tried
 * from a random place on, so that several simulators on one machine rarely meet, and bound once before they are given out, so that they never clash.
 */
export function createAddressPool(
  deps: { readonly random: Random; readonly isFree: (address: string, port: number) => Promise<boolean> },
  cidr: string,
  port: number,
): AddressPool {
  const range = parseLoopbackRange(cidr);
  const holders = new Map<string, string>();
  const taken = new Set<string>();
  const hold = (holder: string, address: string): string => {
    holders.set(holder, address);
    taken.add(address);
    return address;
  };
  return {
    async allocate(holder) {
      const present = holders.get(holder);
      if (present !== undefined) return present;
      const start = Math.floor(deps.random.next() * range.size);
      for (let i = 0; i < Math.min(range.size, MAX_TRIES); i += 1) {
        const address = renderAddress(range.first + ((start + i) % range.size));
        if (taken.has(address)) continue;
        hold(holder, address);
        if (await deps.isFree(address, port)) return address;
        holders.delete(holder);
        taken.delete(address);
      }
      throw new Error(`no free address in ${cidr} for port ${port}: ${holders.size} are in use by this simulator`);
    },
    claim(holder, address) {
      const number = parseAddress(address);
      if (number === undefined || number < range.first || number >= range.first + range.size) return false;
      if (holders.get(holder) === address) return true;
      if (taken.has(address) || holders.has(holder)) return false;
      hold(holder, address);
      return true;
    },
    release(holder) {
      const address = holders.get(holder);
      holders.delete(holder);
      if (address !== undefined) taken.delete(address);
    },
    size: () => holders.size,
  };
}

const MAX_TRIES = 65_536;

type Range = { readonly first: number; readonly size: number };

/** The usable addresses of an IPv4 range: without its first and last. */
function parseLoopbackRange(cidr: string): Range {
  const [address = '', bits = ''] = cidr.split('/');
  const number = parseAddress(address);
  const prefix = /^\d{1,2}$/.test(bits) ? Number(bits) : Number.NaN;
  if (number === undefined || !(prefix >= 8 && prefix <= 30)) {
    throw new RangeError(`${cidr}: not an IPv4 range with a prefix of 8 to 30`);
  }
  const size = 2 ** (32 - prefix);
  const first = number - (number % size);
  if (Math.trunc(first / 2 ** 24) !== 127) throw new RangeError(`${cidr}: not inside 127.0.0.0/8`);
  return { first: first + 1, size: size - 2 };
}

function parseAddress(address: string): number | undefined {
  const parts = address.split('.').map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  if (parts.length !== 4 || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((number, part) => number * 256 + part, 0);
}

function renderAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.trunc(number / 2 ** shift) % 256).join('.');
}
