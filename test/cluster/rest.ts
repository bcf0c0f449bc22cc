import type { RequestOptions } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, request } from 'undici';

/** A minimal way to call an API server: enough to bring a cluster up and to look into it, without the code under test. */
export type Rest = {
  /** Calls and gives status and parsed body, whatever the status is; once more where it is told to come back later. */
  call(method: Method, path: string, body?: unknown, contentType?: string): Promise<Reply>;
  /** Calls and gives the body; throws with the API server's own message on any status from 400 on. */
  ask(method: Method, path: string, body?: unknown, contentType?: string): Promise<unknown>;
  close(): Promise<void>;
};

/** An HTTP method. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A status code and the body, parsed when it is JSON. */
export type Reply = { readonly status: number; readonly body: unknown };

const CONNECT_TIMEOUT_MS = 60_000;
const ATTEMPTS = 20;

/** The content type of server-side apply with a JSON body, which YAML's type admits. */
export const APPLY = 'application/apply-patch+yaml';

/** Connects as the kubeconfig's current user. */
export async function createRest(kubeConfig: KubeConfig): Promise<Rest> {
  const url = kubeConfig.getCurrentCluster()?.server;
  if (url === undefined) throw new Error('the kubeconfig names no current cluster');
  const options: RequestOptions = {};
  await kubeConfig.applyToHTTPSOptions(options);
  const { ca, cert, key } = options;
  const connect = { ca, cert, key, rejectUnauthorized: options.rejectUnauthorized !== false };
  const agent = new Agent({
    connect: {
      ...Object.fromEntries(Object.entries(connect).filter(([, value]) => value !== undefined)),
      timeout: CONNECT_TIMEOUT_MS,
    },
  });
  const headers = renderHeaders(options.headers);
  const send = async (method: Method, path: string, body?: unknown, contentType = 'application/json') => {
    const response = await request(`${url}${path}`, {
      method,
      dispatcher: agent,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': contentType }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.body.text();
    const retryAfterMs = Number(response.headers['retry-after']) * 1_000;
    return { status: response.statusCode, body: parseBody(text), retryAfterMs };
  };
  // As every client of Kubernetes does: so it answers while it is too busy, or before it serves a new kind.
  const call: Rest['call'] = async (...args) => {
    for (let attempt = 1; ; attempt++) {
      const { retryAfterMs, ...reply } = await send(...args);
      if (reply.status !== 429 || !(retryAfterMs >= 0) || attempt === ATTEMPTS) return reply;
      await delay(retryAfterMs);
    }
  };
  return {
    call,
    ask: async (method, path, body, contentType) => {
      const reply = await call(method, path, body, contentType);
      if (reply.status >= 400) throw new Error(`${method} ${path}: ${reply.status} ${messageOf(reply.body)}`);
      return reply.body;
    },
    close: () => agent.close(),
  };
}

function renderHeaders(headers: RequestOptions['headers']): Record<string, string> {
  const entries = Object.entries(headers ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function messageOf(body: unknown): string {
  if (typeof body === 'object' && body !== null && 'message' in body) return String(body.message);
  return String(body);
}
