import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { demo, expectOrderByCommand, ROOT } from './testing/demo.ts';

const run = promisify(execFile);

let temporary = '';
beforeEach(async () => {
  temporary = await mkdtemp(path.join(tmpdir(), 'sublet-demo-test-'));
});
afterEach(() => rm(temporary, { recursive: true, force: true }));

/** What somebody may have in their shell, who uses another server. */
const ELSEWHERE = { SUBLET_SERVER: 'http://127.0.0.1:1', SUBLET_TOKEN: 'theirs', SUBLET_TENANT: 'theirs' };

it('ends with a desktop that answered RDP, in one line of JSON, and leaves nothing behind', async () => {
  const startedAtMs = performance.now();
  const { code, stdout, stderr } = await demo(['--once'], { TMPDIR: temporary, ...ELSEWHERE });
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
    'oidc:provider orders by the API: reseller acme',
    'oidc:acme-owner orders by the API: customer bob',
    'Accepted -> Committed ',
    'answered RDP: it is Ready',
    'full address:s:127.',
  ]) {
    expect(stderr).toContain(step);
  }
  expectOrderByCommand(stderr, {
    command: 'desktop new anna-desk --plan pro --image ubuntu-24 --username anna --wait -o name',
    subject: 'Create RDPInstance anna-desk in t-acme--bob',
  });
  expect(await readdir(temporary)).toEqual([]);
}, 1_200_000);

it('stays up until it is told to stop, and says commands of sublet that work as they are', async () => {
  const env = { ...process.env, TMPDIR: temporary };
  const child = spawn(process.execPath, ['launch.mjs', 'demo/main.ts'], { cwd: ROOT, env });
  const ended = once(child, 'close');
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  await new Promise<void>((resolve, reject) => {
    ended.then(() => reject(new Error(`it ended by itself\n${stderr}`)), reject);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      if (stderr.includes('The .rdp file of the desktop is ')) resolve();
    });
  });
  try {
    const lines = stderr.split('\n').map((line) => line.trim());
    const settings = lines.find((line) => line.startsWith('export SUBLET_CONFIG='));
    const commands = lines.filter((line) => line.startsWith('node launch.mjs cli/main.ts '));
    expect(commands).toHaveLength(2);
    const outputs = [];
    for (const command of commands)
      outputs.push((await run('sh', ['-ec', `${settings}\n${command}`], { cwd: ROOT })).stdout);
    expect(outputs[0]).toMatch(/^anna-desk +pro +ubuntu-24 +Running +127\.\S+ +True /m);
    expect(outputs[1]).toMatch(/^I[0-9a-f]{40} +Ready +Edit +RDPInstance\/anna-desk +acme--bob /m);
  } finally {
    child.kill('SIGTERM');
  }
  expect((await ended)[0], stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ P21: expect.any(Number) });
  expect(await readdir(temporary)).toEqual([]);
}, 1_200_000);

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
