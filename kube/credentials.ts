import { createHash } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from './clock.ts';

/** What a connection and a request need to be let in. */
export type Credentials = {
  /** `authorization`, impersonation. Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsOptions;
  /** Changes when connections have to be made anew: another certificate, key or CA. */
  readonly tlsFingerprint: string;
};

export type TlsOptions = {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
};

export type CredentialSource = {
  /** The credentials to use now: what is known while it is recent, else read again. */
  current(): Credentials | Promise<Credentials>;
  /** Forgets everything, plugin answers included. For after a 401. */
  invalidate(): void;
};

export type CredentialDeps = { readonly kubeConfig: KubeConfig; readonly clock: Clock };

/**
 * Credentials of the kubeconfig's current context. Certificates, token files and exec plugins are read by the kubeconfig loader, at most
 * once in {@link FRESH_MS}; concurrent callers share one reading. A failed reading is tried again by the next caller.
 */
export function createCredentialSource(deps: CredentialDeps): CredentialSource {
  let kubeConfig = deps.kubeConfig;
  let known: { readonly credentials: Credentials; readonly untilMs: number } | undefined;
  let reading: Promise<Credentials> | undefined;
  let stale = false;

  const read = async (): Promise<Credentials> => {
    if (stale) {
      kubeConfig = await withoutCaches(deps.kubeConfig);
      stale = false;
    }
    const credentials = await readCredentials(kubeConfig);
    known = { credentials, untilMs: deps.clock.monotonic() + FRESH_MS };
    return credentials;
  };

  return {
    current: () => {
      if (known !== undefined && deps.clock.monotonic() < known.untilMs) return known.credentials;
      reading ??= read().finally(() => {
        reading = undefined;
      });
      return reading;
    },
    invalidate: () => {
      known = undefined;
      stale = true;
    },
  };
}

/** The API server's URL in the current context, without a trailing slash. Throws with what is missing. */
export function serverUrl(kubeConfig: KubeConfig): URL {
  const cluster = kubeConfig.getCurrentCluster();
  if (cluster === null) {
    throw new Error(
      `the kubeconfig's current context ${JSON.stringify(kubeConfig.getCurrentContext())} names no cluster`,
    );
  }
  if (cluster.proxyUrl !== undefined) {
    throw new Error(`cluster ${cluster.name}: proxy-url is not supported; connect without a proxy`);
  }
  return new URL(cluster.server);
}

/** Rotated service account tokens stay valid for minutes; client-go reads them once a minute as well. */
const FRESH_MS = 30_000;

async function readCredentials(kubeConfig: KubeConfig): Promise<Credentials> {
  const options: RequestOptions & { headers: Record<string, string> } = { headers: {} };
  await kubeConfig.applyToHTTPSOptions(options);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers)) headers[name.toLowerCase()] = String(value).trim();
  if (typeof options.auth === 'string') headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const tls: TlsOptions = {
    ...pick('ca', options.ca),
    ...pick('cert', options.cert),
    ...pick('key', options.key),
    ...(options.servername === undefined ? {} : { servername: options.servername }),
    ...(options.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: options.rejectUnauthorized }),
  };
  return { headers, tls, tlsFingerprint: fingerprint(tls) };
}

function pick<K extends string>(name: K, value: unknown): { readonly [name in K]?: string | Buffer } {
  const usable = typeof value === 'string' || Buffer.isBuffer(value);
  return usable ? ({ [name]: value } as { readonly [name in K]?: string | Buffer }) : {};
}

function fingerprint(tls: TlsOptions): string {
  const hash = createHash('sha256');
  for (const part of [tls.ca, tls.cert, tls.key, tls.servername, String(tls.rejectUnauthorized)]) {
    hash.update(part ?? '').update('\0');
  }
  return hash.digest('hex');
}

/** The same configuration in a new object: the loader keeps plugin answers inside, without a way to drop them. */
async function withoutCaches(kubeConfig: KubeConfig): Promise<KubeConfig> {
  const loader = await import('@kubernetes/client-node');
  const fresh = new loader.KubeConfig();
  fresh.loadFromOptions({
    clusters: kubeConfig.clusters,
    users: kubeConfig.users,
    contexts: kubeConfig.contexts,
    currentContext: kubeConfig.currentContext,
  });
  return fresh;
}
