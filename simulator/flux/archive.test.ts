import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { compareWalk, parseArchive, renderArchive } from './archive.ts';

const file = (path: string, text = path) => ({ path, bytes: Buffer.from(text) });

it('reads what it wrote, long names and empty folders too', () => {
  const long = `${'folder/'.repeat(20)}file.yaml`;
  const { bytes } = renderArchive([file('b.yaml', 'B'), file(long), file('a/c.yaml')], ['empty/inside']);
  const { files, folders } = parseArchive(bytes);
  expect([...files.keys()].sort()).toEqual(['a/c.yaml', 'b.yaml', long].sort());
  expect(files.get('b.yaml')?.toString()).toBe('B');
  expect(folders.has('empty/inside')).toBe(true);
  expect(folders.has('folder/folder')).toBe(true);
});

it('depends on the files alone, not on their order', () => {
  const one = renderArchive([file('a'), file('b/c')]);
  expect(renderArchive([file('b/c'), file('a')])).toEqual(one);
  expect(renderArchive([file('a'), file('b/c', 'other')]).digest).not.toBe(one.digest);
});

it('is a tar archive to tar, and reads what tar wrote', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sublet-archive-'));
  try {
    writeFileSync(join(folder, 'x.tar.gz'), renderArchive([file('a/b.yaml'), file('c.yaml')]).bytes);
    execFileSync('tar', ['-xzf', 'x.tar.gz'], { cwd: folder });
    expect(readdirSync(folder).sort()).toEqual(['a', 'c.yaml', 'x.tar.gz']);
    execFileSync('tar', ['-czf', 'y.tar.gz', '--format=pax', 'a', 'c.yaml'], { cwd: folder });
    const { files } = parseArchive(gzipSync(gunzipSync(execFileSync('cat', ['y.tar.gz'], { cwd: folder }))));
    expect([...files.keys()]).toEqual(['a/b.yaml', 'c.yaml']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('walks a folder where its name stands', () => {
  expect(['b', 'a/z', 'a', 'a.yaml', 'a/b'].sort(compareWalk)).toEqual(['a', 'a/b', 'a/z', 'a.yaml', 'b']);
});

it.each([
  ['../evil', /leads out of it/],
  ['/etc/passwd', /leads out of it/],
])('refuses the path %s', (path, words) => {
  expect(() => parseArchive(renderArchive([file(path)]).bytes)).toThrow(words);
});

it('refuses an archive that is cut short, and what is none', () => {
  const tar = gunzipSync(renderArchive([file('a', 'x'.repeat(2_000))]).bytes);
  expect(() => parseArchive(gzipSync(tar.subarray(0, 1_700)))).toThrow('cut short');
  expect(() => parseArchive(Buffer.from('hello'))).toThrow('incorrect header check');
});
