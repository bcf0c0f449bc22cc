import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithCluster, describeWithOwnCluster } from '../../test/support/cluster.ts';
import { type Outcome, removeStages, runScenarios, SCENARIOS } from './testing/run.ts';
import { openEmbeddedWorld, openPlayedWorld, openRealWorld, type RunningWorld } from './testing/worlds.ts';

/** Real Flux works on so many objects at once; more scenarios only wait for each other. */
const CONCURRENCY = 12;

const WITHOUT_RIGHTS = SCENARIOS.filter(({ refusal }) => refusal === undefined);
const WITH_RIGHTS = SCENARIOS.filter(({ refusal }) => refusal !== undefined);

describeWithCluster('the simulated Flux beside the real one', { flux: true }, (cluster) => {
  const worlds: RunningWorld[] = [];
  let real: ReadonlyMap<string, Outcome>;
  let embedded: ReadonlyMap<string, Outcome>;

  beforeAll(async () => {
    worlds.push(await openRealWorld(cluster()), await openEmbeddedWorld());
    const [first, second] = worlds;
    if (first === undefined || second === undefined) throw new Error('the worlds are not there');
    [real, embedded] = await Promise.all([
      runScenarios(first, SCENARIOS, CONCURRENCY),
      runScenarios(second, WITHOUT_RIGHTS, CONCURRENCY),
    ]);
  });
  afterAll(async () => {
    const [first] = worlds;
    if (first !== undefined) await removeStages(first, SCENARIOS);
    await Promise.all(worlds.map((world) => world.stop()));
  });

  it.each(WITHOUT_RIGHTS)('$name looks the same', ({ name }) => {
    expect(shownBy(embedded, name)).toEqual(shownBy(real, name));
  });

  it.each(WITH_RIGHTS)('$name is refused', ({ name, refusal }) => {
    expect(JSON.stringify(shownBy(real, name))).toMatch(refusal ?? '');
  });
});

describeWithOwnCluster('the simulated Flux where rights count', {}, (cluster) => {
  let world: RunningWorld | undefined;
  afterAll(() => world?.stop());

  it.each(WITH_RIGHTS)('$name is refused in the same words', async (scenario) => {
    world ??= await openPlayedWorld(cluster());
    const outcomes = await runScenarios(world, [scenario], 1);
    expect(JSON.stringify(shownBy(outcomes, scenario.name))).toMatch(scenario.refusal ?? '');
  });
});

function shownBy(outcomes: ReadonlyMap<string, Outcome>, name: string) {
  const outcome = outcomes.get(name);
  if (outcome === undefined) throw new Error(`${name} did not run`);
  if (!outcome.ok) throw outcome.error;
  return outcome.shown;
}
