import { createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Clock, realClock, type Timer } from '../../kube/clock.ts';
import { createSelfSignedCertificate, type ServerCertificate } from './certificate.ts';
import {
  decodeConnectionRequest,
  encodeConfirm,
  encodeFailure,
  encodePlainConfirm,
  FAILURE,
  type Failure,
  MAX_REQUEST_BYTES,
  type Protocol,
  selectProtocol,
} from './codec.ts';

/**
 * - `normal`: negotiates as {@link RdpServerOptions.offers} allows, then speaks TLS when that was chosen.
 * - `silent`: accepts and never answers.
 * - `garbage`: answers what begins like a confirm and is none.
 * - `refuses`: answers every request with a negotiation failure (no certificate).
 */
export type RdpServerMode = 'normal' | 'silent' | 'garbage' | 'refuses';

export type RdpServerOptions = {
  /** A loopback address; anything else is refused. */
  readonly address: string;
  /** 0 picks a free port. */
  readonly port: number;
  readonly mode: RdpServerMode;
  /** Default NLA and TLS. */
  readonly offers?: readonly Protocol[];
  /** Further connections are closed at once. Default 32. */
  readonly maxConnections?: number;
  /** A connection without a byte for this long is closed. Default 30 000. */
  readonly idleTimeoutMs?: number;
  /** Shared by many servers to save making one each. Default: one of its own, made when first needed. */
  readonly certificate?: ServerCertificate;
};

export type RdpServer = {
  readonly address: string;
  readonly port: number;
  /** Applies to connections from now on. */
  setMode(mode: RdpServerMode): void;
  connectionCount(): number;
  /** Closes the listener and all connections. */
  stop(): Promise<void>;
};

/**
 * A listener that negotiates X.224 as an RDP server does. After the confirm TLS is real (self-signed), and there the pretence ends: no
 * session lies behind it, so the first bytes inside TLS, or after a confirm of standard security, close the connection.
 * Rejects with the system's error when the address cannot be bound.
 */
export async function startRdpServer(
  options: RdpServerOptions,
  deps: { readonly clock: Clock } = { clock: realClock },
): Promise<RdpServer> {
  checkLoopback(options.address);
  const sockets = new Set<Socket>();
  const state: ServerState = { options, clock: deps.clock, mode: options.mode, certificate: options.certificate };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveConnection(state, socket);
  });
  server.maxConnections = options.maxConnections ?? 32;
  const port = await listen(server, options);
  return {
    address: options.address,
    port,
    setMode(mode) {
      state.mode = mode;
    },
    connectionCount: () => sockets.size,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

type ServerState = {
  readonly options: RdpServerOptions;
  readonly clock: Clock;
  mode: RdpServerMode;
  certificate: ServerCertificate | undefined;
};

const DEFAULT_IDLE_TIMEOUT_MS = 30_000;

/** A TPKT header and length that are right, and an X.224 code that does not exist. */
export const GARBAGE = Buffer.from('030000130ef0a55a00ff00deadbeefdeadbeef', 'hex');

function serveConnection(state: ServerState, socket: Socket): void {
  keepIdleLimit(state, socket);
  socket.on('error', () => socket.destroy());
  if (state.mode === 'silent') {
    socket.resume();
    return;
  }
  let received = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk.subarray(0, MAX_REQUEST_BYTES - received.length)]);
    const result = decodeConnectionRequest(received);
    if (result.kind === 'more') return;
    socket.off('data', onData);
    if (result.kind === 'invalid') {
      socket.destroy();
      return;
    }
    answer(state, socket, result.request.requestedProtocols);
  };
  socket.on('data', onData);
}

function answer(state: ServerState, socket: Socket, requested: number | undefined): void {
  const offers = state.options.offers ?? ['NLA', 'TLS'];
  if (state.mode === 'garbage') {
    socket.end(GARBAGE);
  } else if (requested === undefined) {
    if (offers.includes('RDP')) awaitFirstByte(socket, encodePlainConfirm());
    else socket.destroy();
  } else {
    const selected = state.mode === 'refuses' ? 'NO_CERTIFICATE' : selectProtocol(offers, requested);
    if (isFailure(selected)) socket.end(encodeFailure(selected));
    else if (selected === 'RDP') awaitFirstByte(socket, encodeConfirm(selected));
    else upgradeToTls(state, socket, encodeConfirm(selected));
  }
}

function awaitFirstByte(socket: Socket, confirm: Buffer): void {
  socket.write(confirm);
  socket.once('data', () => socket.destroy());
}

function upgradeToTls(state: ServerState, socket: Socket, confirm: Buffer): void {
  state.certificate ??= createSelfSignedCertificate(state.options.address, state.clock.now());
  const { key, cert } = state.certificate;
  socket.write(confirm);
  const secure = new TLSSocket(socket, { isServer: true, key, cert });
  secure.on('error', () => socket.destroy());
  secure.once('data', () => secure.end());
}

function keepIdleLimit(state: ServerState, socket: Socket): void {
  const idleTimeoutMs = state.options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS;
  let timer: Timer | undefined;
  const restart = (): void => {
    state.clock.clearTimeout(timer);
    timer = state.clock.setTimeout(() => socket.destroy(), idleTimeoutMs);
  };
  restart();
  socket.on('data', restart);
  socket.on('close', () => state.clock.clearTimeout(timer));
}

function listen(server: Server, options: RdpServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.address, port: options.port }, () => {
      server.off('error', reject);
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : options.port);
    });
  });
}

/** The simulated desktops must never be reachable from another machine. */
function checkLoopback(address: string): void {
  if (!/^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address)) {
    throw new RangeError(`address: ${address} is not in 127.0.0.0/8`);
  }
}

export function isFailure(selected: Protocol | Failure): selected is Failure {
  return Object.hasOwn(FAILURE, selected);
}
