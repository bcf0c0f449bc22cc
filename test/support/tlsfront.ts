import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createSelfSignedCertificate } from '../../simulator/rdp/certificate.ts';

const HOST = '127.0.0.1';
const HOUR_MS = 3_600_000;

/** https on loopback before a server that speaks http, as forges stand behind a proxy. */
export type TlsFront = {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  /** PEM, and its own authority. */
  readonly cert: string;
  stop(): Promise<void>;
};

export async function startTlsFront(target: string): Promise<TlsFront> {
  const { key, cert } = createSelfSignedCertificate('front', Date.now() - HOUR_MS, [HOST]);
  const server = createServer({ key, cert }, (incoming, outgoing) => {
    const { method, headers, url = '/' } = incoming;
    const passed = request(new URL(url, target), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    outgoing.on('close', () => passed.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  return {
    host: `${HOST}:${(server.address() as AddressInfo).port}`,
    cert,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
