import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import type { Sent } from './fuzzrequest.ts';

export type Got = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string };

/** Requests as they stand on the wire: no client in between that would mend them. */
export type Wire = {
  send(sent: Sent): Promise<Got>;
  /** All that comes back until the server ends the connection, be it before it took all that was sent. */
  sendRaw(bytes: string | Buffer): Promise<string>;
  close(): void;
};

const TIMEOUT_MS = 60_000;

/** To a server on loopback. */
export function createWire(port: number): Wire {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    send: ({ method, target, headers, body }) =>
      new Promise((resolve, reject) => {
        const options = {
          host: '127.0.0.1',
          port,
          method,
          path: target,
          headers: { ...headers, ...length(body) },
          agent,
        };
        const outgoing = request({ ...options, timeout: TIMEOUT_MS }, (answer) => {
          const parts: Buffer[] = [];
          answer.on('data', (part: Buffer) => parts.push(part));
          answer.on('error', reject);
          answer.on('end', () => {
            resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts).toString() });
          });
        });
        outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
        outgoing.on('error', reject);
        outgoing.end(body);
      }),
    sendRaw: (bytes) =>
      new Promise((resolve, reject) => {
        const parts: Buffer[] = [];
        const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
        socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer in time')));
        socket.on('data', (part: Buffer) => parts.push(part));
        socket.on('error', (error) => parts.length === 0 && reject(error));
        socket.on('close', () => resolve(Buffer.concat(parts).toString()));
      }),
    close: () => agent.destroy(),
  };
}

function length(body: Buffer | undefined): Readonly<Record<string, string>> {
  return body === undefined ? {} : { 'content-length': String(body.length) };
}
