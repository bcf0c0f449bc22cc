import type { MemoryRemote } from '../../git/memory/remote.ts';
import { type GitFile, type GitReader, parseReference } from '../../simulator/flux/git/reader.ts';

export type RemoteReaderOptions = { readonly url: string; readonly isReachable: () => boolean };

/** The simulated Flux's way to a remote in memory. Answers in the same turn of the event loop. */
export function createRemoteReader(remote: MemoryRemote, { url, isReachable }: RemoteReaderOptions): GitReader {
  const { objects } = remote;
  const assertThere = (asked: string): void => {
    if (asked !== url) throw new Error(`unable to clone: repository not found: git repository: '${asked}'`);
    if (!isReachable()) throw new Error(`unable to clone '${url}': connection refused`);
  };
  return {
    resolve: async (asked, reference) => {
      assertThere(asked);
      const { ref = '', commit, shown } = parseReference(reference);
      if (commit !== undefined) throw new Error(`unable to resolve commit object for '${commit}': ask for a branch`);
      const head = remote.head(ref.replace('refs/heads/', ''));
      if (head === undefined) throw new Error(`unable to clone '${url}': couldn't find remote ref "${ref}"`);
      return { commit: head, reference: shown };
    },
    listFiles: async (asked, { commit }) => {
      assertThere(asked);
      const files = [...objects.tree(commit)].flatMap(([path, { blob, mode }]): readonly GitFile[] =>
        mode === 'file' || mode === 'executable' ? [{ path, blob, executable: mode === 'executable' }] : [],
      );
      return files.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
    },
    readFiles: async (asked, { commit }, files) => {
      assertThere(asked);
      return files.map(({ path, blob }) => {
        const bytes = objects.blob(blob);
        if (bytes === undefined) throw new Error(`${path} is not in commit ${commit}`);
        return Buffer.from(bytes);
      });
    },
  };
}
