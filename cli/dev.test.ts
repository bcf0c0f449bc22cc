import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Agent } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../kube/clock.ts';
import { probeDesktop } from '../operator/controllers/rdpinstance/probe.ts';
import { dialTcp } from '../operator/dial.ts';
import { pickPorts } from '../test/cluster/ports.ts';

const MAIN = path.join(import.meta.dirname, 'main.ts');
const UP_MS = 300_000;
const DESKTOP = '/apis/sublet.dev/v1alpha1/namespaces/t-acme--bob/rdpinstances/anna-desk';

type Running = { readonly child: ChildProcess; readonly output: () => string; readonly ended: Promise<number | null> };
type Json = { readonly [key: string]: unknown };

function run(...args: readonly string[]): Running {
  const child = spawn(process.execPath, [MAIN, 'dev', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, output: () => text, ended };
}

/** Until what it prints says how to reach it. */
async function up(running: Running): Promise<void> {
  await Promise.race([
    expect.poll(running.output, { timeout: UP_MS, interval: 50 }).toContain('export KUBECONFIG='),
    running.ended.then((code) => Promise.reject(new Error(`it ended with ${code}:\n${running.output()}`))),
  ]);
}

/** Calls as kubectl makes them: by the kubeconfig, over HTTPS, with its certificate. */
async function connect(data: string) {
  const { clusters, users } = JSON.parse(await readFile(path.join(data, 'kubeconfig'), 'utf8'));
  const { server, 'certificate-authority-data': ca } = clusters[0].cluster;
  const agent = new Agent({ connect: { ca: Buffer.from(ca, 'base64').toString('utf8') } });
  const headers = { authorization: `Bearer ${users[0].user.token}` };
  return {
    get: async (url: string) => {
      const { statusCode, body } = await agent.request({ origin: server, path: url, method: 'GET', headers });
      return { status: statusCode, body: (await body.json()) as Json };
    },
    patch: async (url: string, change: Json) => {
      const all = { ...headers, 'content-type': 'application/merge-patch+json' };
      const body = JSON.stringify(change);
      const answer = await agent.request({ origin: server, path: url, method: 'PATCH', headers: all, body });
      return { status: answer.statusCode, body: (await answer.body.json()) as Json };
    },
    close: () => agent.destroy(),
  };
}

type Api = Awaited<ReturnType<typeof connect>>;

async function desktop(api: Api): Promise<{ readonly ready: boolean; readonly address: string }> {
  const { body } = await api.get(DESKTOP);
  const { conditions = [], address = '' } = (body.status ?? {}) as { conditions?: readonly Json[]; address?: string };
  return { ready: conditions.some(({ type, status }) => type === 'Ready' && status === 'True'), address };
}

/** Identity and version of everything that is stored, by discovery. */
async function versions(api: Api): Promise<Readonly<Record<string, string>>> {
  const groups = (await api.get('/apis')).body.groups as readonly { preferredVersion: { groupVersion: string } }[];
  const roots = ['/api/v1', ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`)];
  const found: Record<string, string> = {};
  for (const root of roots) {
    const resources = (await api.get(root)).body.resources as readonly { name: string; verbs: readonly string[] }[];
    for (const { name, verbs } of resources) {
      if (name.includes('/') || !verbs.includes('list')) continue;
      const items = ((await api.get(`${root}/${name}`)).body.items ?? []) as readonly { metadata: Json }[];
      for (const { metadata } of items) {
        found[`${root}/${name} ${metadata.namespace ?? ''}/${metadata.name}`] =
          `${metadata.uid} ${metadata.resourceVersion}`;
      }
    }
  }
  return found;
}

/** The first of as many ports in a row as it takes. */
async function pickRow(): Promise<number> {
  for (;;) {
    const [port = 0] = await pickPorts(1);
    if ((await isFree(port + 1)) && (await isFree(port + 2))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

describe('sublet dev', () => {
  let folder = '';
  let port = 0;
  const children: ChildProcess[] = [];
  const start = (...args: readonly string[]): Running => {
    const running = run(...args);
    children.push(running.child);
    return running;
  };
  const data = () => path.join(folder, 'data');
  const usual = () => ['--data', data(), '--port', String(port), '--quick'];

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(path.join(tmpdir(), 'sublet-dev-')));
    port = await pickRow();
  });

  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it('brings up the reference fleet, goes on after kill -9, and then writes nothing', async () => {
    const first = start(...usual());
    await up(first);
    const api = await connect(data());
    await expect.poll(async () => (await desktop(api)).ready, { timeout: UP_MS }).toBe(true);
    const { address } = await desktop(api);
    // What the last status said is followed by nothing.
    let before = await versions(api);
    let same = 0;
    const looksAlike = async (): Promise<number> => {
      const now = await versions(api);
      same = JSON.stringify(now) === JSON.stringify(before) ? same + 1 : 0;
      before = now;
      return same;
    };
    await expect.poll(looksAlike, { timeout: UP_MS, interval: 2_000 }).toBeGreaterThanOrEqual(3);
    await api.close();
    first.child.kill('SIGKILL');
    await first.ended;

    const second = start(...usual());
    await up(second);
    const again = await connect(data());
    const deps = { dial: dialTcp, clock: realClock };
    const target = { host: address, port: 3389 };
    const options = { timeoutMs: 5_000, signal: new AbortController().signal };
    const answered = async () => (await probeDesktop(deps, target, options)).answered;
    await expect.poll(answered, { timeout: UP_MS }).toBe(true);
    expect(await desktop(again)).toEqual({ ready: true, address });
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(await versions(again)).toEqual(before);

    const other = start('--data', data(), '--port', String(port));
    expect(await other.ended).toBe(1);
    expect(other.output()).toContain(`${data()} is in use by process ${second.child.pid}`);
    const elsewhere = start('--data', path.join(folder, 'elsewhere'), '--port', String(port));
    expect(await elsewhere.ended).toBe(1);
    expect(elsewhere.output()).toContain(`port ${port} for the API server is taken by another program`);

    const stopped = await again.patch(DESKTOP, { spec: { power: 'Stopped' } });
    expect(stopped.status).toBe(200);
    await expect.poll(answered, { timeout: UP_MS }).toBe(false);
    await again.close();
    second.child.kill('SIGINT');
    expect(await second.ended).toBe(0);
    expect(second.output()).toContain('stopping');
  }, 1_800_000);

  it.each([
    [['--port', 'many'], 'A port is a number from 1 to 65533: the next two are taken as well.'],
    [['--port', '65534'], 'A port is a number from 1 to 65533: the next two are taken as well.'],
    [['--data', ''], 'Name a folder.'],
    [['--environment', 'moon'], 'The reference fleet has the environments staging and production.'],
    [['--fast'], "unknown option '--fast'"],
  ])(
    'refuses %j',
    async (args, message) => {
      const running = start(...args);
      expect(await running.ended).toBe(2);
      expect(running.output()).toContain(message);
    },
    UP_MS,
  );

  it(
    'explains itself',
    async () => {
      const running = start('--help');
      expect(await running.ended).toBe(0);
      for (const word of ['--data <folder>', '--port <port>', 'Examples:', 'sublet dev --data']) {
        expect(running.output()).toContain(word);
      }
    },
    UP_MS,
  );
});
