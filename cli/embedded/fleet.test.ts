import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
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

it('leaves alone a folder that holds something else', async () => {
  const fleet = path.join(folder, 'fleet');
  await mkdir(fleet);
  await writeFile(path.join(fleet, 'letter.txt'), 'mine');
  await expect(open()).rejects.toThrow(`${fleet} holds files and is no clone of the fleet repository: move it away`);
  expect(await readdir(fleet)).toEqual(['letter.txt']);
});
