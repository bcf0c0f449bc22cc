import { isUtf8 } from 'node:buffer';
import { type CommitId, RepositoryError, type TreeEntry } from '../repository.ts';
import type { ObjectReader } from './catfile.ts';

/** An entry of one tree object. `isText`: the name is UTF-8; bytes of it that are not show as U+FFFD. */
export type TreeItem = {
  readonly name: string;
  readonly isText: boolean;
  readonly mode: string;
  readonly id: string;
};

/** Looks up entries of one commit by path, each tree object once. */
export type TreeLookup = { find(path: string): Promise<TreeItem | undefined> };

export function createTreeLookup(objects: ObjectReader, commit: CommitId, maxTreeBytes: number): TreeLookup {
  const trees = new Map<string, Promise<ReadonlyMap<string, TreeItem>>>();
  const readTree = (id: string) => {
    const known = trees.get(id) ?? loadTree(objects, id, maxTreeBytes);
    trees.set(id, known);
    return known;
  };
  const find = async (path: string): Promise<TreeItem | undefined> => {
    const slash = path.lastIndexOf('/');
    const parent = slash < 0 ? { mode: FOLDER, id: await treeOf(objects, commit) } : await find(path.slice(0, slash));
    if (parent === undefined || parent.mode !== FOLDER) return undefined;
    return (await readTree(parent.id)).get(path.slice(slash + 1));
  };
  return { find };
}

/** Modes as tree objects have them. */
export const FOLDER = '40000';
export const EXECUTABLE = '100755';
/** `100664` is what old versions of git wrote for files. */
export const FILES: ReadonlySet<string> = new Set(['100644', '100664', EXECUTABLE]);

/** Parses `ls-tree -rlz`: `mode type id size\tpath`, NUL behind each. */
export function parseListing(output: Buffer, maxFiles: number): readonly TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (const line of output.toString('utf8').split('\0')) {
    const match = /^([0-7]{6}) ([a-z]+) ([0-9a-f]{40,64}) +([0-9]+|-)\t(.*)$/s.exec(line);
    if (match === null) continue;
    const [, modeText = '', , blob = '', size = '', path = ''] = match;
    const mode = MODES.get(modeText) ?? 'file';
    entries.push({ path, blob, mode, ...(mode === 'file' || mode === 'executable' ? { size: Number(size) } : {}) });
    if (entries.length > maxFiles) {
      throw new RepositoryError('TooLarge', `the folder has more than ${maxFiles} files`);
    }
  }
  return entries;
}

const MODES: ReadonlyMap<string, TreeEntry['mode']> = new Map([
  ['100755', 'executable'],
  ['120000', 'symlink'],
  ['160000', 'submodule'],
]);

/** The root of a commit, which may be too large to be read itself. */
export async function treeOf(objects: ObjectReader, commit: CommitId): Promise<string> {
  const id = (await objects.info(`${commit}^{tree}`))?.id;
  if (id === undefined) throw new RepositoryError('Broken', `the commit ${commit.slice(0, 12)} is not in the copy`);
  return id;
}

/** The entries of one tree object, in its order; undefined when it is not there or no tree. */
export async function readTree(
  objects: ObjectReader,
  id: string,
  maxBytes: number,
): Promise<readonly TreeItem[] | undefined> {
  const info = await objects.info(id);
  if (info?.type !== 'tree') return undefined;
  if (info.size > maxBytes) throw new RepositoryError('TooLarge', `a folder's list has more than ${maxBytes} bytes`);
  const object = await objects.content(id);
  return object && parseTree(object.content, id.length / 2);
}

async function loadTree(objects: ObjectReader, id: string, maxBytes: number): Promise<ReadonlyMap<string, TreeItem>> {
  const items = (await readTree(objects, id, maxBytes)) ?? [];
  return new Map(items.map((item) => [item.name, item]));
}

/** `mode name NUL id` again and again. Rejects what is anything else: a part of a folder must not pass for the whole. */
export function parseTree(content: Buffer, idBytes: number): readonly TreeItem[] {
  const items: TreeItem[] = [];
  let at = 0;
  while (at < content.length) {
    const space = content.indexOf(0x20, at);
    const end = content.indexOf(0, space);
    if (space < 0 || end < 0 || end + 1 + idBytes > content.length)
      throw new RepositoryError('Refused', 'the repository holds a malformed tree');
    const name = content.subarray(space + 1, end);
    const id = content.toString('hex', end + 1, end + 1 + idBytes);
    items.push({ name: name.toString('utf8'), isText: isUtf8(name), mode: content.toString('latin1', at, space), id });
    at = end + 1 + idBytes;
  }
  return items;
}
