import type { ArchiveStore, StoredArchive } from '../../source/store.ts';

/** The fleet source's volume, in memory: it outlives the processes that use it. */
export type Volume = {
  /** What one process has of it. */
  mount(deps: { readonly now: () => number }): ArchiveStore;
  /** What its archive server would answer for a path. */
  serve(path: string): Buffer | undefined;
};

type Kept = StoredArchive & { readonly bytes: Buffer };

export function createVolume(namespace: string): Volume {
  const kept = new Map<string, Kept>();
  const pathOf = (name: string, digest: string): string =>
    `${namespace}/${name}/${digest.replace(/^sha256:/, '')}.tar.gz`;
  return {
    mount: ({ now }) => ({
      refresh: async () => {},
      find: (name, digest) => kept.get(pathOf(name, digest)),
      list: () => [...kept.values()],
      read: async (name, digest) => {
        const found = kept.get(pathOf(name, digest));
        if (found === undefined) throw Object.assign(new Error(`ENOENT: ${pathOf(name, digest)}`), { code: 'ENOENT' });
        return found.bytes;
      },
      write: async (name, digest, bytes) => {
        const path = pathOf(name, digest);
        if (kept.has(path)) return;
        kept.set(path, { name, digest, modifiedMs: now(), sizeBytes: bytes.length, bytes: Buffer.from(bytes) });
      },
      remove: async (name, digest) => void kept.delete(pathOf(name, digest)),
      pathOf,
    }),
    serve: (path) => kept.get(path)?.bytes,
  };
}
