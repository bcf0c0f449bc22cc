import type { Logger } from 'pino';
import { openGitReader } from '../../git/binary/reader.ts';
import type { Client } from '../../kube/client.ts';
import type { Clock, Random } from '../../kube/clock.ts';
import type { Manager } from '../../kube/manager.ts';
import { createMetrics } from '../../kube/metrics.ts';
import type { OpenUrl } from '../../simulator/flux/artifacts.ts';
import { SourceConfig } from '../../source/config.ts';
import { gunzipInPool } from '../../source/fetch.ts';
import { createSource } from '../../source/main.ts';
import { createSourceMetrics } from '../../source/metrics.ts';
import { createArchiveStore } from '../../source/store.ts';

/** As kustomize-controller reaches the fleet source in a cluster; nothing listens there. */
const BASE_URL = 'http://sublet-source.sublet-system.svc';
const PATH = /^[^/]+\/([^/]+)\/([0-9a-f]{64})\.tar\.gz$/;

export type EmbeddedSource = {
  readonly manager: Manager;
  /** Reads its archives, and through `deps.openUrl` those of others. */
  readonly openUrl: OpenUrl;
};

/** The fleet source with its archives in a folder, which are read without a socket. Nothing runs before its manager is started. */
export function createEmbeddedSource(
  deps: {
    readonly client: Client;
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Logger;
    readonly openUrl: OpenUrl;
  },
  options: { readonly folder: string; readonly environment: string },
): EmbeddedSource {
  const { folder, environment } = options;
  const config = SourceConfig.parse({ environment, directory: folder, leaderElection: { enabled: false } });
  const metrics = createMetrics();
  const store = createArchiveStore({ now: deps.clock.now }, { directory: folder, namespace: config.namespace });
  const parts = { ...deps, metrics, store, sourceMetrics: createSourceMetrics(metrics), baseUrl: BASE_URL };
  const git = { open: openGitReader, path: process.env.PATH ?? '' };
  const source = createSource({ ...parts, gunzip: gunzipInPool, git }, config);
  const openUrl: OpenUrl = async (url, signal) => {
    if (!url.startsWith(`${BASE_URL}/`)) return deps.openUrl(url, signal);
    const [, name = '', hex = ''] = PATH.exec(url.slice(BASE_URL.length + 1)) ?? [];
    const digest = `sha256:${hex}`;
    // From the folder itself: after a restart the index is not there yet.
    const bytes = hex === '' ? undefined : await store.read(name, digest).catch(() => undefined);
    if (bytes !== undefined) return once(bytes);
    source.lookAgain();
    throw new Error(`${url} answered 404`);
  };
  return { manager: source.manager, openUrl };
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
