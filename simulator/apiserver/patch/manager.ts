const MAX_BYTES = 128;
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** The name under which a write is recorded: the one that it states, or the first word of its `User-Agent`. */
export function managerOf(fieldManager: string, userAgent: string): string {
  if (fieldManager !== '') return fieldManager;
  let name = '';
  for (const rune of userAgent.split('/')[0] ?? '') {
    if (!PRINTABLE.test(rune)) continue;
    if (Buffer.byteLength(name) + Buffer.byteLength(rune) > MAX_BYTES) break;
    name += rune;
  }
  return name;
}
