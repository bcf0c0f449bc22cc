import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRemote } from '../../simulator/git/server.ts';
import { openCheckout } from './fleet.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sublet-fleet-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const open = async () =>
  openCheckout(path.join(folder, 'fleet'), await createRemote(folder, `file://${folder}`, 'fleet'), { orders: true });

it('begins with the reference fleet, and clones again what was pushed', async () => {
  const first = await open();
  expect(first.isPublished).toBe(false);
  const commit = await first.push('Begin');
  await rm(first.path, { recursive: true });
  const second = await open();
  expect(second.isPublished).toBe(true);
  expect(await second.git('rev-parse', 'HEAD')).toBe(commit);
  expect(await readdir(second.path)).toEqual(expect.arrayContaining(['clusters', 'tenants']));
});

it.each([
  ['its configuration is garbage', (remote: string) => writeFile(path.join(remote, 'config'), '[core')],
  ['its objects are gone', (remote: string) => rm(path.join(remote, 'objects'), { recursive: true })],
  ['its branch points nowhere', (remote: string) => writeFile(path.join(remote, 'refs/heads/main'), 'nonsense\n')],
])('says what to do about a remote when %s, and goes on once it was moved away', async (_, damage) => {
  const commit = await (await open()).push('Begin');
  const remote = path.join(folder, 'fleet.git');
  await damage(remote);
  await expect(open()).rejects.toThrow(`the Git repository ${remote} cannot be used (`);
  await expect(open()).rejects.toThrow(/\((fatal|error): .*\): move it away and start again/);
  await rename(remote, `${remote}.damaged`);
  const again = await open();
  expect(again.isPublished).toBe(false);
  await again.push('Go on');
  expect(await again.git('rev-parse', 'HEAD~')).toBe(commit);
  expect((await open()).isPublished).toBe(true);
});

it('says what to do about a clone that git does not know any more, and leaves a repository around it alone', async () => {
  await promisify(execFile)('git', ['init', '--quiet', folder]);
  const outer = await readFile(path.join(folder, '.git', 'config'), 'utf8');
  const { path: fleet } = await open();
  await rm(path.join(fleet, '.git', 'HEAD'));
  await expect(open()).rejects.toThrow(`${fleet} is no usable clone of the fleet repository (fatal: not a git`);
  expect(await readFile(path.join(folder, '.git', 'config'), 'utf8')).toBe(outer);
});

it('leaves alone a folder that holds something else', async () => {
  const fleet = path.join(folder, 'fleet');
  await mkdir(fleet);
  await writeFile(path.join(fleet, 'letter.txt'), 'mine');
  await expect(open()).rejects.toThrow(`${fleet} holds files and is no clone of the fleet repository: move it away`);
  expect(await readdir(fleet)).toEqual(['letter.txt']);
});
