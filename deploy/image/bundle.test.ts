import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);

describe('the image', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sublet-image-'));
    await run(process.execPath, [path.join(import.meta.dirname, 'bundle.ts'), folder]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const sublet = (...args: readonly string[]) =>
    run(process.execPath, [path.join(folder, 'sublet.mjs'), ...args], { cwd: folder, env: {} });

  it('has every role that the Deployments start, with no module beside it', async () => {
    const { stdout } = await sublet('--help');
    for (const role of ['operator', 'source', 'api']) {
      const workload = await readFile(path.join(import.meta.dirname, '..', 'workloads', `${role}.yaml`), 'utf8');
      expect(workload).toContain(`args: [${role}]`);
      expect(stdout).toMatch(new RegExp(`^ {2}${role} `, 'm'));
    }
  });

  it('has no simulators, and says where sublet dev runs', async () => {
    expect(await readFile(path.join(folder, 'sublet.mjs'), 'utf8')).not.toContain('simulator/');
    await expect(sublet('dev')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('sublet dev runs from a checkout of the repository only: npm run dev'),
    });
  });

  it("names a role's missing settings and exits 1", async () => {
    await expect(sublet('source')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('environment') });
  });

  it('takes its settings from the variables that the Deployment sets', async () => {
    const workload = await readFile(path.join(import.meta.dirname, '..', 'workloads', 'source.yaml'), 'utf8');
    const config = await readFile(path.join(import.meta.dirname, '..', '..', 'source', 'config.ts'), 'utf8');
    const set = [...workload.matchAll(/name: (SUBLET_\w+)/g)].map((match) => match[1] ?? '');
    expect(set.length).toBeGreaterThan(1);
    for (const variable of set) expect(config).toContain(variable);
  });
});
