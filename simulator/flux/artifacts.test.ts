import { afterEach, describe, expect, it } from 'vitest';
import { digestOf } from './archive.ts';
import { ArtifactGoneError, createMemoryArtifactHost, readArtifact } from './artifacts.ts';
import { type ArtifactServer, openHttpUrl, startArtifactServer } from './artifactserver.ts';
import { createImpersonation } from './impersonate.ts';

const { signal } = new AbortController();
const BYTES = Buffer.from('an archive');

let server: ArtifactServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function openServer() {
  server = await startArtifactServer();
  return { host: server, openUrl: openHttpUrl };
}

function openMemory() {
  const host = createMemoryArtifactHost();
  return { host, openUrl: host.openUrl };
}

describe.each([
  ['over HTTP', openServer],
  ['in memory', openMemory],
] as const)('archives %s', (_name, open) => {
  it('are read under the address that they were put at, until they are let go', async () => {
    const { host, openUrl } = await open();
    host.put('kind/ns/a/1.tar.gz', BYTES);
    host.put('kind/ns/a/2.tar.gz', BYTES);
    host.put('kind/ns/ab/1.tar.gz', BYTES);
    const read = (path: string) =>
      readArtifact(openUrl, { url: `${host.baseUrl}/${path}`, digest: digestOf(BYTES) }, signal);
    expect(await read('kind/ns/a/1.tar.gz')).toEqual(BYTES);
    host.keepOnly('kind/ns/a', ['kind/ns/a/2.tar.gz']);
    await expect(read('kind/ns/a/1.tar.gz')).rejects.toThrow(ArtifactGoneError);
    expect(await read('kind/ns/a/2.tar.gz')).toEqual(BYTES);
    expect(await read('kind/ns/ab/1.tar.gz')).toEqual(BYTES);
  });

  it('are refused when they are not what was stated', async () => {
    const { host, openUrl } = await open();
    host.put('x', BYTES);
    const artifact = { url: `${host.baseUrl}/x`, digest: 'sha256:0' };
    await expect(readArtifact(openUrl, artifact, signal)).rejects.toThrow(
      "failed to verify archive: computed digest doesn't match provided 'sha256:0'",
    );
  });
});

it('says that nobody listens', async () => {
  const artifact = { url: 'http://127.0.0.1:1/x', digest: '' };
  await expect(readArtifact(openHttpUrl, artifact, signal)).rejects.toThrow('failed to download archive: ');
});

it('answers HEAD without bytes, refuses to be written, and rejects a taken port', async () => {
  const { host } = await openServer();
  host.put('x', BYTES);
  const head = await fetch(`${host.baseUrl}/x`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(BYTES.length)]);
  expect((await fetch(`${host.baseUrl}/x`, { method: 'PUT', body: 'y' })).status).toBe(405);
  await expect(startArtifactServer({ port: Number(new URL(host.baseUrl).port) })).rejects.toThrow('EADDRINUSE');
});

it('makes one client an account', async () => {
  const made: string[] = [];
  const closed: string[] = [];
  const { clientFor, close } = createImpersonation((user) => {
    made.push(user);
    return { close: async () => void closed.push(user) } as ReturnType<typeof clientFor>;
  });
  expect(clientFor({ namespace: 'a', name: 'x' })).toBe(clientFor({ namespace: 'a', name: 'x' }));
  clientFor({ namespace: 'b', name: 'x' });
  await close();
  expect(made).toEqual(['system:serviceaccount:a:x', 'system:serviceaccount:b:x']);
  expect(closed).toEqual(made);
});
