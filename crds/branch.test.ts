import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Repository } from './v1alpha1/tenant.ts';

const run = promisify(execFile);

const takes = (branch: string): boolean =>
  Repository.safeParse({ url: 'https://git.example.com/fleet', branch }).success;

const gitTakes = async (branch: string): Promise<boolean> =>
  run('git', ['check-ref-format', `refs/heads/${branch}`]).then(
    () => true,
    () => false,
  );

describe('a branch', () => {
  it.each(['main', 'release/2026.11', 'feature/a+b#1@x=y', '_x', 'a-b', 'a.b/c_d'])('%j is one', async (branch) => {
    expect([takes(branch), await gitTakes(branch)]).toEqual([true, true]);
  });

  it.each([
    ...[
      '-main',
      '--upload-pack=id',
      '.hidden',
      'a/.b',
      'a//b',
      '/a',
      'a/',
      'a.',
      'a..b',
      'a.lock',
      'a.lock/b',
      'a b',
      'a\tb',
      'a\n',
    ],
    ...[
      'a~1',
      'a^',
      'a:b',
      'a?',
      'a*',
      'a[b',
      'a\\b',
      'main@{1}',
      '@',
      '',
      '\u007f',
      'ü',
      'a;id',
      '$(id)',
      'a'.repeat(201),
    ],
  ])('%j is none', (branch) => {
    expect(takes(branch)).toBe(false);
  });

  it('that is taken is taken by git', { timeout: 120_000 }, async () => {
    const word = fc.stringMatching(/^[A-Za-z0-9._+#@=/-]{1,12}$/);
    const likely = fc.constantFrom('.', '/', '@', '.lock', '..', '-', 'a');
    const branch = fc.array(fc.oneof(word, likely), { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));
    const taken = fc.sample(branch.filter(takes), 40);
    const judged = await Promise.all(taken.map(async (one) => [one, await gitTakes(one)] as const));
    expect(judged.filter(([, isTaken]) => !isTaken)).toEqual([]);
  });
});
