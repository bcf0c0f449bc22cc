import type { FaultClass, Point } from '../point.ts';
import { compareRuns, type Fault, REVIVAL_MS, type RunResult, tellScenario } from '../run.ts';
import { loseDefinitions } from '../scenarios/definitions.ts';
import { emptied, forcePushed, landslide, lastFile } from '../scenarios/repository.ts';
import { stuckNamespace, tornNamespace } from '../scenarios/termination.ts';
import type { Scenario } from '../story.ts';

/** Our own CustomResourceDefinitions are deleted, one kind and all kinds. */
export const definitions: FaultClass = createDisaster({
  name: 'definitions',
  title: 'CustomResourceDefinitions of ours vanish and come back',
  scenarios: {
    'no-tenants': () => loseDefinitions('no-tenants', ['tenants']),
    'no-plans': () => loseDefinitions('no-plans', ['plans']),
    'no-quotas': () => loseDefinitions('no-quotas', ['quotas']),
    'no-rdpinstances': () => loseDefinitions('no-rdpinstances', ['rdpinstances']),
    'no-definitions': () => loseDefinitions('no-definitions', ['rdpinstances', 'quotas', 'tenants', 'plans']),
  },
});

export const termination: FaultClass = createDisaster({
  name: 'termination',
  title: 'a namespace is stuck in termination',
  scenarios: { stuck: () => stuckNamespace, torn: () => tornNamespace },
});

/** With Flux and the fleet source; both of them are restarted too. */
export const repository: FaultClass = createDisaster({
  name: 'repository',
  title: 'the repository is emptied, force-pushed, torn down by half, broken, out of reach',
  fault: { world: { flux: true } },
  scenarios: {
    emptied: () => emptied,
    forcepushed: () => forcePushed,
    landslide: () => landslide,
    lastfile: () => lastFile,
  },
});

/**
 * Trouble that is a story of its own. It is told as it is (`told`), and with the operator, or all of the product, killed in the middle of each step:
 * at once after the act, a moment later, and twenty seconds later.
 */
function createDisaster(disaster: {
  readonly name: string;
  readonly title: string;
  readonly fault?: Fault;
  readonly scenarios: Readonly<Record<string, () => Scenario>>;
}): FaultClass {
  const calm = new Map<string, Promise<RunResult>>();
  const find = (name: string): Scenario => {
    const build = disaster.scenarios[name];
    if (build === undefined) throw new RangeError(`there is no scenario ${name} of class ${disaster.name}`);
    return build();
  };
  const tellCalm = (name: string, seed: number): Promise<RunResult> => {
    const known = calm.get(`${name}/${seed}`) ?? tellScenario(find(name), seed, disaster.fault);
    calm.set(`${name}/${seed}`, known);
    return known;
  };
  return {
    name: disaster.name,
    title: disaster.title,
    own: Object.keys(disaster.scenarios),
    enumerate: async (scenario, seed) => {
      const point = (at: string): Point => ({ class: disaster.name, scenario, seed, at });
      const steps = find(scenario).steps.map((_, step) => step);
      return [point('told'), ...steps.flatMap((step) => MOMENTS_MS.map((ms) => point(`${step}:${ms}`)))];
    },
    async tryPoint({ scenario, seed, at }) {
      const expected = await tellCalm(scenario, seed);
      if (at === 'told') return expected.findings;
      const [step, afterMs] = at.split(':').map(Number);
      const result = await tellScenario(find(scenario), seed, {
        ...disaster.fault,
        afterAct: async (run, index) => {
          if (index !== step) return;
          await run.world.runFor(afterMs ?? 0);
          run.replaceOperator(REVIVAL_MS);
          for (const role of ['source', 'flux'] as const)
            if (run.world.running(role).length > 0) run.world.restart(role);
        },
      });
      return [...result.findings, ...compareRuns(expected, result)];
    },
  };
}

const MOMENTS_MS = [0, 500, 20_000] as const;
