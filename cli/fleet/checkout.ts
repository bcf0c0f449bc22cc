import { isUtf8 } from 'node:buffer';
import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { CliExit, EXIT } from '../exit.ts';
import { type FleetTree, type LeftOut, MOST_ENTRIES, TENANTS_FOLDER, type TreeFile } from './tree.ts';

/**
 * Lists the fleet in a folder on this machine, tracked or not. Follows no symbolic link, so it never reads outside the folder, and opens regular files only.
 * Rejects with a {@link CliExit} when there is no fleet or it cannot be read.
 */
export async function readCheckout(folder: string): Promise<FleetTree> {
  const root = path.resolve(folder);
  await assertFleet(root);
  const files: TreeFile[] = [];
  const leftOut: LeftOut[] = [];
  const names = new Map<string, Buffer>();
  const pending: Buffer[] = [Buffer.from(TENANTS_FOLDER)];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for (const entry of await list(root, at)) {
      if (files.length + leftOut.length + pending.length > MOST_ENTRIES) {
        throw new CliExit(EXIT.usage, `${root} has more than ${MOST_ENTRIES} entries below tenants/; is it a fleet?`);
      }
      const full = Buffer.concat([at, SLASH, entry.name]);
      const shown = full.toString('utf8');
      if (entry.isDirectory()) {
        if (entry.name.toString('latin1') === '.git') leftOut.push({ path: shown, what: 'a repository of its own' });
        else pending.push(full);
      } else if (entry.isFile()) {
        names.set(shown, full);
        files.push({ path: shown, validName: isUtf8(full), sizeBytes: await sizeOf(root, full) });
      } else {
        leftOut.push({ path: shown, what: entry.isSymbolicLink() ? 'a symbolic link' : 'no regular file' });
      }
    }
  }
  return { files, leftOut, read: (paths) => readFiles(root, paths, names) };
}

const SLASH = Buffer.from('/');

async function assertFleet(root: string): Promise<void> {
  const found = await lstat(path.join(root, TENANTS_FOLDER)).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  const why =
    found?.isSymbolicLink() === true
      ? 'tenants/ is a symbolic link, which is not followed'
      : 'there is no tenants/ in it';
  throw new CliExit(
    EXIT.usage,
    `${root} is no checkout of a fleet repository: ${why}; name the folder that holds tenants/`,
  );
}

async function list(root: string, folder: Buffer) {
  try {
    const entries = await readdir(resolve(root, folder), { withFileTypes: true, encoding: 'buffer' });
    return entries.sort((a, b) => Buffer.compare(a.name, b.name));
  } catch (error) {
    throw unreadable(folder, error);
  }
}

async function sizeOf(root: string, file: Buffer): Promise<number> {
  try {
    return (await lstat(resolve(root, file))).size;
  } catch (error) {
    throw unreadable(file, error);
  }
}

async function readFiles(
  root: string,
  paths: readonly string[],
  names: ReadonlyMap<string, Buffer>,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  for (const one of paths) {
    const name = names.get(one);
    if (name !== undefined) contents.set(one, await readOne(root, name));
  }
  return contents;
}

/** What became a link or a pipe since it was listed is refused, and not waited for. */
async function readOne(root: string, name: Buffer): Promise<Uint8Array> {
  try {
    const file = await open(resolve(root, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(name, error);
  }
}

function resolve(root: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(root), SLASH, name]);
}

function unreadable(name: Buffer, error: unknown): CliExit {
  const why = error instanceof Error && 'code' in error ? error.code : String(error);
  return new CliExit(EXIT.usage, `${name.toString('utf8')} cannot be read: ${why}`, { cause: error });
}
