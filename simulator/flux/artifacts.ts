import { digestOf } from './archive.ts';

/** Opens a URL for reading. Rejects on any answer but success, naming the status: a 404 counts as "not there yet". */
export type OpenUrl = (url: string, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;

/** Where archives are kept and under what address others read them. */
export type ArtifactHost = {
  /** Before a path; no slash at the end. */
  readonly baseUrl: string;
  put(path: string, bytes: Buffer): void;
  get(path: string): Buffer | undefined;
  /** Removes what lies below the folder and is not among the paths. */
  keepOnly(folder: string, paths: readonly string[]): void;
};

/** Archives in this process, read through `openUrl` without a socket. */
export type MemoryArtifactHost = ArtifactHost & { readonly openUrl: OpenUrl };

export function createMemoryArtifactHost(baseUrl = 'http://source-controller.flux-system.svc'): MemoryArtifactHost {
  const archives = new Map<string, Buffer>();
  return {
    baseUrl,
    put: (path, bytes) => void archives.set(path, bytes),
    get: (path) => archives.get(path),
    keepOnly: (folder, paths) => {
      for (const path of archives.keys()) {
        if (path.startsWith(`${folder}/`) && !paths.includes(path)) archives.delete(path);
      }
    },
    openUrl: async (url) => {
      const bytes = url.startsWith(`${baseUrl}/`) ? archives.get(url.slice(baseUrl.length + 1)) : undefined;
      if (bytes === undefined) throw new Error(`${url} answered 404`);
      return once(bytes);
    },
  };
}

/**
 * The bytes behind an artifact's URL. Throws `ArtifactGoneError` when nothing is there, and what kustomize-controller says when the
 * bytes are not the stated ones.
 */
export async function readArtifact(
  openUrl: OpenUrl,
  artifact: { readonly url: string; readonly digest: string },
  signal: AbortSignal,
): Promise<Buffer> {
  const bytes = await download(openUrl, artifact.url, signal);
  if (digestOf(bytes) !== artifact.digest) {
    throw new Error(
      `failed to verify archive: computed digest doesn't match provided '${artifact.digest}' (check whether file size exceeds max download size)`,
    );
  }
  return bytes;
}

/** Nothing is served under the URL (any more, or yet). */
export class ArtifactGoneError extends Error {
  override readonly name = 'ArtifactGoneError';
}

async function download(openUrl: OpenUrl, url: string, signal: AbortSignal): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of await openUrl(url, signal)) chunks.push(chunk);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (/\b404\b/.test(message)) throw new ArtifactGoneError(message);
    throw new Error(`failed to download archive: ${message}`, { cause: error });
  }
  return Buffer.concat(chunks);
}

async function* once(bytes: Buffer): AsyncIterable<Uint8Array> {
  yield bytes;
}
