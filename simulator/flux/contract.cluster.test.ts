import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithCluster } from '../../test/support/cluster.ts';
import { type Outcome, removeStages, runScenarios, SCENARIOS } from './testing/run.ts';
import { openEmbeddedWorld, openRealWorld, type RunningWorld } from './testing/worlds.ts';

/** Real Flux works on so many objects at once; more scenarios only wait for each other. */
const CONCURRENCY = 12;

describeWithCluster('the simulated Flux beside the real one', { flux: true }, (cluster) => {
  const worlds: RunningWorld[] = [];
  let real: ReadonlyMap<string, Outcome>;
  let embedded: ReadonlyMap<string, Outcome>;

  beforeAll(async () => {
    worlds.push(await openRealWorld(cluster()), await openEmbeddedWorld());
    const [first, second] = worlds;
    if (first === undefined || second === undefined) throw new Error('the worlds are not there');
    const common = SCENARIOS.filter(({ realOnly }) => realOnly === undefined);
    [real, embedded] = await Promise.all([
      runScenarios(first, SCENARIOS, CONCURRENCY),
      runScenarios(second, common, CONCURRENCY),
    ]);
  });
  afterAll(async () => {
    const [first] = worlds;
    if (first !== undefined) await removeStages(first, SCENARIOS);
    await Promise.all(worlds.map((world) => world.stop()));
  });

  describe.each(SCENARIOS)('$name', ({ name, realOnly }) => {
    it(
      realOnly === undefined
        ? 'looks the same'
        : `is as described; on the real server alone, because ${realOnly.reason}`,
      () => {
        const expected = shownBy(real, name);
        if (realOnly === undefined) expect(shownBy(embedded, name)).toEqual(expected);
        else expect(JSON.stringify(expected)).toMatch(realOnly.expectation);
      },
    );
  });
});

function shownBy(outcomes: ReadonlyMap<string, Outcome>, name: string) {
  const outcome = outcomes.get(name);
  if (outcome === undefined) throw new Error(`${name} did not run`);
  if (!outcome.ok) throw outcome.error;
  return outcome.shown;
}
