/** First in, first out within a group; groups take turns. Keys that moved to the other lane are skipped when met. */
export class Lane {
  readonly #groups = new Map<string, Fifo<string>>();
  readonly #ring = new Fifo<string>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(group: string, key: string): void {
    let keys = this.#groups.get(group);
    if (keys === undefined) {
      keys = new Fifo();
      this.#groups.set(group, keys);
      this.#ring.push(group);
    }
    keys.push(key);
    this.#size += 1;
  }

  /** One key of this lane no longer counts; `shift` will skip it. */
  forget(): void {
    this.#size -= 1;
  }

  shift(isLive: (key: string) => boolean): string | undefined {
    for (let group = this.#ring.shift(); group !== undefined; group = this.#ring.shift()) {
      const keys = this.#groups.get(group);
      let key = keys?.shift();
      while (key !== undefined && !isLive(key)) key = keys?.shift();
      if (keys !== undefined && keys.length > 0) this.#ring.push(group);
      else this.#groups.delete(group);
      if (key === undefined) continue;
      this.#size -= 1;
      return key;
    }
    return undefined;
  }
}

class Fifo<T> {
  #items: T[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.#head >= this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#head += 1;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}

export type Delayed = { readonly key: string; readonly atMs: number };

/** A binary heap by deadline. Entries whose key got another deadline stay until they surface or are pruned. */
export class DelayHeap {
  #items: Delayed[] = [];

  get size(): number {
    return this.#items.length;
  }

  prune(keep: (item: Delayed) => boolean): void {
    const kept = this.#items.filter(keep).sort((a, b) => a.atMs - b.atMs);
    this.#items = kept;
  }

  peek(): Delayed | undefined {
    return this.#items[0];
  }

  push(item: Delayed): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent];
      if (above === undefined || above.atMs <= item.atMs) break;
      items[at] = above;
      at = parent;
    }
    items[at] = item;
  }

  pop(): void {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const right = items[child + 1];
      const left = items[child];
      if (left === undefined) break;
      let smallest = left;
      if (right !== undefined && right.atMs < left.atMs) {
        smallest = right;
        child += 1;
      }
      if (smallest.atMs >= last.atMs) break;
      items[at] = smallest;
      at = child;
    }
    items[at] = last;
  }
}
