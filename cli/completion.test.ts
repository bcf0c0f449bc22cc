import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './testing/run.ts';

const exec = promisify(execFile);
const isThere = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;
const MAIN = path.join(import.meta.dirname, 'main.ts');

async function complete(...words: readonly string[]): Promise<readonly string[]> {
  const { code, out, err } = await run(['__complete', '--', ...words]);
  expect([code, err]).toEqual([0, '']);
  return out
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t')[0] ?? '');
}

describe('completion', () => {
  it.each([
    [['li'], ['lint', ':none']],
    [['lint', ''], [':files']],
    [
      ['lint', '--st'],
      ['--strict', ':none'],
    ],
    [['lint', '--strict', '--st'], [':none']],
    [
      ['lint', '-o', 'j'],
      ['json', ':none'],
    ],
    [
      ['lint', '--output=y'],
      ['--output=yaml', ':none'],
    ],
    [['lint', '--environment', ''], [':files']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish', ':none'],
    ],
    [['completion', 'bash', ''], [':none']],
    [['lint', '--', '--st'], [':files']],
    [
      ['nothing', '--'],
      ['--help', ':none'],
    ],
  ])('of %j is %j', async (words, candidates) => {
    expect(await complete(...words)).toEqual(candidates);
  });

  it('offers commands with what they do, and none that is hidden', async () => {
    const { out } = await run(['__complete', '--', '']);
    expect(out).toContain('lint\tcheck a checkout of a fleet repository, without a cluster\n');
    expect(out).not.toContain('__complete');
  });
});

describe('the script', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sublet-completion-'));
    await mkdir(path.join(folder, 'bin'));
    const file = path.join(folder, 'bin', 'sublet');
    await writeFile(file, `#!/bin/sh\nexec ${JSON.stringify(process.execPath)} ${JSON.stringify(MAIN)} "$@"\n`);
    await chmod(file, 0o755);
    for (const shell of ['bash', 'zsh', 'fish'])
      await writeFile(path.join(folder, shell), (await run(['completion', shell])).out);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const env = () => ({ ...process.env, PATH: `${path.join(folder, 'bin')}:${process.env.PATH ?? ''}` });

  /** What bash would offer after these words. */
  async function inBash(...words: readonly string[]): Promise<readonly string[]> {
    const script = `
      compopt() { echo files; }
      source ${path.join(folder, 'bash')}
      COMP_WORDS=(sublet "$@"); COMP_CWORD=$#
      _sublet
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await exec('bash', ['--norc', '-c', script, 'bash', ...words], { env: env() });
    return stdout.trim().split('\n');
  }

  it('works in bash', async () => {
    expect(await inBash('comp')).toEqual(['completion']);
    expect(await inBash('lint', '-o', '')).toEqual(['text', 'json', 'yaml', 'github']);
    // As bash splits --output=j.
    expect(await inBash('lint', '--output', '=', 'j')).toEqual(['json']);
    expect(await inBash('lint', '')).toEqual(['files']);
  });

  it.skipIf(!isThere('fish'))(
    'works in fish [needs fish: apt-get install fish]',
    async () => {
      const { stdout } = await exec(
        'fish',
        ['--no-config', '-c', `source ${path.join(folder, 'fish')}; complete -C 'sublet lint -o '`],
        { env: env() },
      );
      expect(stdout.trim().split('\n').sort()).toEqual(['github', 'json', 'text', 'yaml']);
    },
    300_000,
  );

  it.skipIf(!isThere('zsh'))(
    'works in zsh [needs zsh: apt-get install zsh]',
    async () => {
      // zsh completes at a prompt only, so what would be offered is printed instead.
      const script = `
      compdef() { : }
      _describe() { print -l -- \${(P)2} }
      _files() { print files }
      source ${path.join(folder, 'zsh')}
      words=(sublet lint -o ''); CURRENT=4; _sublet
      words=(sublet lint ''); CURRENT=3; _sublet`;
      const { stdout } = await exec('zsh', ['-f', '-c', script], { env: env() });
      expect(stdout.trim().split('\n')).toEqual(['text:', 'json:', 'yaml:', 'github:', 'files']);
    },
    300_000,
  );

  it('refuses other shells', async () => {
    expect(await run(['completion', 'tcsh'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('Allowed choices are bash, zsh, fish.'),
    });
  });
});
