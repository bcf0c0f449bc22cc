import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { claimFolder, lockFolder } from './folder.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sublet-lock-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

it('takes a folder that is not there yet, and gives it back', async () => {
  const data = path.join(folder, 'a', 'b');
  const lock = await lockFolder(data);
  expect(await readFile(path.join(data, 'lock'), 'utf8')).toBe(`${process.pid}\n`);
  await lock.release();
  await (await lockFolder(data)).release();
});

it('names the process that has it', async () => {
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  try {
    await writeFile(path.join(folder, 'lock'), `${other.pid}\n`);
    await expect(lockFolder(folder)).rejects.toThrow(`${folder} is in use by process ${other.pid}`);
  } finally {
    other.kill();
  }
});

it('takes over what a killed process left, and a lock that says nothing', async () => {
  const dead = spawn(process.execPath, ['-e', '']);
  await once(dead, 'exit');
  for (const content of [`${dead.pid}\n`, '', 'nonsense', '-1']) {
    await writeFile(path.join(folder, 'lock'), content);
    await (await lockFolder(folder)).release();
  }
});

it('says that a file is no folder', async () => {
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  await expect(lockFolder(file)).rejects.toThrow(`${file} cannot hold data: EEXIST`);
});

it('says where no folder can be made', async () => {
  await expect(lockFolder('/proc/self/sublet/data')).rejects.toThrow('/proc/self/sublet/data cannot hold data: ENOENT');
});

it('is begun with one environment, and refuses another', async () => {
  const lock = await lockFolder(folder);
  await claimFolder(folder, 'staging');
  await claimFolder(folder, 'staging');
  await writeFile(path.join(folder, 'sublet.log'), '');
  await claimFolder(folder, 'staging');
  await expect(claimFolder(folder, 'production')).rejects.toThrow(
    `${folder} was begun with environment "staging": give --environment the same`,
  );
  await lock.release();
});

it("leaves a folder alone that holds somebody else's files", async () => {
  await writeFile(path.join(folder, 'thesis.txt'), 'hi');
  const lock = await lockFolder(folder);
  await expect(claimFolder(folder, 'staging')).rejects.toThrow(`${folder} holds "thesis.txt"`);
  await lock.release();
  expect(await readFile(path.join(folder, 'thesis.txt'), 'utf8')).toBe('hi');
});
