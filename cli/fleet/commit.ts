import { isUtf8 } from 'node:buffer';
import { CliExit, EXIT } from '../exit.ts';
import type { Git } from './git.ts';
import { type FleetTree, type LeftOut, MOST_ENTRIES, TENANTS_FOLDER, type TreeFile } from './tree.ts';

/** Lists the fleet in a commit, from Git's objects: nothing is checked out, and no filter or attribute of the repository is applied. */
export async function readCommit(git: Git, commit: string): Promise<FleetTree> {
  const output = await git.run(['ls-tree', '-r', '-l', '-z', '--full-tree', commit, '--', `${TENANTS_FOLDER}/`]);
  const files: TreeFile[] = [];
  const leftOut: LeftOut[] = [];
  const blobs = new Map<string, string>();
  for (const record of splitRecords(output)) {
    const { mode, blob, sizeBytes, name } = parseRecord(record);
    const path = name.toString('utf8');
    const what = LEFT_OUT[mode];
    if (what !== undefined) leftOut.push({ path, what });
    else {
      blobs.set(path, blob);
      files.push({ path, validName: isUtf8(name), sizeBytes, digest: blob });
    }
  }
  return { files, leftOut, read: (paths) => readBlobs(git, paths, blobs) };
}

const LEFT_OUT: Readonly<Record<string, string>> = { '120000': 'a symbolic link', '160000': 'a submodule' };

function* splitRecords(output: Buffer): Generator<Buffer> {
  let entries = 0;
  for (let start = 0; start < output.length; ) {
    const end = output.indexOf(0, start);
    if (end < 0) return;
    entries += 1;
    if (entries > MOST_ENTRIES)
      throw new CliExit(EXIT.usage, `the commit has more than ${MOST_ENTRIES} files below tenants/; is it a fleet?`);
    yield output.subarray(start, end);
    start = end + 1;
  }
}

/** `<mode> <type> <object> <size, padded>\t<path>`. */
function parseRecord(record: Buffer) {
  const tab = record.indexOf(0x09);
  const [mode = '', , blob = '', size = ''] = record.subarray(0, tab).toString('latin1').split(/ +/);
  return { mode, blob, sizeBytes: Number(size) || 0, name: record.subarray(tab + 1) };
}

async function readBlobs(
  git: Git,
  paths: readonly string[],
  blobs: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const wanted = [...new Set(paths.flatMap((path) => blobs.get(path) ?? []))];
  if (wanted.length === 0) return new Map();
  const byBlob = parseBatch(await git.run(['cat-file', '--batch'], wanted.map((blob) => `${blob}\n`).join('')));
  return new Map(
    paths.flatMap((path) => {
      const content = byBlob.get(blobs.get(path) ?? '');
      return content === undefined ? [] : [[path, content] as const];
    }),
  );
}

/** `<object> blob <size>\n<content>\n`, once for each object that was asked for. */
function parseBatch(output: Buffer): ReadonlyMap<string, Uint8Array> {
  const contents = new Map<string, Uint8Array>();
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf(0x0a, at);
    const [blob = '', type = '', size = ''] = output.subarray(at, end).toString('latin1').split(' ');
    if (end < 0 || type !== 'blob')
      throw new CliExit(EXIT.usage, `git has no content for ${blob}; the clone is partial, fetch it whole`);
    const start = end + 1;
    contents.set(blob, output.subarray(start, start + Number(size)));
    at = start + Number(size) + 1;
  }
  return contents;
}
