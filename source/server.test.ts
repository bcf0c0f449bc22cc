import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { realClock } from '../kube/clock.ts';
import { type ArchiveServer, startArchiveServer } from './server.ts';
import { type ArchiveStore, createArchiveStore } from './store.ts';

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const hello = Buffer.from('hello');
const hex = digestOf(hello).slice('sha256:'.length);

let directory: string;
let store: ArchiveStore;
let server: ArchiveServer;
let missing: number;
let codes: number[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sublet-source-'));
  store = createArchiveStore({ now: () => 1_000 }, { directory, namespace: 'sublet-fleet' });
  missing = 0;
  codes = [];
  const onMissing = (): void => {
    missing += 1;
  };
  server = await startArchiveServer(
    { store, clock: realClock, onAnswer: (code) => codes.push(code), onMissing },
    { address: '127.0.0.1', port: 0, namespace: 'sublet-fleet', maxConnections: 8 },
  );
});

afterEach(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

/** Sends the path exactly as given; `fetch` would tidy it up. */
function ask(path: string, method = 'GET'): Promise<{ code: number; body: string; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const call = request({ host: server.address, port: server.port, path, method, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ code: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), headers: response.headers }),
      );
    });
    call.on('error', reject);
    call.end();
  });
}

test('serves what was written, to GET and HEAD', async () => {
  await store.write('t-acme', digestOf(hello), hello);
  const path = `/${store.pathOf('t-acme', digestOf(hello))}`;
  expect(path).toBe(`/sublet-fleet/t-acme/${hex}.tar.gz`);
  expect(await ask(path)).toMatchObject({
    code: 200,
    body: 'hello',
    headers: { 'content-type': 'application/gzip', 'content-length': '5' },
  });
  expect(await ask(path, 'HEAD')).toMatchObject({ code: 200, body: '', headers: { 'content-length': '5' } });
  expect(codes).toEqual([200, 200]);
});

test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
  expect(await ask(`/sublet-fleet/t-acme/${hex}.tar.gz`, method)).toMatchObject({
    code: 405,
    headers: { allow: 'GET, HEAD' },
  });
});

test.each([
  '/',
  '/sublet-fleet/',
  '/sublet-fleet/t-acme/',
  `/other/t-acme/${hex}.tar.gz`,
  `/sublet-fleet/../t-acme/${hex}.tar.gz`,
  `/sublet-fleet/..%2ft-acme/${hex}.tar.gz`,
  `/sublet-fleet/%2e%2e/${hex}.tar.gz`,
  `//sublet-fleet/t-acme/${hex}.tar.gz`,
  `/sublet-fleet/t-acme/${hex}.tar.gz?x=1`,
  `/sublet-fleet/t-acme/${hex.toUpperCase()}.tar.gz`,
  `/sublet-fleet/t-acme/${hex}.tar.gz/`,
  '/sublet-fleet/t-acme/../../../etc/passwd',
])('answers 404 to %s', async (path) => {
  await store.write('t-acme', digestOf(hello), hello);
  expect((await ask(path)).code).toBe(404);
  expect(missing).toBe(0);
});

test('asks for a rebuild when a file that should be there is gone, and not for one that never was', async () => {
  await store.write('t-acme', digestOf(hello), hello);
  await rm(join(directory, 'sublet-fleet'), { recursive: true });
  expect((await ask(`/sublet-fleet/t-acme/${hex}.tar.gz`)).code).toBe(404);
  expect(missing).toBe(1);
  expect(store.find('t-acme', digestOf(hello))).toBeUndefined();
  expect((await ask(`/sublet-fleet/t-none/${hex}.tar.gz`)).code).toBe(404);
  expect(missing).toBe(1);
});

test('an address that is taken is an error that says so', async () => {
  const options = { address: '127.0.0.1', port: server.port, namespace: 'x', maxConnections: 1 };
  await expect(
    startArchiveServer({ store, clock: realClock, onAnswer: () => {}, onMissing: () => {} }, options),
  ).rejects.toThrow('EADDRINUSE');
});

test('a refresh takes what is whole and clears away what is not', async () => {
  await store.write('t-acme', digestOf(hello), hello);
  const folder = join(directory, 'sublet-fleet', 't-acme');
  await writeFile(join(folder, `${'0'.repeat(64)}.tar.gz`), 'torn');
  await writeFile(join(folder, `${hex}.tar.gz.part`), 'half');
  await mkdir(join(folder, 'folder'));
  await writeFile(join(directory, 'sublet-fleet', 'stray'), 'x');
  const fresh = createArchiveStore({ now: () => 1_000 }, { directory, namespace: 'sublet-fleet' });
  expect(fresh.list()).toEqual([]);
  await fresh.refresh();
  expect(fresh.list()).toMatchObject([{ name: 't-acme', digest: digestOf(hello), sizeBytes: 5 }]);
  expect(await readdir(folder)).toEqual([`${hex}.tar.gz`]);
  await rm(directory, { recursive: true });
  await fresh.refresh();
  expect(fresh.list()).toEqual([]);
  await mkdir(directory);
});

test('removes, and refuses names of files that are no digest', async () => {
  await store.write('t-acme', digestOf(hello), hello);
  await store.remove('t-acme', digestOf(hello));
  await expect(store.read('t-acme', digestOf(hello))).rejects.toThrow('ENOENT');
  await expect(store.write('t-acme', 'sha256:../../x', hello)).rejects.toThrow('a digest is sha256:<64 hex digits>');
});
