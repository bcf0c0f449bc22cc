import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const REPORT = path.join(import.meta.dirname, '..', '.ci', 'report.mjs');

type Case = readonly [status: string, fullName: string, message?: string];

describe('.ci/report.mjs', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sublet-report-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const file = (name: string, cases: readonly Case[], message = '') => {
    const failed = message !== '' || cases.some(([status]) => status === 'failed');
    const assertionResults = cases.map(([status, fullName, why]) => ({
      status,
      fullName,
      failureMessages: why === undefined ? [] : [why],
    }));
    return { name, status: failed ? 'failed' : 'passed', message, assertionResults };
  };
  const write = (name: string, ...testResults: readonly unknown[]) =>
    writeFile(path.join(folder, name), JSON.stringify({ testResults }));
  const report = async (command: string) =>
    (await promisify(execFile)(process.execPath, [REPORT, command, folder])).stdout.split('\n').slice(0, -1);

  const bad = (name: string) => file(name, [['failed', 'does it', 'Error: no']]);
  const good = (name: string) => file(name, [['passed', 'does it']]);

  it('asks for nothing when all passed, and counts', async () => {
    await write(
      'report.unit.json',
      good('a'),
      file('b', [
        ['passed', 'x'],
        ['pending', 'y'],
        ['todo', 'z'],
      ]),
    );
    await write('report.cluster.json', good('c'));
    expect(await report('again')).toEqual([]);
    expect(await report('summary')).toEqual(['tests: 3 passed, 0 failed, 2 skipped']);
  });

  it('asks for up to two failed files, whichever project they are of', async () => {
    await write('report.unit.json', bad('a'), good('b'));
    await write(
      'report.cluster.json',
      file(
        'c',
        [
          ['passed', 'x'],
          ['skipped', 'y'],
        ],
        'Error: hook',
      ),
    );
    expect(await report('again')).toEqual(['a', 'c']);
    expect(await report('summary')).toEqual([
      'failed: a: does it: Error: no',
      'failed: c: Error: hook',
      'tests: 2 passed, 2 failed, 1 skipped',
    ]);
  });

  it('asks for none of three', async () => {
    await write('report.unit.json', bad('a'), bad('b'));
    await write('report.cluster.json', bad('c'));
    expect(await report('again')).toEqual([]);
    expect((await report('summary')).at(-1)).toBe('tests: 0 passed, 3 failed, 0 skipped');
  });

  it('asks for none when a project gave no report, which counts as a failure', async () => {
    await write('report.unit.json', bad('a'));
    expect(await report('again')).toEqual([]);
    expect((await report('summary')).at(-1)).toBe('tests: 0 passed, 2 failed, 0 skipped');
  });

  it('names what passed only the second time, and what failed twice', async () => {
    await write('report.unit.json', bad('a'));
    await write('report.cluster.json', bad('b'), good('c'));
    await write('again.json', good('a'), bad('b'));
    expect(await report('summary')).toEqual([
      'unsteady, passed when tried again: a: does it: Error: no',
      'failed: b: does it: Error: no',
      'tests: 2 passed, 1 failed, 0 skipped',
    ]);
  });
});
