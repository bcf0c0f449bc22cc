import { isUtf8 } from 'node:buffer';
import { ArchiveRefusedError, type SourceLimits } from './limits.ts';

/** One regular file of the archive. */
export type TreeFile = {
  /** Relative path with `/`, normalised; invalid UTF-8 shows as U+FFFD. */
  readonly path: string;
  /** False when the path is not valid UTF-8, so that it cannot be named faithfully. */
  readonly validName: boolean;
  /** A view into the archive's buffer, not a copy. */
  readonly bytes: Uint8Array;
};

/**
 * Reads the regular files of a tar archive, in archive order, from memory and without ever touching a file system.
 *
 * Knows what Go's and GNU's writers produce for plain files: ustar with prefix, pax `path` and `size`, GNU long names. source-controller
 * writes regular files only, so links, devices and sparse files mean that the archive is not its own, and refuse it. Throws
 * ArchiveRefusedError on those, on paths that could leave the folder, on duplicates, and past a limit.
 */
export function parseTar(archive: Uint8Array, limits: SourceLimits): readonly TreeFile[] {
  const files: TreeFile[] = [];
  const seen = new Set<string>();
  let pending: Overrides = {};
  let entries = 0;
  let offset = 0;
  while (offset + BLOCK <= archive.length) {
    const header = archive.subarray(offset, offset + BLOCK);
    if (isZeroBlock(header)) break;
    checkSum(header, offset);
    const type = String.fromCharCode(header[156] ?? 0);
    const isMeta = META_TYPES.has(type);
    const size = (isMeta ? undefined : pending.size) ?? parseNumber(header.subarray(124, 136), offset);
    const start = offset + BLOCK;
    if (size > archive.length - start) throw truncated(offset, size, archive.length - start);
    const data = archive.subarray(start, start + size);
    offset = start + Math.ceil(size / BLOCK) * BLOCK;
    entries += 1;
    if (isMeta) {
      pending = { ...pending, ...parseMeta(type, data, limits) };
      if (entries > 2 * limits.entries) throw tooManyEntries(limits, seen);
      continue;
    }
    const name = pending.path ?? headerName(header);
    pending = {};
    const file = buildFile(name, type, data, limits);
    if (seen.size >= limits.entries) throw tooManyEntries(limits, seen);
    if (seen.has(file.path)) {
      throw new ArchiveRefusedError(
        'duplicate',
        `the archive holds ${quote(file.path)} twice; Git cannot hold two files of one path`,
      );
    }
    seen.add(file.path);
    if (type !== '5') files.push(file);
  }
  return files;
}

const BLOCK = 512;
const META_TYPES: ReadonlySet<string> = new Set(['x', 'g', 'L', 'K']);
const FILE_TYPES: ReadonlySet<string> = new Set(['0', '\0', '7', '5']);
const TYPE_NAMES: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a FIFO',
  S: 'a sparse file',
};

type Overrides = { readonly path?: Uint8Array; readonly size?: number };

function buildFile(name: Uint8Array, type: string, data: Uint8Array, limits: SourceLimits): TreeFile {
  const shown = Buffer.from(name.buffer, name.byteOffset, name.length).toString('utf8');
  if (!FILE_TYPES.has(type)) {
    const what = TYPE_NAMES[type] ?? `an entry of type ${quote(type)}`;
    throw new ArchiveRefusedError('type', `${quote(shown)} is ${what}; only regular files and directories are taken`);
  }
  if (name.length > limits.pathBytes) {
    throw new ArchiveRefusedError(
      'pathBytes',
      `a path has ${name.length} bytes, more than pathBytes ${limits.pathBytes}: ${quote(shown)}`,
    );
  }
  const path = shown.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
  const segments = path.split('/');
  const isRootFolder = type === '5' && (path === '' || path === '.');
  if (
    !isRootFolder &&
    (/[\\\0]/.test(path) || segments.some((segment) => segment === '' || segment === '.' || segment === '..'))
  ) {
    throw new ArchiveRefusedError(
      'path',
      `the path ${quote(shown)} is not a plain relative path; "..", absolute paths and backslashes are refused`,
    );
  }
  if (segments.length > limits.pathDepth) {
    throw new ArchiveRefusedError(
      'pathDepth',
      `${quote(path)} is ${segments.length} levels deep, more than pathDepth ${limits.pathDepth}`,
    );
  }
  return { path, validName: isUtf8(name), bytes: type === '5' ? new Uint8Array() : data };
}

