import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimCopies, isProcessAlive } from './copies.ts';

let folder = '';
beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), 'sublet-copies-')), 'git');
});
afterEach(() => rm(path.dirname(folder), { recursive: true, force: true }));

const claim = (pid: number, alive: readonly number[] = [], host = 'pod-1') =>
  claimCopies({ folder, host, pid, isAlive: (other) => alive.includes(other) });
const makeIn = async (pid: number, host?: string): Promise<string> => {
  const copy = await (await claim(pid, [1, 2, 3], host)).make('fleet');
  await writeFile(path.join(copy, 'pack'), 'x');
  return copy;
};
const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

describe('copies of repositories', () => {
  it('are made in a folder that nobody else reads', async () => {
    const copies = await claim(1);
    const [one, two] = [await copies.make('fleet'), await copies.make('tenant-t-acme')];
    expect(one).not.toBe(two);
    expect([one, two].map((copy) => path.basename(copy).slice(0, -6))).toEqual(['fleet-', 'tenant-t-acme-']);
    expect((await stat(path.dirname(one))).mode & 0o777).toBe(0o700);
  });

  it('go at the next start when their process was killed', async () => {
    const [dead, alive] = [await makeIn(1), await makeIn(2)];
    await claim(4, [2]);
    expect([await isThere(dead), await isThere(alive)]).toEqual([false, true]);
  });

  it('go when this process has the id of the one that was killed, as in a container', async () => {
    const dead = await makeIn(1);
    const copies = await claim(1, [1]);
    expect(await isThere(dead)).toBe(false);
    expect(await isThere(await copies.make('fleet'))).toBe(true);
  });

  it('stay when they are of another machine, or nobody’s', async () => {
    const other = await makeIn(1, 'pod-2');
    await mkdir(path.join(folder, 'lost+found'));
    await claim(4);
    expect(await isThere(other)).toBe(true);
    expect((await readdir(folder)).toSorted()).toEqual(['copies-pod-2@1', 'lost+found']);
  });
});

describe('a process', () => {
  it('is known to be alive, or not', () => {
    const ended = Number(execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }));
    expect([isProcessAlive(process.pid), isProcessAlive(1), isProcessAlive(ended)]).toEqual([true, true, false]);
  });
});
