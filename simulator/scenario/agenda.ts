/** Things to do by time, then by order of arrival. */
export type Agenda<T> = {
  add(atMs: number, thing: T): void;
  /** The next one, taken out. */
  take(): { readonly atMs: number; readonly thing: T } | undefined;
};

export function createAgenda<T>(): Agenda<T> {
  const entries: { readonly atMs: number; readonly thing: T }[] = [];
  return {
    add(atMs, thing) {
      let low = 0;
      for (let high = entries.length; low < high; ) {
        const middle = (low + high) >> 1;
        if ((entries[middle]?.atMs ?? 0) > atMs) low = middle + 1;
        else high = middle;
      }
      entries.splice(low, 0, { atMs, thing });
    },
    take: () => entries.pop(),
  };
}
