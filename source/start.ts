import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { request } from 'undici';
import { openGitReader } from '../git/binary/reader.ts';
import { createClient } from '../kube/client.ts';
import { realClock, realRandom } from '../kube/clock.ts';
import { createMetrics } from '../kube/metrics.ts';
import { parseSourceConfig } from './config.ts';
import { gunzipInPool, type OpenUrl } from './fetch.ts';
import { runSource } from './main.ts';

/** Reads over HTTP without following redirects: an artifact is where source-controller says it is. */
export const openUrl: OpenUrl = async (url, signal) => {
  const { statusCode, body } = await request(url, { signal });
  if (statusCode === 200) return body;
  await body.dump();
  throw new Error(`${url} answered ${statusCode}`);
};

/** The process `sublet source`: settings from the environment, the cluster from KUBECONFIG or the pod; ends when the signal aborts. */
export async function startSource(
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<void> {
  const config = parseSourceConfig(env);
  const log = pino({ name: 'sublet-source', level: env.SUBLET_LOG_LEVEL ?? 'info' });
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  const metrics = createMetrics();
  const deps = { clock: realClock, random: realRandom, log, metrics };
  const client = createClient({ ...deps, kubeConfig });
  try {
    const git = { open: openGitReader, path: env.PATH ?? '' };
    const source = await runSource({ ...deps, client, openUrl, gunzip: gunzipInPool, git }, config, signal);
    log.info({ address: source.address, port: source.port, environment: config.environment }, 'serving archives');
    await source.stopped;
  } finally {
    await client.close();
  }
}
