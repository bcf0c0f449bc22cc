import type { Clock } from '../../kube/clock.ts';
import {
  decodeConnectionRequest,
  encodeConfirm,
  encodeFailure,
  MAX_REQUEST_BYTES,
  selectProtocol,
} from '../rdp/codec.ts';
import { GARBAGE, isFailure, type RdpServerMode } from '../rdp/server.ts';
import type { Desktops } from './desktops.ts';
import { type Forwarding, isAdmitted, type LoadBalancer } from './loadbalancer.ts';
import type { GuestNetwork } from './network.ts';

/** One connection as its client sees it. */
export type MemoryConnection = {
  write(bytes: Uint8Array): void;
  /** The next bytes, or `undefined` once the peer closed. Rejects on a reset. */
  read(): Promise<Uint8Array | undefined>;
  close(): void;
};

export type MemoryDial = (
  address: { readonly host: string; readonly port: number },
  signal: AbortSignal,
) => Promise<MemoryConnection>;

/** A network without sockets, on which simulated guests answer RDP. */
export type MemoryNetwork = GuestNetwork & {
  /** Connects as a machine with this address; every step takes `latencyMs` on its clock. */
  dialFrom(from: { readonly clock: Clock; readonly address: string; readonly latencyMs: () => number }): MemoryDial;
  /** While silent, a guest accepts and never answers, whatever its mode is. */
  setSilent(uid: string, silent: boolean): void;
};

type Guest = { readonly uid: string; readonly address: string; mode: RdpServerMode };

export type MemoryNetworkOptions = {
  readonly rdpPort: number;
  /** A guest's confirm has reached its client. */
  readonly onHandshake?: ((uid: string) => void) | undefined;
};

/** Speaks the same codec as `simulator/rdp/server.ts`, up to the confirm: nobody looks at what comes after. */
export function createMemoryNetwork({ rdpPort, onHandshake }: MemoryNetworkOptions): MemoryNetwork {
  const byUid = new Map<string, Guest>();
  const byAddress = new Map<string, Guest>();
  const forwardings = new Map<string, Forwarding>();
  const silent = new Set<string>();

  const close = (uid: string): void => {
    const guest = byUid.get(uid);
    byUid.delete(uid);
    silent.delete(uid);
    if (guest !== undefined && byAddress.get(guest.address) === guest) byAddress.delete(guest.address);
  };
  const desktops: Desktops = {
    async open(uid, address, mode) {
      const present = byUid.get(uid);
      if (present?.address === address) {
        present.mode = mode;
        return;
      }
      close(uid);
      if (byAddress.has(address)) throw new Error(`listen EADDRINUSE: ${address}:${rdpPort}`);
      const guest: Guest = { uid, address, mode };
      byUid.set(uid, guest);
      byAddress.set(address, guest);
    },
    close: async (uid) => close(uid),
    isOpen: (uid) => byUid.has(uid),
    async closeAll() {
      for (const uid of [...byUid.keys()]) close(uid);
    },
  };
  const loadBalancer: LoadBalancer = {
    async forward(key, forwarding) {
      forwardings.set(key, forwarding);
    },
    async remove(key) {
      forwardings.delete(key);
    },
    async removeAll() {
      forwardings.clear();
    },
  };
  /** Directly, or through a load balancer that admits the client. */
  const route = (client: string, host: string, port: number): Guest | undefined => {
    if (port === rdpPort && byAddress.has(host)) return byAddress.get(host);
    for (const { address, ports, sourceRanges, backends } of forwardings.values()) {
      const target = ports.find((one) => one.port === port)?.targetPort;
      if (address !== host || target !== rdpPort || !isAdmitted(sourceRanges, client)) continue;
      return byAddress.get(backends()[0] ?? '');
    }
    return undefined;
  };

  return {
    desktops,
    loadBalancer,
    isFree: async (address) => !byAddress.has(address),
    setSilent: (uid, isSilent) => {
      if (isSilent) silent.add(uid);
      else silent.delete(uid);
    },
    dialFrom:
      ({ clock, address, latencyMs }) =>
      ({ host, port }, signal) =>
        new Promise((resolve, reject) => {
          if (signal.aborted) {
            reject(signal.reason);
            return;
          }
          const onAbort = (): void => {
            clock.clearTimeout(timer);
            reject(signal.reason);
          };
          const timer = clock.setTimeout(() => {
            signal.removeEventListener('abort', onAbort);
            const guest = route(address, host, port);
            if (guest === undefined) reject(new Error(`connect ECONNREFUSED ${host}:${port}`));
            else
              resolve(connect(guest, { later: (fn) => void clock.setTimeout(fn, latencyMs()), onHandshake, silent }));
          }, latencyMs());
          signal.addEventListener('abort', onAbort, { once: true });
        }),
  };
}

type Wire = {
  readonly later: (fn: () => void) => void;
  readonly silent: ReadonlySet<string>;
  readonly onHandshake: ((uid: string) => void) | undefined;
};

/** The guest's answer to a request, and whether it hangs up after it; undefined while it says nothing. */
type Reply = { readonly bytes: Uint8Array | undefined; readonly confirms: boolean };

function connect(guest: Guest, { later, silent, onHandshake }: Wire): MemoryConnection {
  const waiting: Uint8Array[] = [];
  let reader: ((bytes: Uint8Array | undefined) => void) | undefined;
  let received = Buffer.alloc(0);
  let ended = false;
  let closed = false;
  const hand = (reply: Reply): void => {
    if (closed) return;
    if (reply.confirms) onHandshake?.(guest.uid);
    else ended = true;
    if (reply.bytes !== undefined) waiting.push(reply.bytes);
    if (reader === undefined) return;
    const waiter = reader;
    reader = undefined;
    waiter(waiting.shift());
  };
  return {
    write: (bytes) => {
      const chunk = Buffer.from(bytes);
      later(() => {
        received = Buffer.concat([received, chunk.subarray(0, MAX_REQUEST_BYTES - received.length)]);
        const reply = silent.has(guest.uid) ? undefined : computeReply(guest.mode, received);
        if (reply !== undefined) later(() => hand(reply));
      });
    },
    read: () => {
      const bytes = waiting.shift();
      if (bytes !== undefined || ended || closed) return Promise.resolve(bytes);
      return new Promise((resolve) => {
        reader = resolve;
      });
    },
    close: () => {
      closed = true;
      reader?.(undefined);
      reader = undefined;
    },
  };
}

function computeReply(mode: RdpServerMode, received: Buffer): Reply | undefined {
  if (mode === 'silent') return undefined;
  const result = decodeConnectionRequest(received);
  if (result.kind === 'more') return undefined;
  if (result.kind === 'invalid' || result.request.requestedProtocols === undefined) {
    return { bytes: undefined, confirms: false };
  }
  if (mode === 'garbage') return { bytes: GARBAGE, confirms: false };
  const selected =
    mode === 'refuses' ? 'NO_CERTIFICATE' : selectProtocol(['NLA', 'TLS'], result.request.requestedProtocols);
  return isFailure(selected)
    ? { bytes: encodeFailure(selected), confirms: false }
    : { bytes: encodeConfirm(selected), confirms: true };
}
