import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

/** An entry of a tar archive that is written byte for byte as asked, sane or not. */
export type RawEntry = {
  readonly name: string | Uint8Array;
  readonly data?: string | Uint8Array;
  /** The type flag; `0` is a regular file. */
  readonly type?: string;
  readonly prefix?: string;
  readonly linkname?: string;
  /** Overrides the size field only. */
  readonly size?: number;
};

export function buildRawTar(entries: readonly RawEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(renderEntry), Buffer.alloc(1024)]);
}

export function paxRecord(key: string, value: string): string {
  const body = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(body) + 1;
  while (`${length}`.length + Buffer.byteLength(body) !== length) length = `${length}`.length + Buffer.byteLength(body);
  return `${length}${body}`;
}

/** A `.tar.gz` by tar-stream, a writer that is not ours, from paths and texts. */
export async function buildTarGz(
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<{ bytes: Buffer; digest: string }> {
  const stream = pack();
  for (const [name, content] of Object.entries(files)) stream.entry({ name }, Buffer.from(content));
  stream.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) if (chunk instanceof Uint8Array) chunks.push(chunk);
  const bytes = gzipSync(Buffer.concat(chunks));
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

function renderEntry(entry: RawEntry): readonly Buffer[] {
  const data = Buffer.from(entry.data ?? '');
  const header = Buffer.alloc(512);
  Buffer.from(entry.name).copy(header, 0, 0, 100);
  header.write('0000644\0', 100, 'latin1');
  header.write(`${(entry.size ?? data.length).toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.write(entry.type ?? '0', 156, 'latin1');
  header.write(entry.linkname ?? '', 157, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  header.write(entry.prefix ?? '', 345, 'latin1');
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return [header, data, Buffer.alloc((512 - (data.length % 512)) % 512)];
}