function parseMeta(type: string, data: Uint8Array, limits: SourceLimits): Overrides {
  if (type === 'L') return { path: untilNul(data.subarray(0, limits.pathBytes + 2)) };
  if (type === 'x') return parsePax(data);
  return {};
}

/** pax records are `<length> <key>=<value>\n`, the length in bytes and counting itself. */
function parsePax(data: Uint8Array): Overrides {
  let overrides: Overrides = {};
  let offset = 0;
  while (offset < data.length) {
    const space = data.indexOf(0x20, offset);
    const digits = space < 0 ? '' : ascii(data.subarray(offset, space));
    const length = /^[1-9][0-9]{0,8}$/.test(digits) ? Number(digits) : 0;
    const equals = data.indexOf(0x3d, space);
    const end = offset + length - 1;
    if (length === 0 || equals < 0 || equals > end || data[end] !== 0x0a) {
      throw new ArchiveRefusedError('format', 'the archive holds a broken pax header');
    }
    const key = ascii(data.subarray(space + 1, equals));
    const value = data.subarray(equals + 1, end);
    if (key.startsWith('GNU.sparse.'))
      throw new ArchiveRefusedError(
        'type',
        'the archive holds a sparse file; only regular files and directories are taken',
      );
    if (key === 'path') overrides = { ...overrides, path: value };
    if (key === 'size') overrides = { ...overrides, size: parsePaxSize(ascii(value)) };
    offset = end + 1;
  }
  return overrides;
}

function parsePaxSize(text: string): number {
  const size = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(size))
    throw new ArchiveRefusedError('format', `the archive holds a pax size of ${quote(text.slice(0, 40))}`);
  return size;
}

function headerName(header: Uint8Array): Uint8Array {
  const name = untilNul(header.subarray(0, 100));
  const isUstar = ascii(header.subarray(257, 263)) === 'ustar\0';
  const prefix = isUstar ? untilNul(header.subarray(345, 500)) : new Uint8Array();
  return prefix.length === 0 ? name : Uint8Array.from([...prefix, 0x2f, ...name]);
}

/** Octal text, or GNU's base-256 when the first bit is set. */
function parseNumber(field: Uint8Array, offset: number): number {
  if (((field[0] ?? 0) & 0x80) !== 0) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, (field[0] ?? 0) & 0x7f);
    if (Number.isSafeInteger(value)) return value;
  } else {
    const text = ascii(untilNul(field)).trim();
    if (/^[0-7]{0,12}$/.test(text)) return text === '' ? 0 : Number.parseInt(text, 8);
  }
  throw new ArchiveRefusedError('format', `the archive's entry at byte ${offset} has no readable size`);
}

function checkSum(header: Uint8Array, offset: number): void {
  let sum = 8 * 0x20;
  for (let index = 0; index < BLOCK; index += 1) {
    if (index < 148 || index >= 156) sum += header[index] ?? 0;
  }
  const stated = ascii(untilNul(header.subarray(148, 156))).trim();
  if (!/^[0-7]+$/.test(stated) || Number.parseInt(stated, 8) !== sum) {
    throw new ArchiveRefusedError(
      'format',
      `the archive is not a tar archive: wrong header checksum at byte ${offset}`,
    );
  }
}

function truncated(offset: number, size: number, left: number): ArchiveRefusedError {
  return new ArchiveRefusedError(
    'format',
    `the archive is cut short: the entry at byte ${offset} claims ${size} bytes, ${left} are left`,
  );
}

/** Names the folder that holds most of them: a person has to know where to look. */
function tooManyEntries(limits: SourceLimits, seen: ReadonlySet<string>): ArchiveRefusedError {
  const perFolder = new Map<string, number>();
  for (const path of seen) {
    const folder = path.split('/').slice(0, 3).join('/');
    perFolder.set(folder, (perFolder.get(folder) ?? 0) + 1);
  }
  const [folder, most] = [...perFolder].reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0]);
  const where = folder === '' ? '' : `; ${quote(folder)} alone has ${most}`;
  return new ArchiveRefusedError('entries', `the archive has more than ${limits.entries} entries${where}`);
}

function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function isZeroBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** Bytes as characters of the same number; ASCII fields stay what they are. */
function ascii(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 512)).toString('latin1');
}

function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}...` : text);
}
