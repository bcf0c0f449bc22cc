/** A use is written down once in this time from each address, so that reads do not become writes. */
const USE_MS = 60_000;
/** From more addresses than this in that time, it is written down once without one. */
const MOST_ADDRESSES = 8;
/** Beyond this many keys all are forgotten: a use more is written, and nothing is lost. */
const MOST_KEYS = 10_000;

/** The address with which a use is to be written down, empty for those beyond the bound; undefined when it was lately. */
export type ChooseUse = (keyId: string, address: string, nowMs: number) => string | undefined;

/** However often and from wherever a key is used, few of its uses are written down a minute, and the first of each day (UTC) is one. */
export function createUseChooser(): ChooseUse {
  const known = new Map<string, { readonly minute: number; readonly addresses: Set<string> }>();
  return (keyId, address, nowMs) => {
    // Days begin with a minute.
    const minute = Math.floor(nowMs / USE_MS);
    const last = known.get(keyId);
    const addresses = last?.minute === minute ? last.addresses : new Set<string>();
    const chosen = addresses.has(address) || addresses.size < MOST_ADDRESSES ? address : '';
    if (addresses.has(chosen)) return undefined;
    if (known.size >= MOST_KEYS) known.clear();
    addresses.add(chosen);
    known.set(keyId, { minute, addresses });
    return chosen;
  };
}
