import type { LineFault } from './faults.ts';

/** Where the lines of a stream go once faults have been at them. */
export type LineOutput = {
  readonly data: (chunk: Buffer, extraDelayMs: number) => void;
  readonly end: () => void;
  readonly reset: () => void;
};

type Judge = (line: Buffer, index: number) => LineFault | undefined;
type Held = { readonly line: Buffer; readonly uid: string };

/** Passes lines on as `judge` says. */
export function createLineFaults(judge: Judge, output: LineOutput): (line: Buffer) => void {
  let index = 0;
  let isDead = false;
  let swapped: Buffer | undefined;
  const merged = new Map<string, Held>();

  const pass = (line: Buffer, delayMs = 0): void => {
    output.data(line, delayMs);
    if (swapped === undefined) return;
    const waiting = swapped;
    swapped = undefined;
    output.data(waiting, 0);
  };
  const finish = (end: () => void): void => {
    isDead = true;
    end();
  };
  const apply = (line: Buffer, fault: LineFault): void => {
    switch (fault.type) {
      case 'drop':
        return;
      case 'delay':
        pass(line, fault.ms);
        return;
      case 'duplicate':
        pass(line);
        pass(line);
        return;
      case 'swap':
        if (swapped !== undefined) {
          pass(line);
          return;
        }
        swapped = line;
        return;
      case 'merge':
        merged.set(uidOf(line), { line, uid: uidOf(line) });
        return;
      case 'split':
        output.data(line.subarray(0, fault.bytes), 0);
        pass(line.subarray(fault.bytes));
        return;
      case 'tear':
        output.data(line.subarray(0, fault.bytes), 0);
        finish(output.end);
        return;
      case 'garbage':
        pass(Buffer.from(`${fault.text}\n`));
        return;
      case 'blackhole':
        isDead = true;
        return;
      case 'end':
        finish(output.end);
        return;
      case 'reset':
        finish(output.reset);
        return;
    }
  };

  return (received) => {
    if (isDead) return;
    const line = mergeWith(merged, received);
    if (line === undefined) return;
    const fault = judge(line, index);
    index += 1;
    if (fault === undefined) pass(line);
    else apply(line, fault);
  };
}

type Parsed = { readonly type: string; readonly object: { readonly metadata?: { readonly uid?: string } } };

function uidOf(line: Buffer): string {
  return parse(line).object.metadata?.uid ?? '';
}

function parse(line: Buffer): Parsed {
  return JSON.parse(line.toString('utf8')) as Parsed;
}

/** The line that stands for a held one and this; undefined when nobody needs to know of either. */
function mergeWith(held: Map<string, Held>, line: Buffer): Buffer | undefined {
  if (held.size === 0) return line;
  const { type, object } = parse(line);
  const before = held.get(object.metadata?.uid ?? '');
  if (before === undefined) return line;
  held.delete(before.uid);
  const first = parse(before.line).type;
  if (first !== 'ADDED') return line;
  return type === 'DELETED' ? undefined : Buffer.from(`${JSON.stringify({ type: 'ADDED', object })}\n`);
}
