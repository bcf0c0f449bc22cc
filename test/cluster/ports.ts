import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const HOST = '127.0.0.1';
// Below the range from which Linux, macOS and Windows take the ports of outgoing connections.
const FIRST = 20_000;
const LAST = 30_000;
const ATTEMPTS = 200;

/** What was given away here may be picked and not yet in use. */
const given = new Set<number>();

/**
 * Picks ports on loopback that nothing listens on now, none twice. Another process may still take one before it is used: a program
 * that then fails to listen is to be started again with other ports.
 */
export async function pickPorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; attempt < ATTEMPTS && ports.size < count; attempt++) {
    const port = randomInt(FIRST, LAST);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) ports.add(port);
  }
  if (ports.size < count) throw new Error(`no ${count} free ports on ${HOST} between ${FIRST} and ${LAST}`);
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: HOST, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
