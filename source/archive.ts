import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ArchiveFile } from './values.ts';

/** A published archive: its bytes and `sha256:<hex>` of them. */
export type Archive = { readonly bytes: Buffer; readonly digest: string };

/**
 * Renders files to a `.tar.gz` that depends on nothing but their names and texts: sorted by code unit, times and owners zero, and gzip
 * with stored blocks only. Stored, because a compressor may choose differently in its next version, and then an upgrade would move every
 * tenant's artifact; a folder is a few kilobytes anyway. Names are at most 100 ASCII characters (the gate holds that); a longer one throws.
 */
export function renderArchive(files: readonly ArchiveFile[]): Archive {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const blocks = sorted.flatMap((file) => renderEntry(file.name, Buffer.from(file.text, 'utf8')));
  const bytes = renderStoredGzip(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]));
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

const BLOCK = 512;
const STORED_BLOCK_BYTES = 65_535;

function renderEntry(name: string, data: Buffer): readonly Buffer[] {
  if (!/^[\x21-\x7e]{1,100}$/.test(name))
    throw new RangeError(`an archive name has 1 to 100 printable ASCII characters, got ${JSON.stringify(name)}`);
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 'latin1');
  header.write('0000644\0', 100, 'latin1');
  header.write('0000000\0', 108, 'latin1');
  header.write('0000000\0', 116, 'latin1');
  header.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.write('00000000000\0', 136, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return [header, data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)];
}

/** RFC 1952 around RFC 1951 stored blocks: no name, no time, operating system unknown. */
function renderStoredGzip(data: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from([0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0xff])];
  for (let offset = 0; offset < data.length; offset += STORED_BLOCK_BYTES) {
    const block = data.subarray(offset, offset + STORED_BLOCK_BYTES);
    const head = Buffer.alloc(5);
    head[0] = offset + block.length === data.length ? 1 : 0;
    head.writeUInt16LE(block.length, 1);
    head.writeUInt16LE(block.length ^ 0xffff, 3);
    parts.push(head, block);
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(data), 0);
  trailer.writeUInt32LE(data.length, 4);
  return Buffer.concat([...parts, trailer]);
}
