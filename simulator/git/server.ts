import { execFile, spawn } from 'node:child_process';
import { access, mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import path from 'node:path';
import { promisify } from 'node:util';

const HOST = '127.0.0.1';
const NAME = /^[a-z0-9][a-z0-9-]*$/;
const HEADER_LIMIT_BYTES = 64 * 1024;

/** A bare repository: where clients find it and where it lies. */
export type GitRemote = { readonly url: string; readonly path: string };

/** git's smart HTTP protocol on loopback. */
export type GitServer = {
  readonly url: string;
  /** Gives the bare repository of that name, made with the default branch `main` when it is not there yet. */
  remote(name: string): Promise<GitRemote>;
  stop(): Promise<void>;
};

export type GitServerOptions = {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 0, any free one. */
  readonly port?: number | undefined;
  /** Called after each push that was answered. */
  readonly onPush?: (() => void) | undefined;
  /** PEM; serves https then. The certificate has to name the host. */
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  /** Asks everybody for these. Default: nobody is asked. */
  readonly credentials?: { readonly username: string; readonly password: string } | undefined;
};

/** Serves the bare repositories below `folder`, for fetch and push. Rejects when the address is taken. */
export async function startGitServer(folder: string, options: GitServerOptions = {}): Promise<GitServer> {
  const { host = HOST, port = 0, onPush, tls, credentials } = options;
  await assertGit();
  await mkdir(folder, { recursive: true });
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (credentials !== undefined && !isBy(credentials, request)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('who are you?\n');
      return;
    }
    if (request.url?.endsWith('/git-receive-pack') === true) response.once('finish', () => onPush?.());
    serve(folder, request, response);
  };
  const server = tls === undefined ? createServer(answer) : createTlsServer({ ...tls }, answer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  server.unref();
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the git server has no port');
  const url = `${tls === undefined ? 'http' : 'https'}://${host}:${address.port}`;
  return {
    url,
    remote: (name) => createRemote(folder, url, name),
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/**
 * Makes the bare repository unless it exists, and gives both of its names. Rejects with an Error that names the repository and says what to do when git cannot
 * use what is there, or something is missing of it.
 */
export async function createRemote(folder: string, url: string, name: string): Promise<GitRemote> {
  if (!NAME.test(name))
    throw new Error(`a repository's name is lower-case letters, digits and hyphens, not ${JSON.stringify(name)}`);
  const repository = path.join(folder, `${name}.git`);
  const git = promisify(execFile);
  // Named, lest git takes a repository around it for this one.
  const here = `--git-dir=${repository}`;
  const exists = await access(repository).then(
    () => true,
    () => false,
  );
  try {
    // `git init` on an existing repository changes nothing.
    await git('git', ['init', '--quiet', '--bare', '--initial-branch=main', repository]);
    await git('git', [here, 'config', 'http.receivepack', 'true']);
    if (exists) await git('git', [here, 'rev-list', '--objects', '--all', '--quiet']);
  } catch (error) {
    const what = `the Git repository ${repository} cannot be used (${renderGitFailure(error)})`;
    throw new Error(`${what}: move it away and start again, then push to the new one from a clone`, { cause: error });
  }
  return { url: `${url}/${name}.git`, path: repository };
}

/** The line in which git says what is wrong. */
export function renderGitFailure(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => /^(fatal|error): /.test(line)) ?? lines[0] ?? 'git does not say why').trim();
}

async function assertGit(): Promise<void> {
  try {
    await promisify(execFile)('git', ['--version']);
  } catch {
    throw new Error('git is not installed: install it (on Debian: apt-get install git) and run again');
  }
}

function isBy(
  { username, password }: NonNullable<GitServerOptions['credentials']>,
  { headers }: IncomingMessage,
): boolean {
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return headers.authorization === expected;
}

/** Runs `git http-backend` as the CGI program that it is. */
function serve(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const target = parseTarget(request.url ?? '/');
  if (target === undefined) {
    response.writeHead(400).end('the path is not readable\n');
    return;
  }
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      REQUEST_METHOD: request.method ?? 'GET',
      PATH_INFO: target.path,
      QUERY_STRING: target.query,
      REMOTE_ADDR: HOST,
      REMOTE_USER: 'git',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      ...(request.headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: request.headers['content-length'] }),
    },
  });
  child.stdin.on('error', () => {});
  request.pipe(child.stdin);
  response.on('close', () => child.kill());
  child.on('error', () => response.destroy());
  relay(child.stdout, response);
}

function parseTarget(text: string): { readonly path: string; readonly query: string } | undefined {
  try {
    const { pathname, search } = new URL(text, `http://${HOST}`);
    return { path: decodeURIComponent(pathname), query: search.slice(1) };
  } catch {
    return undefined;
  }
}

/** Copies a CGI answer: header lines up to an empty line, `Status` among them, then the body as it is. */
function relay(output: NodeJS.ReadableStream, response: ServerResponse): void {
  let head = Buffer.alloc(0);
  const onHead = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) {
      if (head.length > HEADER_LIMIT_BYTES) response.destroy();
      return;
    }
    output.off('data', onHead);
    output.pause();
    for (const line of head.subarray(0, end).toString('latin1').split('\r\n')) {
      const colon = line.indexOf(':');
      const [key, value] = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
      if (key.toLowerCase() === 'status') response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(key, value);
    }
    response.write(head.subarray(end + 4));
    output.pipe(response);
  };
  output.on('data', onHead);
  output.on('end', () => {
    if (!response.headersSent) response.writeHead(500);
    response.end();
  });
}
