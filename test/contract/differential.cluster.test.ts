import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { describeWithCluster } from '../support/cluster.ts';
import { judgeSeed, renderFinding } from './differential/judge.ts';
import { type OpenServers, openServers } from './servers.ts';
import { createScopes } from './suite.ts';

/** The first seed; another one tries what no run tried before. */
const FIRST = Number(process.env.SUBLET_CONTRACT_SEED ?? 1);
const COUNT = Number(process.env.SUBLET_CONTRACT_SEEDS ?? 16);
const LENGTH = 40;
const BATCH = 4;

describeWithCluster('the same random calls', {}, (cluster) => {
  let servers: OpenServers | undefined;
  const scopes = createScopes();

  beforeAll(async () => {
    const provision = inject('cluster');
    if (provision.available) servers = await openServers(cluster(), provision.info);
  });
  afterAll(() => servers?.close());

  for (let from = FIRST; from < FIRST + COUNT; from += BATCH) {
    const seeds = Array.from({ length: Math.min(BATCH, FIRST + COUNT - from) }, (_, index) => from + index);
    it(`are answered alike by both servers (seeds ${seeds.join(', ')})`, async () => {
      const both = servers;
      if (both === undefined) throw new Error('the servers are not there');
      const findings = await Promise.all(seeds.map((seed) => judgeSeed(seed, LENGTH, both, scopes)));
      const shown = findings.flatMap((finding) => (finding === undefined ? [] : [renderFinding(finding)]));
      expect(shown.join('\n\n')).toBe('');
    });
  }
});
