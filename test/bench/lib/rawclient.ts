import { connect, type TLSSocket } from 'node:tls';

/** One request as it goes over the wire, headers and body. */
export type RawRequest = Buffer;

export type RawEndpoint = { readonly host: string; readonly port: number; readonly ca: Buffer };

/** A request with a JSON body in HTTP/1.1. */
export function renderRequest(options: {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly token: string;
  readonly contentType: string;
  readonly body: string;
}): RawRequest {
  const body = Buffer.from(options.body);
  const head = [
    `${options.method} ${options.path} HTTP/1.1`,
    `host: ${options.host}`,
    `authorization: Bearer ${options.token}`,
    'accept: application/json',
    'user-agent: ceiling',
    `content-type: ${options.contentType}`,
    `content-length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
}

/**
 * One keep-alive connection that sends ready-made requests and looks at nothing of the answers but their status and their
 * end: the least that a client can do, so that what is measured is the API server.
 */
export class RawConnection {
  readonly #socket: TLSSocket;
  #received: Buffer = EMPTY;
  #pending: { resolve(status: number): void; reject(error: Error): void } | undefined;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#pending?.reject(error));
    socket.on('close', () => this.#pending?.reject(new Error('the API server closed the connection')));
  }

  /** Sends one request and resolves with the status when the whole answer is there. One at a time. */
  send(request: RawRequest): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#pending = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const end = findEnd(this.#received, headEnd);
    if (end === undefined || this.#received.length < end) return;
    const status = Number(this.#received.toString('latin1', 9, 12));
    const pending = this.#pending;
    this.#received = this.#received.subarray(end);
    this.#pending = undefined;
    pending?.resolve(status);
  }
}

/** Opens the connections before anything is timed. */
export async function openConnections(endpoint: RawEndpoint, count: number): Promise<readonly RawConnection[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect({
        host: endpoint.host,
        port: endpoint.port,
        ca: endpoint.ca,
        ALPNProtocols: ['http/1.1'],
      });
      await new Promise<void>((resolve, reject) => {
        socket.once('secureConnect', resolve).once('error', reject);
      });
      return new RawConnection(socket);
    }),
  );
}

const EMPTY = Buffer.alloc(0);
const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n');
const CONTENT_LENGTH = /\r\ncontent-length: *([0-9]+)/i;

/** Where the answer ends: by its length, or at the last chunk; undefined when that is not there yet. */
function findEnd(received: Buffer, headEnd: number): number | undefined {
  const head = received.toString('latin1', 0, headEnd);
  const length = CONTENT_LENGTH.exec(head)?.[1];
  if (length !== undefined) return headEnd + 4 + Number(length);
  const last = received.length - LAST_CHUNK.length;
  return last >= headEnd && received.subarray(last).equals(LAST_CHUNK) ? received.length : undefined;
}
