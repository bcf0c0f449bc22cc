import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunningWatch } from '../../simulator/apiserver/request.ts';
import { ADMIN, type Embedded, startEmbedded } from './embedded.ts';
import { at, type Json, parseJson } from './json.ts';

const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';
const JSON_TYPE = { 'content-type': 'application/json' };
/** Of work of this process, which is both sides of a call. */
const WITHIN_MS = 1_000;
/** Far below every time after which the server gives a client up, and enough for a machine that does many other things. */
const PATIENCE_MS = 20_000;

describe('whatever a client does, the embedded API server answers others with less than a second of work', () => {
  let world: Embedded;
  const open: (Socket | TLSSocket)[] = [];

  beforeAll(async () => {
    world = await startEmbedded(undefined);
  });
  beforeEach(async () => {
    for (const socket of open.splice(0)) socket.destroy();
    await world.server.send({ method: 'DELETE', path: CONFIGMAPS, headers: {} });
  });
  afterAll(async () => {
    for (const socket of open) socket.destroy();
    await world.close();
  });

  const port = (): number => Number(new URL(world.server.url).port);

  async function tls(): Promise<TLSSocket> {
    const socket = connectTls({ host: '127.0.0.1', port: port(), ca: world.ca });
    socket.on('error', () => {});
    open.push(socket);
    await once(socket, 'secureConnect');
    return socket;
  }

  async function tcp(): Promise<Socket> {
    const socket = connectTcp(port(), '127.0.0.1');
    socket.on('error', () => {});
    open.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  async function create(name: string, bytes = 10): Promise<number> {
    const body = JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name },
      data: { x: 'x'.repeat(bytes) },
    });
    const answer = await world.server.send({ method: 'POST', path: CONFIGMAPS, headers: JSON_TYPE, body });
    return answer.status;
  }

  /** A write and a read of somebody else neither cost much nor wait for anybody. */
  async function expectOthersAnswered(): Promise<void> {
    const startedMs = performance.now();
    const before = process.threadCpuUsage();
    const name = `other-${startedMs.toFixed(3).replace('.', '-')}`;
    expect(await create(name)).toBe(201);
    const read = await world.server.send({ method: 'GET', path: `${CONFIGMAPS}/${name}`, headers: {} });
    expect(read.status).toBe(200);
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(WITHIN_MS);
    expect(performance.now() - startedMs).toBeLessThan(PATIENCE_MS);
  }

  const request = (method: string, path: string, rest = ''): string =>
    `${method} ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer contract-token\r\n${rest}\r\n`;

  it('with five thousand watches in the process and three hundred over the network', async () => {
    let seen = 0;
    const running: (RunningWatch | undefined)[] = [];
    for (let i = 0; i < 5_000; i++) {
      const answer = await world.api.handle({
        method: 'GET',
        path: `${CONFIGMAPS}?watch=true`,
        headers: {},
        body: '',
        user: ADMIN,
      });
      expect(answer.status).toBe(200);
      const sink = {
        onLine: () => {
          seen++;
        },
        onEnd: () => {},
      };
      running.push(answer.watch?.(sink));
    }
    const path = `${CONFIGMAPS}?watch=true`;
    const streams = await Promise.all(
      Array.from({ length: 300 }, () => world.server.open({ method: 'GET', path, headers: {} })),
    );
    await expectOthersAnswered();
    await expect.poll(() => streams.filter(({ lines }) => lines.length > 0).length).toBe(300);
    expect(seen).toBeGreaterThanOrEqual(5_000);
    for (const stream of streams) stream.cancel();
    for (const watch of running) watch?.stop();
  });

  it('with a watch whose client never reads, which is ended before it holds much', async () => {
    expect(await create('busy')).toBe(201);
    const deaf = await tls();
    deaf.pause();
    const { watches } = world.api.core.store.collection('', 'configmaps');
    const others = new Set(watches);
    deaf.write(request('GET', `${CONFIGMAPS}?watch=true`));
    await expect.poll(() => [...watches].some((watch) => !others.has(watch))).toBe(true);
    const changes = 3_000;
    for (let i = 0; i < changes; i++) {
      const answer = await world.api.handle({
        method: 'PATCH',
        path: `${CONFIGMAPS}/busy`,
        headers: { 'content-type': 'application/merge-patch+json' },
        body: JSON.stringify({ data: { x: `${i}`.padEnd(10_000, 'x') } }),
        user: ADMIN,
      });
      expect(answer.status).toBe(200);
    }
    await expectOthersAnswered();
    let text = '';
    deaf.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    deaf.resume();
    await expect.poll(() => text.endsWith('0\r\n\r\n') || deaf.destroyed).toBe(true);
    const lines = text.split('"type":"MODIFIED"').length - 1;
    expect(lines).toBeGreaterThan(0);
    expect(lines).toBeLessThan(changes);
  });

  it('with lists whose clients never read', async () => {
    for (let i = 0; i < 20; i++) expect(await create(`large-${i}`, 200_000)).toBe(201);
    let lists = 0;
    const forget = world.api.onRequest(({ verb, resource }) => {
      if (verb === 'list' && resource === 'configmaps') lists++;
    });
    for (let i = 0; i < 20; i++) {
      const deaf = await tls();
      deaf.pause();
      deaf.write(request('GET', CONFIGMAPS));
    }
    await expect.poll(() => lists).toBe(20);
    forget();
    await expectOthersAnswered();
  });

  it('with headers and bodies that come slowly or not at all', async () => {
    for (let i = 0; i < 30; i++) {
      const slow = await tls();
      slow.write('GET /api/v1/namespaces HTTP/1.1\r\nhost: x\r\nauthor');
      const half = await tls();
      half.write(request('POST', CONFIGMAPS, 'content-type: application/json\r\ncontent-length: 1000\r\n'));
      half.write('{"apiVersion":"v1"');
    }
    await expectOthersAnswered();
  });

  it('with a body that breaks off, of which nothing is stored', async () => {
    const broken = await tls();
    const whole = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'half' } });
    broken.write(
      request('POST', CONFIGMAPS, `content-type: application/json\r\ncontent-length: ${whole.length + 5}\r\n`),
    );
    broken.write(whole);
    await sleep(50);
    broken.destroy();
    await expectOthersAnswered();
    const read = await world.server.send({ method: 'GET', path: `${CONFIGMAPS}/half`, headers: {} });
    expect(read.status).toBe(404);
  });

  it('with what is no TLS', async () => {
    const garbage = ['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00', Buffer.alloc(100_000, 0xff), ''];
    for (const bytes of garbage) {
      const socket = await tcp();
      socket.write(bytes);
    }
    await sleep(50);
    await expectOthersAnswered();
  });

  it('with what is no HTTP', async () => {
    const garbage: readonly (string | Buffer)[] = [
      'HELLO\r\n\r\n',
      Buffer.alloc(50_000, 0),
      'GET /api HTTP/9.9\r\n\r\n',
      'GET api HTTP/1.1\r\nhost: x\r\n\r\n',
      request('GET', '/api', 'content-length: -1\r\n'),
      request('GET', '/api', 'content-length: 5\r\ncontent-length: 6\r\n'),
      `${request('POST', CONFIGMAPS, 'transfer-encoding: chunked\r\n')}ZZ\r\n`,
      request('GET', '/api', `x: ${'y'.repeat(2 * 1024 * 1024)}\r\n`),
      request('GET', `/${'x'.repeat(2 * 1024 * 1024)}`),
      request('CONNECT', 'other:443'),
      request('GET', '/api/v1/namespaces', 'upgrade: websocket\r\nconnection: upgrade\r\n'),
      request('GET', '/api', 'expect: something\r\n'),
    ];
    for (const bytes of garbage) {
      const socket = await tls();
      socket.resume();
      socket.write(bytes);
      await sleep(10);
    }
    await expectOthersAnswered();
  });

  it('with two calls in one packet', async () => {
    const socket = await tls();
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.write(request('GET', '/version').repeat(2));
    await expect.poll(() => text.split('HTTP/1.1 200').length).toBe(3);
  });

  it('with names that JavaScript knows, which change nothing of it', async () => {
    const body =
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"p"},"data":{"__proto__":"1"},"__proto__":{"polluted":true}}';
    const made = await world.server.send({ method: 'POST', path: CONFIGMAPS, headers: JSON_TYPE, body });
    expect(made.status).toBe(201);
    for (const patch of ['{"__proto__":{"polluted":true}}', '{"metadata":{"__proto__":{"polluted":true}}}']) {
      const headers = { 'content-type': 'application/merge-patch+json' };
      await world.server.send({ method: 'PATCH', path: `${CONFIGMAPS}/p`, headers, body: patch });
    }
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    const read = await world.server.send({ method: 'GET', path: `${CONFIGMAPS}/p`, headers: {} });
    const data = at(parseJson(read.body.toString('utf8')), 'data') as Json;
    expect(Object.entries(data as object)).toEqual([['__proto__', '1']]);
  });

  it('with a flood of bodies just under and over the limit', async () => {
    const send = (bytes: number) =>
      world.server.send({ method: 'POST', path: CONFIGMAPS, headers: JSON_TYPE, body: ' '.repeat(bytes) });
    const limit = 3 * 1024 * 1024;
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => send(i % 2 === 0 ? limit : limit + 1)));
    expect(answers.map(({ status }) => status)).toEqual(
      Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 400 : 413)),
    );
    await expectOthersAnswered();
  });
});
