import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of the store: a folder's name and the `sha256:<hex>` digest of an archive. */
export type StoredArchive = {
  readonly name: string;
  readonly digest: string;
  readonly modifiedMs: number;
  readonly sizeBytes: number;
};

/**
 * The archives on the volume: `<directory>/<namespace>/<name>/<hex>.tar.gz`, which is also the path under which they are served. A file's
 * name is the digest of its bytes, so a file is never changed, only added and collected. What is there is known from an index in
 * memory; `refresh` rebuilds it from the volume and drops files that are not what their name says.
 */
export type ArchiveStore = {
  refresh(): Promise<void>;
  find(name: string, digest: string): StoredArchive | undefined;
  list(): readonly StoredArchive[];
  /** Rejects with the file system's error (ENOENT: lost; then the index forgets it). */
  read(name: string, digest: string): Promise<Buffer>;
  /** Writes beside and renames, so that a reader never sees half a file. No-op when it is there. */
  write(name: string, digest: string, bytes: Uint8Array): Promise<void>;
  remove(name: string, digest: string): Promise<void>;
  /** Path below the server's root. */
  pathOf(name: string, digest: string): string;
};

export function createArchiveStore(
  deps: { readonly now: () => number },
  options: { readonly directory: string; readonly namespace: string },
): ArchiveStore {
  /** By name, then digest: looked up for every folder at every pass. */
  const index = new Map<string, Map<string, StoredArchive>>();
  const add = (archive: StoredArchive): void => {
    const archives = index.get(archive.name) ?? new Map<string, StoredArchive>();
    index.set(archive.name, archives.set(archive.digest, archive));
  };
  const drop = (name: string, digest: string): void => {
    const archives = index.get(name);
    archives?.delete(digest);
    if (archives?.size === 0) index.delete(name);
  };
  const root = join(options.directory, options.namespace);
  const pathOf = (name: string, digest: string): string => `${options.namespace}/${name}/${fileName(digest)}`;
  const absolute = (name: string, digest: string): string => join(options.directory, pathOf(name, digest));

  return {
    async refresh() {
      const found = await scan(root);
      index.clear();
      for (const archive of found) add(archive);
    },
    find: (name, digest) => index.get(name)?.get(digest),
    list: () => [...index.values()].flatMap((archives) => [...archives.values()]),
    async read(name, digest) {
      try {
        return await readFile(absolute(name, digest));
      } catch (error) {
        drop(name, digest);
        throw error;
      }
    },
    async write(name, digest, bytes) {
      if (index.get(name)?.has(digest) === true) return;
      const target = absolute(name, digest);
      await mkdir(join(root, name), { recursive: true });
      await writeFile(`${target}.part`, bytes);
      await rename(`${target}.part`, target);
      add({ name, digest, modifiedMs: deps.now(), sizeBytes: bytes.length });
    },
    async remove(name, digest) {
      drop(name, digest);
      await rm(absolute(name, digest), { force: true });
    },
    pathOf,
  };
}

const FILE = /^([0-9a-f]{64})\.tar\.gz$/;

function fileName(digest: string): string {
  const hex = digest.replace(/^sha256:/, '');
  if (!/^[0-9a-f]{64}$/.test(hex))
    throw new RangeError(`a digest is sha256:<64 hex digits>, got ${JSON.stringify(digest)}`);
  return `${hex}.tar.gz`;
}

async function scan(root: string): Promise<readonly StoredArchive[]> {
  const found: StoredArchive[] = [];
  for (const name of await readdirOrNone(root)) {
    for (const file of await readdirOrNone(join(root, name))) {
      const path = join(root, name, file);
      const hex = FILE.exec(file)?.[1];
      const bytes = hex === undefined ? undefined : await readFile(path);
      if (hex === undefined || bytes === undefined || createHash('sha256').update(bytes).digest('hex') !== hex) {
        await rm(path, { force: true, recursive: true });
        continue;
      }
      found.push({ name, digest: `sha256:${hex}`, modifiedMs: (await stat(path)).mtimeMs, sizeBytes: bytes.length });
    }
  }
  return found;
}

async function readdirOrNone(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return [];
    throw error;
  }
}
