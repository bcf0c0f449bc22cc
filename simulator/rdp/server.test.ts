import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { createFakeClock } from '../../kube/testing/fakeclock.ts';
import { type RdpServer, type RdpServerOptions, startRdpServer } from './server.ts';

const ADDRESS = '127.9.8.7';
const REQUEST_TLS_NLA = Buffer.from('030000130ee000000000000100080003000000', 'hex');
const REQUEST_TLS = Buffer.from('030000130ee000000000000100080001000000', 'hex');
const REQUEST_RDP = Buffer.from('030000130ee000000000000100080000000000', 'hex');
const REQUEST_OLD = Buffer.from('0300000b06e00000000000', 'hex');

let server: RdpServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function start(options: Partial<RdpServerOptions> = {}): Promise<RdpServer> {
  server = await startRdpServer({ address: ADDRESS, port: 0, mode: 'normal', ...options });
  return server;
}

async function dial({ address, port }: RdpServer): Promise<Socket> {
  const socket = connect({ host: address, port });
  await once(socket, 'connect');
  return socket;
}

/** All bytes until the server closes, as hex. */
async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('hex');
}

async function ask(request: Buffer): Promise<string> {
  if (server === undefined) throw new Error('no server');
  const socket = await dial(server);
  socket.write(request);
  const [answer]: Buffer[] = await once(socket, 'data');
  socket.destroy();
  return answer?.toString('hex') ?? '';
}

describe('startRdpServer', () => {
  it('selects NLA where it is requested, TLS where only that is, and refuses standard security', async () => {
    await start();
    expect(await ask(REQUEST_TLS_NLA)).toBe('030000130ed000001234000200080002000000');
    expect(await ask(REQUEST_TLS)).toBe('030000130ed000001234000200080001000000');
    expect(await ask(REQUEST_RDP)).toBe('030000130ed000001234000300080001000000');
  });

  it('answers an old client only when it offers standard security', async () => {
    await start({ offers: ['RDP'] });
    expect(await ask(REQUEST_OLD)).toBe('0300000b06d00000123400');
    await server?.stop();
    const socket = await dial(await start());
    socket.write(REQUEST_OLD);
    expect(await readAll(socket)).toBe('');
  });

  it('reads a request that arrives byte by byte', async () => {
    const socket = await dial(await start());
    socket.setNoDelay(true);
    const answer = once(socket, 'data');
    for (const byte of REQUEST_TLS) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [bytes]: Buffer[] = await answer;
    expect(bytes?.toString('hex')).toBe('030000130ed000001234000200080001000000');
    socket.destroy();
  });

  it('really speaks TLS after it selected TLS, with a certificate of its own', async () => {
    const running = await start();
    const socket = await dial(running);
    socket.write(REQUEST_TLS);
    await once(socket, 'data');
    const secure = connectTls({ socket, rejectUnauthorized: false });
    await once(secure, 'secureConnect');
    expect(secure.getPeerCertificate().subject.CN).toBe(ADDRESS);
    expect(Date.parse(secure.getPeerCertificate().valid_to)).toBeGreaterThan(Date.now());
    secure.write('MCS Connect Initial');
    await once(secure, 'close');
    await expect.poll(() => running.connectionCount()).toBe(0);
  });

  it('closes on what is no connection request', async () => {
    const socket = await dial(await start());
    socket.write('GET / HTTP/1.1\r\n\r\n');
    expect(await readAll(socket)).toBe('');
  });

  it('silent: accepts, says nothing, and gives up after the idle time', async () => {
    const clock = createFakeClock();
    server = await startRdpServer({ address: ADDRESS, port: 0, mode: 'silent', idleTimeoutMs: 1_000 }, { clock });
    const socket = await dial(server);
    const read = readAll(socket);
    const acceptedMs = clock.now();
    await expect.poll(() => clock.nextAtMs()).toBe(acceptedMs + 1_000);
    await clock.advance(500);
    socket.write(REQUEST_TLS);
    await expect.poll(() => clock.nextAtMs()).toBe(acceptedMs + 1_500);
    await clock.advance(999);
    expect(server.connectionCount()).toBe(1);
    await clock.advance(1);
    expect(await read).toBe('');
  });

  it('garbage: begins like a confirm and is none', async () => {
    const socket = await dial(await start({ mode: 'garbage' }));
    socket.write(REQUEST_TLS);
    expect(await readAll(socket)).toMatch(/^030000130ef0/);
  });

  it('refuses: answers with a failure', async () => {
    const socket = await dial(await start({ mode: 'refuses' }));
    socket.write(REQUEST_TLS);
    expect(await readAll(socket)).toBe('030000130ed000001234000300080003000000');
  });

  it('changes its mode while it runs', async () => {
    const running = await start();
    running.setMode('refuses');
    expect(await ask(REQUEST_TLS)).toBe('030000130ed000001234000300080003000000');
  });

  it('closes connections above its limit', async () => {
    const running = await start({ maxConnections: 1 });
    const first = await dial(running);
    const second = connect({ host: running.address, port: running.port });
    await once(second, 'close');
    expect(running.connectionCount()).toBe(1);
    first.destroy();
  });

  it('closes idle connections', async () => {
    const running = await start({ idleTimeoutMs: 1_000 });
    expect(await readAll(await dial(running))).toBe('');
    await expect.poll(() => running.connectionCount()).toBe(0);
  });

  it('refuses an address that others could reach, and a port that is taken', async () => {
    await expect(start({ address: '0.0.0.0' })).rejects.toThrow('address: 0.0.0.0 is not in 127.0.0.0/8');
    const { port } = await start();
    await expect(startRdpServer({ address: ADDRESS, port, mode: 'normal' })).rejects.toThrow('EADDRINUSE');
  });

  it('stop closes the listener and every connection', async () => {
    const running = await start();
    const socket = await dial(running);
    const closed = once(socket, 'close');
    await running.stop();
    await closed;
    const late = connect({ host: running.address, port: running.port });
    await expect(once(late, 'connect')).rejects.toThrow('ECONNREFUSED');
  });
});
