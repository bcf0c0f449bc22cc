import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestApi, ROOT_PLANS, type TestApi, user } from './testing/testapi.ts';

/** Holds on a machine that is busy with much else; what is asked here takes a second or two. */
const PATIENCE_MS = 120_000;

let api: TestApi;
let server: Server;
let port = 0;
const sockets: Socket[] = [];
const timers: NodeJS.Timeout[] = [];
let token = '';

beforeAll(async () => {
  api = await createTestApi();
  for (const object of ROOT_PLANS) api.put(object);
  api.sell('acme', { members: [user('anna', 'Owner')] });
  token = await api.issuer.sign({ sub: 'anna', groups: [] });
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  server = api.app.server as Server;
  port = (server.address() as AddressInfo).port;
});
afterAll(() => api.close());
afterEach(() => {
  for (const timer of timers.splice(0)) clearInterval(timer);
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function dial(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** Sends the head at once, and then a piece at a time without end; resolves with what came back when the server had enough. */
async function drip(head: string, piece: string): Promise<string> {
  const socket = await dial();
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  socket.write(head);
  timers.push(setInterval(() => socket.writable && socket.write(piece), 20));
  await once(socket, 'close');
  return answer;
}

describe('who is slow', () => {
  it('has a limit for each part of the way', () => {
    expect(server).toMatchObject({
      requestTimeout: 15_000,
      headersTimeout: 15_000,
      keepAliveTimeout: 65_000,
      timeout: 180_000,
    });
  });

  it.each([
    ['headers', 'GET /v1/tenants HTTP/1.1\r\nhost: x\r\n', 'x: y\r\n'],
    ['a line without end', 'GET /v1/tenants?', 'a'],
    [
      'a body of stated length',
      () =>
        `POST /v1/tenants/acme/desktops HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 200000\r\n\r\n`,
      ' ',
    ],
    [
      'a body in pieces',
      () =>
        `POST /v1/tenants/acme/desktops HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
      '1\r\n \r\n',
    ],
  ] as const)(
    'to send %s is cut off',
    async (_, head, piece) => {
      const { requestTimeout, headersTimeout } = server;
      Object.assign(server, { requestTimeout: 300, headersTimeout: 300 });
      try {
        const answer = await drip(typeof head === 'string' ? head : head(), piece);
        expect(answer).toMatch(/^HTTP\/1\.1 408 /);
        expect(answer).toContain('urn:sublet:problem:timeout');
      } finally {
        Object.assign(server, { requestTimeout, headersTimeout });
      }
    },
    PATIENCE_MS,
  );

  it(
    'to read, or never does, is cut off',
    async () => {
      const { timeout } = server;
      server.timeout = 500;
      try {
        const accepted = once(server, 'connection');
        const socket = await dial();
        socket.pause();
        const [peer] = (await accepted) as [Socket];
        // More answers than fit on the way; what does not fit waits in the server.
        socket.write('GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(200));
        await once(peer, 'close');
      } finally {
        server.timeout = timeout;
      }
    },
    PATIENCE_MS,
  );
});
