import { spawn } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRequired } from './cluster.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const VITEST = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const RUN_TIMEOUT_MS = 900_000;

describe('a machine without Go and without a cache', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sublet-nogo-'));
    await symlink(process.execPath, path.join(folder, 'node'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const run = (env: Readonly<Record<string, string>>) =>
    new Promise<{ readonly code: number | null; readonly stdout: string; readonly output: string }>((resolve) => {
      const child = spawn(process.execPath, [VITEST, 'run', '--project=cluster', 'test/cluster'], {
        cwd: ROOT,
        env: { PATH: folder, HOME: folder, SUBLET_CACHE: path.join(folder, 'cache'), NO_COLOR: '1', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      let stdout = '';
      child.stdout.on('data', (chunk: string) => {
        stdout += chunk;
      });
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (chunk: string) => {
          output += chunk;
        });
      }
      child.on('close', (code) => resolve({ code, stdout, output }));
    });

  it('skips what needs a control plane by name, and says so in the last lines', {
    timeout: RUN_TIMEOUT_MS,
  }, async () => {
    const { code, stdout, output } = await run({});
    expect(code, output).toBe(0);
    const last = stdout.trimEnd().split('\n').slice(-2).join('\n');
    expect(last).toMatch(/skipped: \d+ tests need cluster: controlplane is not built yet and there is no Go/);
    expect(last).toMatch(/skipped: \d+ tests need flux: controlplane is not built yet/);
    expect(last).toContain('install Go 1.26 or newer');
  });

  it('fails instead when SUBLET_REQUIRE lists it', { timeout: RUN_TIMEOUT_MS }, async () => {
    const { code, output } = await run({ SUBLET_REQUIRE: 'cluster,flux' });
    expect(code).toBe(1);
    expect(output).toContain('there is no cluster for these tests: controlplane is not built yet');
    expect(output).toContain('there is no flux for these tests: controlplane is not built yet');
    expect(output).not.toMatch(/^skipped: /m);
  });
});

describe('isRequired', () => {
  it.each([
    ['cluster', 'cluster,flux', true],
    ['flux', ' cluster , flux ', true],
    ['flux', 'cluster', false],
    ['cluster', '', false],
  ])('%s in "%s" is %s', (what, list, expected) => {
    expect(isRequired(what, list)).toBe(expected);
  });
});
