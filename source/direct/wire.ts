import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { GitDeps } from '../../git/binary/git.ts';
import type { GitReader } from '../../git/binary/reader.ts';
import type { GitRepositoryOptions } from '../../git/binary/repository.ts';
import type { Client } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import type { SourceConfig } from '../config.ts';
import type { SourceMetrics } from '../metrics.ts';
import { createAccess } from './access.ts';
import { createDirectLane, type DirectLane } from './lane.ts';
import { createHeadRecordFile, type HeadRecordFile } from './record.ts';
import { createDirectTreeReader } from './tree.ts';

/** Git on this machine. */
export type GitHere = {
  readonly open: (options: GitRepositoryOptions, deps: GitDeps) => GitReader;
  /** Search path for the git binary. */
  readonly path: string;
};

export type DirectDeps = {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  readonly git: GitHere;
  readonly isNamespace: (name: string) => boolean;
  readonly sourceMetrics: Pick<SourceMetrics, 'countFetch'>;
  /** Asks for a pass. */
  readonly wake: () => void;
};

/** The fleet source's own way to Git, with its copy and its record on the volume. What another process left of a copy is removed at the first fetch. */
export function wireDirect(
  deps: DirectDeps,
  { directory, namespace, environment, limits, fetchTimeoutMs, cloneBytes }: SourceConfig,
): { readonly lane: DirectLane; readonly record: HeadRecordFile } {
  const { client, clock, log, git, isNamespace } = deps;
  const folder = join(directory, '.clone');
  const record = createHeadRecordFile(join(directory, '.head.json'));
  const lane = createDirectLane({
    clock,
    log,
    wake: deps.wake,
    remember: record.write,
    countFetch: deps.sourceMetrics.countFetch,
    trees: createDirectTreeReader({ environment, isNamespace, limits }),
    open: async ({ url, branch, secret }) => {
      await rm(folder, { recursive: true, force: true });
      return git.open(
        {
          url,
          branch,
          protocols: ['http', 'https'],
          depth: 1,
          limits: { cloneBytes, remoteTimeoutMs: fetchTimeoutMs },
        },
        {
          folder,
          path: git.path,
          ...(secret === undefined ? {} : createAccess(client, { namespace, name: secret })),
        },
      );
    },
  });
  return { lane, record };
}
