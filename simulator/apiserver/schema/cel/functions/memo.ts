const MAX_KEPT = 1_000;

/** Remembers what a pure function made of a text: rules read the same few texts over and over. An exception is not remembered. */
export function memoize<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, { readonly value: T }>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found.value;
    const value = read(text);
    if (known.size >= MAX_KEPT) known.clear();
    known.set(text, { value });
    return value;
  };
}
