import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawConnection, renderRequest } from './rawclient.ts';

describe('the raw client', () => {
  const seen: { readonly request: IncomingMessage; readonly body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    seen.push({ request, body });
    if (request.url === '/close') {
      response.destroy();
    } else if (request.url === '/chunked') {
      response.writeHead(201).write('{"a":');
      setTimeout(() => response.end('1}'), 20);
    } else {
      response.writeHead(request.url === '/refused' ? 422 : 200, { 'content-length': '2' }).end('{}');
    }
  });
  let port = 0;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const render = (path: string) =>
    renderRequest({ method: 'POST', path, host: 'h', token: 't', contentType: 'application/json', body: '{"ü":1}' });
  const open = () => new RawConnection(connect({ host: '127.0.0.1', port }) as unknown as TLSSocket);

  it('sends one whole request after the other over one connection and reads each answer to its end', async () => {
    const connection = open();
    expect(await connection.send(render('/chunked'))).toBe(201);
    expect(await connection.send(render('/refused'))).toBe(422);
    expect(await connection.send(render('/plain'))).toBe(200);
    connection.close();
    expect(seen.map(({ body }) => body)).toEqual(Array(3).fill('{"ü":1}'));
    expect(new Set(seen.map(({ request }) => request.socket.remotePort)).size).toBe(1);
    expect(seen[0]?.request.headers.authorization).toBe('Bearer t');
  });

  it('fails when the server hangs up', async () => {
    await expect(open().send(render('/close'))).rejects.toThrow('closed the connection');
  });
});
