import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import type { ApiObject } from './object.ts';
import { isObject } from './schema/json.ts';
import type { StorageEvent } from './store.ts';

/** The state of a store in a folder: every change is in the file before the call that made it is answered, unless {@link Journal.note} throws. */
export type Journal = {
  /** What the folder held when it was opened. */
  readonly kept: { readonly revision: number; readonly objects: Iterable<KeptObject> };
  /** Notes a change. Throws when it cannot be written, as on a full disk; nothing is left of it in the file then, and the next change brings the whole state. */
  note(event: StorageEvent): void;
  close(): void;
};

export type KeptObject = { readonly group: string; readonly plural: string; readonly object: ApiObject };

/** One line: the state that an object came to at a revision, or that it went; or how far the store was. */
type Entry = (KeptObject & { readonly gone?: true }) | { readonly object?: undefined };
type Line = Entry & { readonly revision: number };

export type JournalOptions = {
  readonly folder: string;
  /** The changes since the last snapshot are folded into the next one beyond this. Default 16 MiB. */
  readonly maxJournalBytes?: number;
};

/**
 * Opens a folder, or begins in an empty one. A process may be killed at any moment: a last line that was only half written counts as not written. (A machine that
 * loses its power may lose the last seconds, because lines are not forced to the disk.) Throws an Error that names file and line when the folder holds what
 * nobody wrote there, or lacks what was written.
 */
export function openJournal({ folder, maxJournalBytes = 16 * 1024 * 1024 }: JournalOptions): Journal {
  mkdirSync(folder, { recursive: true });
  const [snapshot, journal] = [path.join(folder, 'snapshot.jsonl'), path.join(folder, 'journal.jsonl')];
  const objects = new Map<string, KeptObject>();
  let revision = 1;
  const take = (line: Line): void => {
    // A journal that was folded into the snapshot, and then not removed, says nothing new.
    if (line.revision < revision) return;
    revision = line.revision;
    if (line.object === undefined) return;
    const { group, plural, object } = line;
    if (line.gone === true) objects.delete(keyOf(line));
    else objects.set(keyOf(line), { group, plural, object });
  };
  for (const line of readSnapshot(snapshot, existsSync(journal))) take(line);
  for (const line of readLines(journal)) take(line);
  const fold = (): void => writeSnapshot(snapshot, objects.values(), revision);
  fold();
  const file = openSync(journal, 'w');
  let bytes = 0;
  /** A change before could not be written. */
  let isBehind = false;
  return {
    kept: { revision, objects: [...objects.values()] },
    note: ({ type, collection: { group, plural }, revision: at, current: { object } }) => {
      const kept = { revision: at, group, plural, object };
      const line: Line = type === 'DELETED' ? { ...kept, gone: true as const } : kept;
      take(line);
      if (!isBehind) {
        isBehind = true;
        bytes += appendLine(file, line, bytes);
        isBehind = false;
        if (bytes <= maxJournalBytes) return;
      }
      fold();
      ftruncateSync(file);
      bytes = 0;
      isBehind = false;
    },
    close: () => closeSync(file),
  };
}

function keyOf({ group, plural, object: { metadata } }: KeptObject): string {
  return `${plural}.${group}/${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

/** Whole or not at all, at the end of the file; gives its bytes. */
function appendLine(file: number, line: Line, endBytes: number): number {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  try {
    writeAll(file, bytes, endBytes);
  } catch (error) {
    ftruncateSync(file, endBytes);
    throw error;
  }
  return bytes.length;
}

/** A file may take less than it is given, and say how much. */
function writeAll(file: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, position + done);
}

/** All objects, each with its own revision, then the revision of the store; whole or not at all. */
function writeSnapshot(file: string, objects: Iterable<KeptObject>, revision: number): void {
  const part = `${file}.part`;
  const handle = openSync(part, 'w');
  try {
    const lines: Line[] = [];
    for (const kept of objects) lines.push({ revision: Number(kept.object.metadata.resourceVersion), ...kept });
    lines.sort((a, b) => a.revision - b.revision);
    writeAll(handle, Buffer.from([...lines, { revision }].map((line) => `${JSON.stringify(line)}\n`).join('')), 0);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(part, file);
  syncFolder(path.dirname(file));
}

/** The new name is on the disk before the changes that the snapshot holds are thrown away. Windows has no such thing. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** A snapshot is written whole, before the journal beside it: whatever is missing of it was lost afterwards. */
function readSnapshot(file: string, hasJournal: boolean): readonly Line[] {
  if (!hasJournal && !existsSync(file)) return [];
  const lines = [...readLines(file)];
  const last = lines.at(-1);
  if (last !== undefined && last.object === undefined) return lines;
  throw new Error(`${file}: the end of an API server's state is missing; remove the folder to begin anew`);
}

function* readLines(file: string): Iterable<Line> {
  if (!existsSync(file)) return;
  const lines = readFileSync(file, 'utf8').split('\n');
  // What follows the last line break is nothing, or was cut.
  for (const [index, text] of lines.slice(0, -1).entries()) yield parseLine(text, `${file}:${index + 1}`);
}

function parseLine(text: string, where: string): Line {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    throw damaged(where);
  }
  if (!isObject(line) || !Number.isSafeInteger(line.revision)) throw damaged(where);
  const { object, group, plural } = line;
  const isKept = isObject(object) && isObject(object.metadata) && typeof object.metadata.name === 'string';
  const isLine = object === undefined || (isKept && typeof group === 'string' && typeof plural === 'string');
  if (!isLine) throw damaged(where);
  return line as Line;
}

function damaged(where: string): Error {
  return new Error(`${where}: this is no line of an API server's state; remove the folder to begin anew`);
}
