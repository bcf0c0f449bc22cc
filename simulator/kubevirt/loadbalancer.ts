import { BlockList, connect, createServer, isIP, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import type { Clock, Timer } from '../../kube/clock.ts';

export type Forwarding = {
  readonly address: string;
  readonly ports: readonly { readonly port: number; readonly targetPort: number }[];
  /** CIDRs; empty admits everybody, as a Service without `loadBalancerSourceRanges` does. */
  readonly sourceRanges: readonly string[];
  /** Addresses to choose from, asked at each connection. */
  readonly backends: () => readonly string[];
};

/** TCP forwarding, one set of listeners a Service. */
export type LoadBalancer = {
  /** Listens as told; rules take effect for connections from now on. Rejects when a port cannot be bound. */
  forward(key: string, forwarding: Forwarding): Promise<void>;
  remove(key: string): Promise<void>;
  removeAll(): Promise<void>;
};

export function createLoadBalancer(deps: { readonly clock: Clock; readonly log: Logger }): LoadBalancer {
  const entries = new Map<string, Entry>();
  const remove = async (key: string): Promise<void> => {
    const entry = entries.get(key);
    entries.delete(key);
    for (const socket of entry?.sockets ?? []) socket.destroy();
    await Promise.all([...(entry?.servers.values() ?? [])].map(stop));
  };
  return {
    async forward(key, forwarding) {
      const present = entries.get(key);
      if (present !== undefined && present.forwarding.address !== forwarding.address) await remove(key);
      const entry = entries.get(key) ?? { forwarding, servers: new Map(), sockets: new Set() };
      entry.forwarding = forwarding;
      entries.set(key, entry);
      await listenOn(deps, entry);
    },
    remove,
    async removeAll() {
      await Promise.all([...entries.keys()].map(remove));
    },
  };
}

/** Whether a client address lies in one of the ranges. Ranges that are no CIDR admit nobody. */
export function isAdmitted(sourceRanges: readonly string[], client: string): boolean {
  if (sourceRanges.length === 0) return true;
  const address = client.startsWith('::ffff:') ? client.slice('::ffff:'.length) : client;
  const list = new BlockList();
  for (const range of sourceRanges) {
    const [network = '', bits = ''] = range.trim().split('/');
    const family = isIP(network);
    const prefix = /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (family === 0 || prefix < 0 || prefix > (family === 4 ? 32 : 128)) continue;
    list.addSubnet(network, prefix, family === 4 ? 'ipv4' : 'ipv6');
  }
  return isIP(address) !== 0 && list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}

type Entry = { forwarding: Forwarding; readonly servers: Map<number, Server>; readonly sockets: Set<Socket> };

type Deps = { readonly clock: Clock; readonly log: Logger };

const MAX_CONNECTIONS = 64;
const IDLE_TIMEOUT_MS = 300_000;
const CONNECT_TIMEOUT_MS = 5_000;

async function listenOn(deps: Deps, entry: Entry): Promise<void> {
  const wanted = new Set(entry.forwarding.ports.map(({ port }) => port));
  for (const [port, server] of entry.servers) {
    if (wanted.has(port)) continue;
    entry.servers.delete(port);
    await stop(server);
  }
  for (const port of wanted) {
    if (!entry.servers.has(port)) entry.servers.set(port, await listen(deps, entry, port));
  }
}

function listen(deps: Deps, entry: Entry, port: number): Promise<Server> {
  const server = createServer((client) => accept(deps, entry, port, client));
  server.maxConnections = MAX_CONNECTIONS;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: entry.forwarding.address, port }, () => {
      server.off('error', reject);
      server.on('error', (error) => deps.log.warn({ err: error }, 'load balancer listener failed'));
      resolve(server);
    });
  });
}

function accept({ clock }: Deps, entry: Entry, port: number, client: Socket): void {
  const { forwarding, sockets } = entry;
  const [backend] = forwarding.backends();
  const targetPort = forwarding.ports.find((one) => one.port === port)?.targetPort;
  client.on('error', () => client.destroy());
  if (!isAdmitted(forwarding.sourceRanges, client.remoteAddress ?? '') || backend === undefined || !targetPort) {
    client.resetAndDestroy();
    return;
  }
  const upstream = connect({ host: backend, port: targetPort });
  upstream.on('error', () => client.resetAndDestroy());
  sockets.add(client).add(upstream);
  let timer: Timer | undefined;
  const restart = (ms: number): void => {
    clock.clearTimeout(timer);
    timer = clock.setTimeout(() => client.destroy(), ms);
  };
  restart(CONNECT_TIMEOUT_MS);
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    socket.on('data', () => restart(IDLE_TIMEOUT_MS));
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroySoon();
      clock.clearTimeout(timer);
    });
  }
  client.pipe(upstream);
  upstream.pipe(client);
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
