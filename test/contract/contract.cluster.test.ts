import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Cluster } from '../cluster/contract.ts';
import { describeWithCluster } from '../support/cluster.ts';
import { ALLOWED, type Allowed, findAllowed } from './allowed.ts';
import { SUBJECTS } from './cases/index.ts';
import { renderDifference } from './compare.ts';
import { untilControllersKnow } from './fixtures.ts';
import { type OpenServers, openServers } from './servers.ts';
import { createScopes, judgeCase, type Result, runAll } from './suite.ts';

const CASES = SUBJECTS.flatMap(({ subject, cases }) =>
  cases.map((one) => ({ subject, one, name: `${subject}: ${one.name}` })),
);
const LEAST_CASES = 250;

describeWithCluster('the embedded API server answers as the real one', {}, (cluster) => {
  const run = createRun(cluster);

  beforeAll(() => run.start());
  afterAll(() => run.stop());

  for (const { subject, cases } of SUBJECTS) {
    describe(subject, () => {
      for (const one of cases) {
        it(one.name, async () => {
          const { differences, failures } = await run.result(`${subject}: ${one.name}`);
          expect(failures, 'what the case waits for has to come from the real server').toEqual([]);
          const unexpected = differences.filter(
            (difference) => findAllowed(`${subject}: ${one.name}`, difference) === undefined,
          );
          expect(unexpected.map(renderDifference).join('\n')).toBe('');
        });
      }
    });
  }

  it(`in at least ${LEAST_CASES} cases, each with a name of its own`, () => {
    expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
    expect(CASES.length).toBeGreaterThanOrEqual(LEAST_CASES);
  });

  it('and no allowed difference is a thing of the past', async () => {
    const used = new Set<Allowed>();
    for (const { name } of CASES) {
      const { differences } = await run.result(name);
      for (const difference of differences) {
        const entry = findAllowed(name, difference);
        if (entry !== undefined) used.add(entry);
      }
    }
    expect(ALLOWED.filter((entry) => !used.has(entry))).toEqual([]);
  });
});

/** All cases are begun at once, some at a time, and each test waits for its own. */
function createRun(cluster: () => Cluster) {
  const results = new Map(CASES.map(({ name }) => [name, Promise.withResolvers<Result>()]));
  let servers: OpenServers | undefined;
  return {
    start: async (): Promise<void> => {
      const provision = inject('cluster');
      if (!provision.available) return;
      const both = await openServers(cluster(), provision.info);
      servers = both;
      await untilControllersKnow(both.real);
      const scopes = createScopes();
      const tasks = CASES.map(({ one, name }) => ({
        alone: one.alone === true,
        run: () =>
          judgeCase(one, both, scopes).then(
            (result) => results.get(name)?.resolve(result),
            (error) => results.get(name)?.reject(error),
          ),
      }));
      for (const { promise } of results.values()) promise.catch(() => {});
      void runAll(tasks);
    },
    stop: async (): Promise<void> => servers?.close(),
    result: async (name: string): Promise<Result> => {
      const result = await results.get(name)?.promise;
      if (result === undefined) throw new Error(`there is no case ${name}`);
      return result;
    },
  };
}
