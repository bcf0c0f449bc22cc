import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { createStoredJournal } from '../gitops/writer/journal/stored.ts';
import { createClient } from '../kube/client.ts';
import { realClock, realRandom } from '../kube/clock.ts';
import { createMetrics } from '../kube/metrics.ts';
import { openStore, type StoreAddress } from '../store/store.ts';
import { ApiConfig } from './config.ts';
import { startApi } from './server.ts';

/** What a process is told by its environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Runs the API server until the signal aborts: kubeconfig as kubectl finds it, or the pod's ServiceAccount; settings and database from the environment.
 * Throws with the setting that is wrong.
 */
export async function runApi(environment: Environment, signal: AbortSignal): Promise<void> {
  const config = parseConfig(environment.SUBLET_API_CONFIG);
  const address = parseDatabase(environment);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  const log = pino({ name: 'sublet-api' });
  const shared = { clock: realClock, random: realRandom, log, metrics: createMetrics() };
  const store = await openStore(shared, address);
  const client = createClient({ ...shared, kubeConfig }, { userAgent: 'sublet-api' });
  try {
    const journal = createStoredJournal({ clock: realClock, store });
    const gitPath = environment.PATH ?? '/usr/bin:/bin';
    const traceEndpoint = parseEndpoint(environment.OTEL_EXPORTER_OTLP_ENDPOINT);
    const api = await startApi({ ...shared, client, store, journal, fetch, gitPath, traceEndpoint }, config, signal);
    log.info({ address: api.address, port: api.port, manage: api.manage }, 'the API listens');
    await api.stopped;
  } finally {
    await client.close();
    await store.close();
  }
}

function parseConfig(text: string | undefined): ApiConfig {
  const settings = parseSettings(text);
  const result = ApiConfig.safeParse(settings);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join('.') || 'settings'}: ${issue.message}`);
  throw new Error(`SUBLET_API_CONFIG is wrong: ${problems.join('; ')}. api/config.ts says what each setting takes`);
}

function parseSettings(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '{}');
  } catch {
    throw new Error('SUBLET_API_CONFIG is not JSON');
  }
}

function parseDatabase({ SUBLET_DATABASE_URL: url, SUBLET_DATABASE_FOLDER: folder }: Environment): StoreAddress {
  if (url !== undefined && url !== '') return { type: 'Postgres', url };
  if (folder !== undefined && folder !== '') return { type: 'Embedded', folder };
  throw new Error(
    'set SUBLET_DATABASE_URL to a PostgreSQL, or SUBLET_DATABASE_FOLDER to a folder for a database in this process',
  );
}

/** OpenTelemetry's own variable. */
function parseEndpoint(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new Error('OTEL_EXPORTER_OTLP_ENDPOINT has to be a URL such as http://collector:4318');
}
