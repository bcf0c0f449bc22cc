import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from 'pino';
import { isSecretOf, mintKey, parseKey } from '../../api/authenticate/apikey.ts';
import { ApiConfig } from '../../api/config.ts';
import { createKeyRecords, isGoodKey, type KeyRecords } from '../../api/records/keys.ts';
import { startApi } from '../../api/server.ts';
import { createStoredJournal } from '../../gitops/writer/journal/stored.ts';
import { ROLEBINDINGS } from '../../kube/builtin.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { createMetrics } from '../../kube/metrics.ts';
import type { KubeObject } from '../../kube/object.ts';
import { SYSTEM_NAMESPACE } from '../../model/names.ts';
import { openStore } from '../../store/store.ts';
import type { Access } from './access.ts';
import { PROVIDER, PROVIDER_BINDING } from './people.ts';

export type EmbeddedApiOptions = {
  /** The database, copies of repositories and the key are kept here. */
  readonly folder: string;
  readonly environment: string;
  /** 0 picks a free port. */
  readonly port: number;
};

export type EmbeddedApi = {
  readonly url: string;
  /** A key that acts in a user's name, as whom the API server knows: what an issuer's token does elsewhere. Kept, and the same at the next start. */
  tokenFor(user: string): Promise<string>;
  /** Where the key of {@link PROVIDER} is kept. */
  readonly tokenPath: string;
  /** Rejects when it gives up by itself. */
  readonly stopped: Promise<void>;
  stop(): Promise<void>;
};

const HOST = '127.0.0.1';
const KEY_DAYS = 365;
const DAY_MS = 86_400_000;

/** The REST API on a database in this process, with the writer of the fleet repository behind it. Rejects, with everything stopped again, when something cannot be had. */
export async function startEmbeddedApi(
  { access, log }: { readonly access: Access; readonly log: Logger },
  options: EmbeddedApiOptions,
): Promise<EmbeddedApi> {
  const { folder, environment, port } = options;
  const shared = { clock: realClock, random: realRandom, log: log.child({ role: 'sublet-api' }) };
  const store = await openStore(shared, { type: 'Embedded', folder: path.join(folder, 'database') });
  const abort = new AbortController();
  try {
    const keys = createKeyRecords(store.db);
    const tokens = path.join(folder, 'tokens');
    await mkdir(tokens, { recursive: true, mode: 0o700 });
    const fileOf = (user: string): string => path.join(tokens, encodeURIComponent(user));
    const tokenFor = (user: string): Promise<string> => keepToken(keys, fileOf(user), user);
    await tokenFor(PROVIDER);
    await access.admin.apply<KubeObject>(ROLEBINDINGS, PROVIDER_BINDING, { fieldManager: 'kubectl', force: true });
    const config = ApiConfig.parse({
      environment,
      publicUrl: `http://${HOST}:${port}`,
      listen: { address: HOST, port },
      manage: { address: HOST, port: 0 },
      git: { folder: path.join(folder, 'writer'), protocols: ['http'] },
      drainSeconds: 1,
    });
    const deps = {
      ...shared,
      client: access.clientFor({ namespace: SYSTEM_NAMESPACE, name: 'sublet-api' }),
      metrics: createMetrics(),
      store,
      journal: createStoredJournal({ clock: realClock, store }),
      fetch,
      gitPath: process.env.PATH ?? '',
    };
    const api = await startApi(deps, config, abort.signal);
    const stopped = api.stopped.finally(() => store.close());
    stopped.catch(() => {});
    await Promise.race([api.ready(), stopped]);
    const stop = async (): Promise<void> => {
      abort.abort();
      await stopped;
    };
    return { url: `http://${HOST}:${api.port}`, tokenFor, tokenPath: fileOf(PROVIDER), stopped, stop };
  } catch (error) {
    abort.abort();
    await store.close();
    throw error;
  }
}

/** The key of an earlier start while the database knows it, or a new one. */
async function keepToken(keys: KeyRecords, file: string, user: string): Promise<string> {
  const known = (await readFile(file, 'utf8').catch(() => '')).trim();
  const parsed = parseKey(known);
  const record = parsed && (await keys.find(parsed.id));
  const nowMs = realClock.now();
  if (parsed !== undefined && isGoodKey(record, nowMs) && isSecretOf(parsed.secret, record)) return known;
  const { token, id, salt, hash } = mintKey(realRandom);
  await keys.add({
    id,
    name: 'sublet dev',
    salt,
    hash,
    maker: user,
    scope: undefined,
    role: 'Owner',
    createdAtMs: nowMs,
    expiresAtMs: nowMs + KEY_DAYS * DAY_MS,
    lastUsedAtMs: undefined,
    revokedAtMs: undefined,
  });
  await writeFile(file, `${token}\n`, { mode: 0o600 });
  return token;
}
