import { Agent } from 'undici';
import type { Clock } from '../../../../kube/clock.ts';
import { renderQuoted } from '../../schema/gotext.ts';
import { isObject } from '../../schema/json.ts';
import type { Webhook } from './webhook.ts';

/** Asks webhooks over HTTPS. */
export type WebhookCaller = {
  /** The answer's JSON. Rejects with an Error in the API server's words. */
  call(webhook: Webhook, review: unknown): Promise<unknown>;
  close(): Promise<void>;
};

/** One pool of connections for each authority that is trusted. */
export function createWebhookCaller(deps: { readonly clock: Clock }): WebhookCaller {
  const agents = new Map<string, Agent>();
  const agentFor = (ca: string): Agent => {
    const agent = agents.get(ca) ?? new Agent({ connect: ca === '' ? {} : { ca }, headersTimeout: 0, bodyTimeout: 0 });
    agents.set(ca, agent);
    return agent;
  };
  return {
    call: async (webhook, review) => {
      const url = new URL(webhook.url);
      url.searchParams.set('timeout', `${webhook.timeoutSeconds}s`);
      const { status, body } = await post(deps.clock, agentFor(webhook.ca ?? ''), url, review, webhook.timeoutSeconds);
      if (status < 200 || status > 206) throw new Error(renderStatus(status, body));
      return parseAnswer(body);
    },
    close: async () => void (await Promise.all([...agents.values()].map((agent) => agent.destroy()))),
  };
}

type Answer = { readonly status: number; readonly body: string };

async function post(clock: Clock, agent: Agent, url: URL, review: unknown, timeoutSeconds: number): Promise<Answer> {
  const expiry = new AbortController();
  const timer = clock.setTimeout(() => expiry.abort(new Error('context deadline exceeded')), timeoutSeconds * 1_000);
  try {
    const { statusCode, body } = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      headers: { accept: 'application/json, */*', 'content-type': 'application/json' },
      body: JSON.stringify(review),
      signal: expiry.signal,
    });
    return { status: statusCode, body: await body.text() };
  } catch (error) {
    throw new Error(`Post ${renderQuoted(url.href)}: ${renderFailure(error, url)}`, { cause: error });
  } finally {
    clock.clearTimeout(timer);
  }
}

/** Node's reason in Go's words, as far as they have the same one. */
function renderFailure(error: unknown, url: URL): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return `dial tcp ${url.hostname}:${url.port || '443'}: connect: connection refused`;
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${url.hostname}: no such host`;
  if (UNKNOWN_AUTHORITY.has(code)) {
    return 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
  }
  if (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET') return 'EOF';
  return error.message;
}

const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

function renderStatus(status: number, body: string): string {
  if (status >= 500)
    return `an error on the server (${renderQuoted(body.trim())}) has prevented the request from succeeding`;
  return (
    STATUS_TEXTS[status] ?? `the server responded with the status code ${status} but did not return more information`
  );
}

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  429: 'the server has received too many requests and has asked us to try again later',
};

function parseAnswer(body: string): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`couldn't get version/kind; json parse error: ${why}`);
  }
  if (!isObject(answer) || typeof answer.kind !== 'string') {
    throw new Error(`Object 'Kind' is missing in ${renderQuoted(body)}`);
  }
  return answer;
}
