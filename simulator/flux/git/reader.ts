import type { GitReference } from '../resources.ts';

/** What a reference points to: the commit, and the reference as a revision shows it (`main`, `refs/pull/1/head`; empty for a bare commit). */
export type Head = { readonly commit: string; readonly reference: string };

/** `blob` is how the reader finds the content again. */
export type GitFile = { readonly path: string; readonly executable: boolean; readonly blob: string };

/** What a Secret says of how to fetch. Absent members ask for nothing. */
export type GitAccess = {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly bearerToken?: string | undefined;
  /** PEM of the authorities that the server is checked by. */
  readonly ca?: string | undefined;
};

/** Read access to Git repositories by URL. What is thrown says why in words that fit a condition. */
export type GitReader = {
  /** Asks the remote; undefined when the repository has no commit at all. */
  resolve(url: string, reference: GitReference, signal: AbortSignal, access?: GitAccess): Promise<Head | undefined>;
  /** The regular files of a commit, by path in the order of their bytes; links and submodules are left out. */
  listFiles(url: string, head: Head, signal: AbortSignal, access?: GitAccess): Promise<readonly GitFile[]>;
  /** The contents of files that `listFiles` named, in the order that is asked for. */
  readFiles(
    url: string,
    head: Head,
    files: readonly GitFile[],
    signal: AbortSignal,
    access?: GitAccess,
  ): Promise<readonly Buffer[]>;
};

/** `main@sha1:<commit>`, as source-controller writes revisions. */
export function renderRevision({ reference, commit }: Head): string {
  return reference === '' ? `sha1:${commit}` : `${reference}@sha1:${commit}`;
}

/** What to look for at a remote: a full reference name, or nothing but a commit; and how the revision shows it. */
export function parseReference(reference: GitReference): {
  readonly ref: string | undefined;
  readonly commit: string | undefined;
  readonly shown: string;
} {
  const { branch, tag, name, commit } = reference;
  if (commit !== undefined && commit !== '') {
    const ref = branch === undefined || branch === '' ? undefined : `refs/heads/${branch}`;
    return { ref, commit, shown: ref === undefined ? '' : (branch ?? '') };
  }
  if (name !== undefined && name !== '') return { ref: name, commit: undefined, shown: name };
  if (tag !== undefined && tag !== '') return { ref: `refs/tags/${tag}`, commit: undefined, shown: tag };
  const shown = branch === undefined || branch === '' ? 'master' : branch;
  return { ref: `refs/heads/${shown}`, commit: undefined, shown };
}
