import { OperatorConfig } from '../../operator/config.ts';
import { SourceConfig } from '../../source/config.ts';
import type { Intervals, WorldOptions } from './contract.ts';

const DAY_SECONDS = 86_400;
const WEEK_MS = 7 * DAY_SECONDS * 1_000;

/** How often the simulated parts look by themselves. */
export type PlayedIntervals = {
  readonly watchSeconds: number;
  /** Of the GitRepository and of the root's Kustomization, as Flux writes durations. */
  readonly repository: string;
  readonly rootKustomization: string;
  /** Of the counts of ResourceQuotas. */
  readonly quotaResyncMs: number;
};

export const PLAYED: Readonly<Record<Intervals, PlayedIntervals>> = {
  production: { watchSeconds: 24, repository: '1m', rootKustomization: '10m', quotaResyncMs: 300_000 },
  year: { watchSeconds: DAY_SECONDS, repository: '24h', rootKustomization: '720h', quotaResyncMs: WEEK_MS },
};

/** Nothing listens: there are no sockets in a simulated world. */
export function buildOperatorConfig({ intervals, operator }: WorldOptions, more: object): OperatorConfig {
  const year = {
    leaderElection: false,
    watchSeconds: DAY_SECONDS,
    probe: { intervalSeconds: DAY_SECONDS },
    kustomizationInterval: '720h',
  };
  return OperatorConfig.parse({ ...(intervals === 'year' ? year : {}), port: null, ...operator, ...more });
}

export function buildSourceConfig({ intervals, source }: WorldOptions, more: object): SourceConfig {
  const year = { leaderElection: { enabled: false }, watchSeconds: DAY_SECONDS, volumeCheckMs: WEEK_MS };
  const common = { environment: 'production', directory: 'nowhere: archives are kept in memory' };
  return SourceConfig.parse({ ...(intervals === 'year' ? year : {}), ...common, ...source, ...more });
}
