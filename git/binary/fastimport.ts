import { cleanMessage, cleanPerson } from '../commitfields.ts';
import type { CommitId, NewCommit, Person } from '../repository.ts';
import { assertTreePath } from '../treepath.ts';

export type ImportFile = { readonly content: string | null; readonly isExecutable: boolean };

export type ImportCommit = Omit<NewCommit, 'files'> & { readonly files: ReadonlyMap<string, ImportFile> };

/**
 * The stream that `git fast-import` makes these commits of, one on the other on `ref`, which is gone again at its end: the objects are what is wanted. Mark
 * `:n` is the nth commit.
 */
export function* renderImport(
  ref: string,
  base: CommitId | undefined,
  commits: readonly ImportCommit[],
): Generator<string> {
  let piece = 'feature done\n';
  for (const [index, commit] of commits.entries()) {
    piece += renderCommit(ref, index + 1, index === 0 ? base : undefined, commit);
    if (piece.length > PIECE_LENGTH) {
      yield piece;
      piece = '';
    }
  }
  yield `${piece}reset ${ref}\nfrom ${'0'.repeat(base?.length ?? 40)}\n\ndone\n`;
}

/** The ids by marks, as `--export-marks` writes them. */
export function parseMarks(text: string, count: number): readonly CommitId[] | undefined {
  const ids: string[] = [];
  for (const line of text.split('\n')) {
    const match = /^:([0-9]+) ([0-9a-f]{40,64})$/.exec(line);
    if (match?.[2] !== undefined) ids[Number(match[1]) - 1] = match[2];
  }
  return ids.length === count && !ids.includes('') && Object.keys(ids).length === count ? ids : undefined;
}

const PIECE_LENGTH = 256 * 1024;

function renderCommit(ref: string, mark: number, base: CommitId | undefined, commit: ImportCommit): string {
  const seconds = Math.floor(commit.atMs / 1000);
  const files = [...commit.files].map(([path, { content, isExecutable }]) => {
    assertTreePath(path);
    const name = quotePath(path);
    return content === null
      ? `D ${name}\n`
      : `M ${isExecutable ? '100755' : '100644'} inline ${name}\n${renderData(content)}`;
  });
  return [
    `commit ${ref}\nmark :${mark}\n`,
    `author ${renderPerson(commit.author)} ${seconds} +0000\n`,
    `committer ${renderPerson(commit.committer)} ${seconds} +0000\n`,
    renderData(cleanMessage(commit.message)),
    base === undefined ? '' : `from ${base}\n`,
    ...files,
    '\n',
  ].join('');
}

function renderData(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

function renderPerson(person: Person): string {
  const { name, email } = cleanPerson(person);
  return `${name} <${email}>`;
}

function quotePath(path: string): string {
  return `"${path.replaceAll(/["\\]/g, '\\$&')}"`;
}
