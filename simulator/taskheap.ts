import type { Timer } from '../kube/clock.ts';
import type { TaskGroup } from './scheduler.ts';

/** Tasks by time, then by order of arrival: a binary heap. Cancelled ones stay until they surface or are too many. */
export class TaskHeap {
  #tasks: Task[] = [];
  #sequence = 0;
  #cancelled = 0;

  /** Tasks that were not cancelled. */
  get size(): number {
    return this.#tasks.length - this.#cancelled;
  }

  push(group: TaskGroup, atMs: number, fn: () => void): Task {
    this.#sequence += 1;
    const task = new Task(this, group, atMs, this.#sequence, fn);
    this.#tasks.push(task);
    this.#siftUp(this.#tasks.length - 1, task);
    return task;
  }

  /** The next task that was not cancelled; stays in the heap. */
  peek(): Task | undefined {
    let first = this.#tasks[0];
    while (first?.isCancelled) {
      this.#removeFirst();
      this.#cancelled -= 1;
      first = this.#tasks[0];
    }
    return first;
  }

  shift(): Task | undefined {
    const first = this.peek();
    if (first !== undefined) this.#removeFirst();
    return first;
  }

  /** Removes all tasks of a group. */
  drop(group: TaskGroup): void {
    for (const task of this.#tasks) if (task.group === group) task.cancel();
    this.#compact();
  }

  /** For {@link Task} only. */
  cancelled(): void {
    this.#cancelled += 1;
    if (this.#cancelled > MAX_CANCELLED && this.#cancelled * 2 > this.#tasks.length) this.#compact();
  }

  #compact(): void {
    this.#tasks = this.#tasks.filter((task) => !task.isCancelled);
    this.#cancelled = 0;
    for (let at = (this.#tasks.length >> 1) - 1; at >= 0; at--) {
      const task = this.#tasks[at];
      if (task !== undefined) this.#siftDown(at, task);
    }
  }

  #removeFirst(): void {
    const last = this.#tasks.pop();
    if (last !== undefined && this.#tasks.length > 0) this.#siftDown(0, last);
  }

  #siftUp(from: number, task: Task): void {
    const tasks = this.#tasks;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = tasks[parent];
      if (above === undefined || isBefore(above, task)) break;
      tasks[at] = above;
      at = parent;
    }
    tasks[at] = task;
  }

  #siftDown(from: number, task: Task): void {
    const tasks = this.#tasks;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      let least = tasks[child];
      if (least === undefined) break;
      const right = tasks[child + 1];
      if (right !== undefined && isBefore(right, least)) {
        least = right;
        child += 1;
      }
      if (isBefore(task, least)) break;
      tasks[at] = least;
      at = child;
    }
    tasks[at] = task;
  }
}

const MAX_CANCELLED = 1024;

export class Task implements Timer {
  readonly group: TaskGroup;
  readonly atMs: number;
  readonly sequence: number;
  readonly #heap: TaskHeap;
  #fn: (() => void) | undefined;

  constructor(heap: TaskHeap, group: TaskGroup, atMs: number, sequence: number, fn: () => void) {
    this.#heap = heap;
    this.group = group;
    this.atMs = atMs;
    this.sequence = sequence;
    this.#fn = fn;
  }

  get isCancelled(): boolean {
    return this.#fn === undefined;
  }

  /** Once; to be called after it left the heap. */
  run(): void {
    const fn = this.#fn;
    this.#fn = undefined;
    fn?.();
  }

  cancel(): void {
    if (this.#fn === undefined) return;
    this.#fn = undefined;
    this.#heap.cancelled();
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}
