import { Pool } from 'undici';

/** How a server is reached; nothing of `kube/`, whose client is itself under test here. */
export type Server = {
  readonly url: string;
  send(request: RawRequest, signal?: AbortSignal): Promise<RawAnswer>;
  /** Resolves when the server began to answer; a refusal is read to its end. */
  open(request: RawRequest): Promise<RawStream>;
  kubectl(args: readonly string[], input?: string): Promise<{ stdout: string; stderr: string; code: number }>;
  compact(): Promise<void>;
  close(): Promise<void>;
};

export type RawRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
};
export type RawHeaders = Readonly<Record<string, string | string[] | undefined>>;
export type RawAnswer = { readonly status: number; readonly headers: RawHeaders; readonly body: Buffer };
export type RawStream = {
  readonly status: number;
  readonly headers: RawHeaders;
  /** Complete lines so far, oldest first. */
  readonly lines: readonly string[];
  /** What came after the last complete line. */
  rest(): string;
  ended(): boolean;
  /** Resolves at the next chunk or the end. */
  progress(): Promise<void>;
  cancel(): void;
};

export type ServerOptions = {
  readonly url: string;
  readonly ca: string;
  readonly token: string;
  readonly kubectl: Server['kubectl'];
  readonly compact: Server['compact'];
};

const CONNECTIONS = 48;
/** A busy machine is given time: hundreds of connections may be opened at once. */
const PATIENCE_MS = 300_000;
/** Without the client's own name, which is the default field manager, the two servers' answers would differ by it. */
const USER_AGENT = 'contract/1.0 (linux/amd64)';

export function connectServer(options: ServerOptions): Server {
  const common = {
    connect: { ca: options.ca, timeout: PATIENCE_MS },
    allowH2: false,
    headersTimeout: PATIENCE_MS,
    bodyTimeout: PATIENCE_MS,
  };
  const calls = new Pool(options.url, { ...common, connections: CONNECTIONS });
  const watches = new Pool(options.url, common);
  const headersOf = (request: RawRequest) => ({
    authorization: `Bearer ${options.token}`,
    'user-agent': USER_AGENT,
    ...request.headers,
  });

  return {
    url: options.url,
    kubectl: options.kubectl,
    compact: options.compact,
    send: async (request, signal) => {
      const { method, path, body } = request;
      const answer = await calls.request({
        method,
        path,
        headers: headersOf(request),
        body: body ?? null,
        ...(signal === undefined ? {} : { signal }),
      });
      const bytes = Buffer.from(await answer.body.arrayBuffer());
      return { status: answer.statusCode, headers: answer.headers, body: bytes };
    },
    open: async (request) => {
      const stop = new AbortController();
      const { method, path } = request;
      const answer = await watches.request({ method, path, headers: headersOf(request), signal: stop.signal });
      const lines: string[] = [];
      let rest = '';
      let ended = false;
      let wake = Promise.withResolvers<void>();
      const tell = (): void => {
        const told = wake;
        wake = Promise.withResolvers();
        told.resolve();
      };
      answer.body.setEncoding('utf8');
      answer.body.on('data', (chunk: string) => {
        const parts = (rest + chunk).split('\n');
        rest = parts.pop() ?? '';
        lines.push(...parts);
        tell();
      });
      answer.body.on('error', () => {});
      answer.body.on('close', () => {
        ended = true;
        tell();
      });
      return {
        status: answer.statusCode,
        headers: answer.headers,
        lines,
        rest: () => rest,
        ended: () => ended,
        progress: () => wake.promise,
        cancel: () => stop.abort(),
      };
    },
    close: async () => {
      await Promise.all([calls.destroy(), watches.destroy()]);
    },
  };
}
