import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createSelfSignedCertificate } from '../../../simulator/rdp/certificate.ts';

/** A message as it arrived. */
export type Received = {
  readonly id: string;
  readonly timestamp: number;
  readonly signatures: readonly string[];
  readonly headers: IncomingMessage['headers'];
  readonly path: string;
  readonly body: string;
};

/** A real HTTPS server on loopback, which this process trusts. */
export type Receiver = {
  readonly port: number;
  /** `https://127.0.0.1:<port>` */
  readonly url: string;
  readonly certificate: string;
  readonly received: Received[];
  /** How it answers, from now on. By default 204. */
  answer: (message: Received, response: ServerResponse) => void;
  close(): Promise<void>;
};

export async function startReceiver(names: readonly string[] = []): Promise<Receiver> {
  const { key, cert } = createSelfSignedCertificate('receiver', Date.now() - 3_600_000, ['127.0.0.1', ...names]);
  setDefaultCACertificates([...getCACertificates('default'), cert]);
  const sockets = new Set<Socket>();
  const received: Received[] = [];
  const server = createServer({ key, cert }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const message = parseMessage(request, Buffer.concat(chunks).toString('utf8'));
      received.push(message);
      receiver.answer(message, response);
    });
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    port,
    url: `https://127.0.0.1:${port}`,
    certificate: cert,
    received,
    answer: (_message, response) => void response.writeHead(204).end(),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return receiver;
}

function parseMessage({ headers, url = '' }: IncomingMessage, body: string): Received {
  return {
    id: String(headers['webhook-id']),
    timestamp: Number(headers['webhook-timestamp']),
    signatures: String(headers['webhook-signature']).split(' '),
    headers,
    path: url,
    body,
  };
}

/** What a receiver does with its secret, by the specification and not by our code. */
export function isSignedWith({ id, timestamp, signatures, body }: Received, secret: string): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
  return signatures.some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64');
    return signature.startsWith('v1,') && given.length === expected.length && timingSafeEqual(given, expected);
  });
}
