import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ArchiveRefusedError, RATIO_FLOOR_BYTES, type SourceLimits } from './limits.ts';

/** What source-controller states about the artifact it fetched. */
export type ArtifactRef = {
  readonly url: string;
  /** `sha256:<hex>` of the bytes behind `url`. */
  readonly digest: string;
};

/** Gunzips a whole file; rejects with a RangeError when it would give more than `maxOutputLength` bytes. */
export type Gunzip = (compressed: Uint8Array, options: { readonly maxOutputLength: number }) => Promise<Uint8Array>;

/** Beside the event loop, so that a large archive holds nothing up. */
export const gunzipInPool: Gunzip = promisify(gunzip);

/** Opens a URL for reading. Rejects on any answer but 200; the message names the status. */
export type OpenUrl = (url: string, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;

/**
 * Downloads the artifact and gives its tar bytes: the compressed size, the digest, the decompressed size and the ratio between the two are
 * checked before anything looks inside. Rejects with ArchiveRefusedError when the content is at fault, with any other error when the way
 * there is (worth another try).
 */
export async function fetchArtifact(
  deps: { readonly openUrl: OpenUrl; readonly gunzip: Gunzip },
  artifact: ArtifactRef,
  limits: SourceLimits,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (!/^sha256:[0-9a-f]{64}$/.test(artifact.digest)) {
    throw new ArchiveRefusedError(
      'digest',
      `the artifact's digest ${JSON.stringify(artifact.digest)} is not sha256:<64 hex digits>`,
    );
  }
  const compressed = await download(deps.openUrl, artifact, limits, signal);
  return decompress(deps.gunzip, compressed, limits);
}

async function download(
  openUrl: OpenUrl,
  artifact: ArtifactRef,
  limits: SourceLimits,
  signal: AbortSignal,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of await openUrl(artifact.url, signal)) {
    bytes += chunk.length;
    if (bytes > limits.archiveBytes) {
      throw new ArchiveRefusedError(
        'archiveBytes',
        `the artifact has more than archiveBytes ${limits.archiveBytes} bytes`,
      );
    }
    hash.update(chunk);
    chunks.push(chunk);
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest !== artifact.digest) {
    throw new Error(
      `the artifact at ${artifact.url} has digest ${digest}, source-controller stated ${artifact.digest}; it may have just moved on`,
    );
  }
  return Buffer.concat(chunks);
}

/** Gunzips within `unpackedBytes` and `compressionRatio`. */
export async function decompress(gunzip: Gunzip, compressed: Uint8Array, limits: SourceLimits): Promise<Uint8Array> {
  const byRatio = Math.max(RATIO_FLOOR_BYTES, compressed.length * limits.compressionRatio);
  const most = Math.min(limits.unpackedBytes, byRatio);
  try {
    return await gunzip(compressed, { maxOutputLength: most });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(compressed.length, byRatio, limits);
    throw new ArchiveRefusedError(
      'format',
      `the artifact is not a whole gzip file: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function tooLarge(compressedBytes: number, byRatio: number, limits: SourceLimits): ArchiveRefusedError {
  if (byRatio < limits.unpackedBytes) {
    return new ArchiveRefusedError(
      'compressionRatio',
      `${compressedBytes} bytes unpack to more than ${byRatio}, past compressionRatio ${limits.compressionRatio}; this looks like an archive bomb`,
    );
  }
  return new ArchiveRefusedError(
    'unpackedBytes',
    `the artifact unpacks to more than unpackedBytes ${limits.unpackedBytes} bytes`,
  );
}
