import { PLANS, QUOTAS, RDPINSTANCES, TENANTS } from '../../../crds/v1alpha1/resources.ts';
import { type KubeObject, qualifiedName } from '../../../kube/object.ts';
import type { World } from '../../simulation/contract.ts';
import type { FaultClass } from '../point.ts';
import { compareRuns, type Fault, type Run, tellScenario } from '../run.ts';
import { findScenario } from '../scenarios/index.ts';
import { tellCalmly } from './calm.ts';

/** `live`: while the operator runs. `dead`: while it does not. `early`: a moment after the act, in the middle of the work. */
const MOMENTS = ['live', 'dead', 'early'] as const;

/** The status of every resource of ours is gone, as after a restore of what people ordered. */
export const lost: FaultClass = {
  name: 'lost',
  title: 'the status of all our resources is lost',
  enumerate: async (scenario, seed) =>
    findScenario(scenario).steps.flatMap((_, step) =>
      MOMENTS.map((moment) => ({ class: 'lost', scenario, seed, at: `${step}:${moment}` })),
    ),
  async tryPoint({ scenario, seed, at }) {
    const [step, moment = ''] = at.split(':');
    const calm = await tellCalmly(scenario, seed);
    const result = await tellScenario(findScenario(scenario), seed, buildFault(Number(step), moment));
    return [...result.findings, ...compareRuns(calm, result).filter((text) => !FORGOTTEN.test(text))];
  },
};

/**
 * What nothing but status knows: of a machine that is down by its guest's own doing, which guest was ended last, which nobody asks for any more; and of a desktop that
 * is refused, by which plan it was last built.
 */
const FORGOTTEN =
  / I1 (virtualmachines\.\S+ \S+: it differs from the calm run's: metadata\.annotations\.sublet\.dev\/ended-epoch is absent instead of "<uid>"|rdpinstances\.\S+ \S+: it differs from the calm run's: status\.plan is absent instead of \{[^{}]*\})$/;

function buildFault(step: number, moment: string): Fault {
  if (moment === 'early') {
    return {
      afterAct: async ({ world }, index) => {
        if (index !== step) return;
        await world.runFor(2_000);
        await wipe(world);
      },
    };
  }
  return {
    afterRest: async (run, index) => {
      if (index !== step) return;
      if (moment === 'dead') await wipeWhileDead(run);
      else await wipe(run.world);
      await run.world.runUntilQuiet({ what: 'the status is back' });
    },
  };
}

async function wipeWhileDead({ world, startOperator }: Run): Promise<void> {
  world.kill('operator');
  await wipe(world);
  startOperator();
}

async function wipe({ admin, list }: World): Promise<void> {
  for (const resource of [TENANTS, PLANS, QUOTAS, RDPINSTANCES]) {
    for (const object of list<KubeObject>(qualifiedName(resource))) {
      await admin.patch(
        resource,
        object.metadata,
        { type: 'merge', body: { status: null } },
        { subresource: 'status' },
      );
    }
  }
}
