import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { vi } from 'vitest';
import { openGitReader } from '../../git/binary/reader.ts';
import { createClient } from '../../kube/client.ts';
import { realClock, realRandom } from '../../kube/clock.ts';
import { createMetrics } from '../../kube/metrics.ts';
import type { Cluster } from '../../test/cluster/contract.ts';
import { SourceConfig } from '../config.ts';
import type { ExternalArtifact } from '../externalartifact.ts';
import { gunzipInPool } from '../fetch.ts';
import { runSource, type Source } from '../main.ts';
import { openUrl } from '../start.ts';

/** A fleet source under its own ServiceAccount, in this process, with a volume that can be lost. */
export type RunningSource = {
  readonly source: Source;
  readonly metric: (name: string) => number;
  readonly lines: readonly string[];
  stop(): Promise<void>;
};

export type Volume = { readonly directory: string; lose(): Promise<void>; close(): Promise<void> };

export async function makeVolume(): Promise<Volume> {
  const directory = await mkdtemp(join(tmpdir(), 'sublet-volume-'));
  return {
    directory,
    lose: () => rm(join(directory, 'sublet-fleet'), { recursive: true, force: true }),
    close: () => rm(directory, { recursive: true, force: true, maxRetries: 20 }),
  };
}

export async function startSource(
  kubeConfig: KubeConfig,
  volume: Volume,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<RunningSource> {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  const metrics = createMetrics();
  const deps = { clock: realClock, random: realRandom, log, metrics };
  const client = createClient({ ...deps, kubeConfig });
  const stop = new AbortController();
  const config = SourceConfig.parse({
    environment: 'production',
    directory: volume.directory,
    listen: { address: '127.0.0.1', port: 0 },
    manage: { address: '127.0.0.1', port: 0 },
    ...settings,
  });
  const git = { open: openGitReader, path: process.env.PATH ?? '' };
  const source = await runSource({ ...deps, client, openUrl, gunzip: gunzipInPool, git }, config, stop.signal);
  await source.ready();
  return {
    source,
    lines,
    metric: (name) => readMetric(metrics.render(), name),
    stop: async () => {
      stop.abort();
      await source.stopped;
      await client.close();
    },
  };
}

export async function readArtifact(cluster: Cluster, name: string): Promise<ExternalArtifact | undefined> {
  const { stdout, code } = await cluster.kubectl(['get', 'externalartifact', '-n', 'sublet-fleet', name, '-o', 'json']);
  return code === 0 ? JSON.parse(stdout) : undefined;
}

/** Waits until the artifact satisfies the check, and shows it when it never does. */
export async function waitForArtifact(
  cluster: Cluster,
  name: string,
  check: (artifact: ExternalArtifact) => void,
): Promise<ExternalArtifact> {
  return vi.waitFor(
    async () => {
      const artifact = await readArtifact(cluster, name);
      if (artifact === undefined) throw new Error(`there is no ExternalArtifact ${name}`);
      check(artifact);
      return artifact;
    },
    { timeout: 300_000, interval: 100 },
  );
}

/** What the software needs before it runs. */
export async function installPrerequisites(cluster: Cluster): Promise<void> {
  const folder = join(import.meta.dirname, '../../deploy/prerequisites');
  if (!existsSync(folder)) throw new Error(`${folder} is missing`);
  await cluster.installManifests(folder);
}

function readMetric(text: string, name: string): number {
  const line = text
    .split('\n')
    .find((candidate) => candidate.startsWith(`${name} `) || candidate.startsWith(`${name}{`));
  return line === undefined ? Number.NaN : Number(line.slice(line.lastIndexOf(' ') + 1));
}
