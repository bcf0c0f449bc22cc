import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..');

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** What `npm run demo` runs. */
function demo(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const all = [path.join(ROOT, 'launch.mjs'), 'demo/main.ts', ...args];
    const options = { cwd: ROOT, env: { ...process.env, ...env } };
    const child = execFile(process.execPath, all, options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? 1, stdout, stderr }),
    );
  });
}

let temporary = '';
beforeEach(async () => {
  temporary = await mkdtemp(path.join(tmpdir(), 'sublet-demo-test-'));
});
afterEach(() => rm(temporary, { recursive: true, force: true }));

it('ends with a desktop that answered RDP, in one line of JSON, and leaves nothing behind', async () => {
  const startedAtMs = performance.now();
  const { code, stdout, stderr } = await demo(['--once'], { TMPDIR: temporary });
  expect(code, stderr).toBe(0);
  const elapsedS = (performance.now() - startedAtMs) / 1_000;
  const lines = stdout.trim().split('\n');
  expect(lines).toHaveLength(1);
  const result = JSON.parse(lines[0] ?? '');
  expect(Object.keys(result).sort()).toEqual(['P21', 'address', 'seconds', 'selectedProtocol']);
  expect(result.address).toMatch(/^127\.\d+\.\d+\.\d+:3389$/);
  expect(['RDP', 'TLS', 'NLA']).toContain(result.selectedProtocol);
  expect(result.P21).toBe(result.seconds);
  expect(result.P21).toBeGreaterThan(0);
  expect(result.P21).toBeLessThanOrEqual(elapsedS + 0.1);
  for (const step of [
    'pushed commit',
    'oidc:provider ordered by the API: reseller acme',
    'oidc:anna ordered by the API: desktop anna-desk',
    'Accepted -> Committed ',
    'answered RDP: Ready',
    'full address:s:127.',
  ]) {
    expect(stderr).toContain(step);
  }
  expect(await readdir(temporary)).toEqual([]);
}, 600_000);

it.each([
  [['--cluster', 'moon'], '--cluster is embedded, local, current, not "moon"'],
  [['--twice'], "Unknown option '--twice'"],
])(
  'refuses %j',
  async (args, message) => {
    const { code, stdout, stderr } = await demo(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  },
  300_000,
);

it.each([
  ['nothing configured', { KUBECONFIG: '', HOME: '/nonexistent' }, 'no cluster: set KUBECONFIG'],
  ['a kubeconfig that is not there', { KUBECONFIG: '/nonexistent/config' }, 'the kubeconfig cannot be read'],
])(
  'says what to set with %s',
  async (_, env, message) => {
    const { code, stderr } = await demo(['--cluster', 'current', '--once'], env);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  },
  300_000,
);
