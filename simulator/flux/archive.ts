import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';

export type ArchiveFile = { readonly path: string; readonly bytes: Uint8Array; readonly executable?: boolean };

/** The bytes of a `.tar.gz` and `sha256:<hex>` of them. */
export type Archive = { readonly bytes: Buffer; readonly digest: string };

/** Files by path; folders with or without files in them, the root being `''`. */
export type Tree = { readonly files: ReadonlyMap<string, Buffer>; readonly folders: ReadonlySet<string> };

/**
 * A `.tar.gz` as source-controller lays it out: folders and regular files in the order of a walk, owners and times zero, three modes. Done at
 * once in the calling turn, and the same for the same files.
 */
export function renderArchive(files: readonly ArchiveFile[], folders: readonly string[] = []): Archive {
  const all = new Set(['', ...folders, ...files.flatMap(({ path }) => foldersAbove(path))]);
  const entries = [
    ...[...all].map((path) => ({ path, bytes: EMPTY, mode: '0000750', type: '5' })),
    ...files.map(({ path, bytes, executable = false }) => {
      return { path, bytes: Buffer.from(bytes), mode: executable ? '0000700' : '0000600', type: '0' };
    }),
  ].sort((a, b) => compareWalk(a.path, b.path));
  const tar = Buffer.concat([...entries.flatMap(renderEntry), Buffer.alloc(2 * BLOCK)]);
  // The quickest level: folders are packed at every commit, and nobody stores them for long.
  const bytes = gzipSync(tar, { level: 1 });
  return { bytes, digest: digestOf(bytes) };
}

/**
 * What a `.tar.gz` holds; links are passed over, as kustomize-controller does. Throws on what is no whole archive and on paths that lead
 * out of it.
 */
export function parseArchive(bytes: Uint8Array): Tree {
  const tar = gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
  const files = new Map<string, Buffer>();
  const folders = new Set(['']);
  let longName: string | undefined;
  for (let offset = 0; offset + BLOCK <= tar.length && tar[offset] !== 0; ) {
    const header = tar.subarray(offset, offset + BLOCK);
    const size = Number.parseInt(text(header, 124, 12).trim() || '0', 8);
    const start = offset + BLOCK;
    if (Number.isNaN(size) || start + size > tar.length) throw new Error('the archive is cut short or no tar archive');
    const data = tar.subarray(start, start + size);
    offset = start + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === 'L') longName = data.toString('utf8').replace(/\0+$/, '');
    else if (type === 'x') longName = /(?:^|\n)\d+ path=([^\n]*)\n/.exec(data.toString('utf8'))?.[1];
    if (META_TYPES.has(type)) continue;
    const prefix = text(header, 345, 155);
    const path = normalise(longName ?? (prefix === '' ? '' : `${prefix}/`) + text(header, 0, 100));
    longName = undefined;
    if (type === '0' || type === '\0') files.set(path, data);
    else if (type !== '5') continue;
    for (const folder of [...foldersAbove(path), ...(type === '5' ? [path] : [])]) folders.add(folder);
  }
  return { files, folders };
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The order of a walk through folders: names of one folder by their bytes, a folder before what it holds. */
export function compareWalk(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left === right) continue;
    if (left === SLASH) return -1;
    if (right === SLASH) return 1;
    // UTF-16 and UTF-8 order alike below the surrogates.
    if (left < SURROGATES || right < SURROGATES) return left - right;
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  return a.length - b.length;
}

const SLASH = 0x2f;
const SURROGATES = 0xd800;

const BLOCK = 512;
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);
const META_TYPES: ReadonlySet<string> = new Set(['x', 'g', 'L', 'K']);

function foldersAbove(path: string): readonly string[] {
  const segments = path.split('/').slice(0, -1);
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'));
}

type Entry = { readonly path: string; readonly bytes: Buffer; readonly mode: string; readonly type: string };

/** Paths over 100 bytes get a GNU long name in front. */
function renderEntry({ path, bytes, mode, type }: Entry): readonly Buffer[] {
  const name = Buffer.from(path === '' ? '.' : path);
  const long =
    name.length <= 100 ? [] : renderBlocks(Buffer.from('././@LongLink'), Buffer.concat([name, ZERO]), '0000644', 'L');
  return [...long, ...renderBlocks(name.subarray(0, 100), bytes, mode, type)];
}

const ZERO = Buffer.alloc(1);

function renderBlocks(name: Buffer, data: Buffer, mode: string, type: string): readonly Buffer[] {
  const header = Buffer.alloc(BLOCK);
  name.copy(header, 0);
  header.write(`${mode}\0`, 100, 'latin1');
  header.write('0000000\0', 108, 'latin1');
  header.write('0000000\0', 116, 'latin1');
  header.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.write('00000000000\0', 136, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write(type, 156, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return [header, data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)];
}

function text(header: Buffer, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

function normalise(name: string): string {
  const path = name.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
  if (path === '.' || path === '') return '';
  if (path.startsWith('/') || path.split('/').includes('..'))
    throw new Error(`the archive's path ${name} leads out of it`);
  return path;
}
