import { PLANS, QUOTAS, RDPINSTANCES, TENANTS } from '../../../crds/v1alpha1/resources.ts';
import { qualifiedName } from '../../../kube/object.ts';
import type { LinkHooks } from '../../../simulator/link.ts';
import type { FaultClass } from '../point.ts';
import { compareRuns, type Fault, OVERSEER, tellScenario } from '../run.ts';
import { findScenario } from '../scenarios/index.ts';
import { kindOfPath, tellCalmly } from './calm.ts';

const LASTING_MS = 60_000;
const OURS = [TENANTS, PLANS, QUOTAS, RDPINSTANCES].map(qualifiedName);
/** Kinds that definitions make, by their group. */
const CUSTOM = /\.(sublet\.dev|kubevirt\.io|toolkit\.fluxcd\.io)$/;
const NOT_SERVED = { type: 'refuse', when: 'before', code: 404, reason: 'NotFound' } as const;

/** `acted`: it begins just before somebody acts. `rested`: it comes and goes when the step has come to rest. */
const MOMENTS = ['acted', 'rested'] as const;

/**
 * The API server does not know one kind for a minute, as one that has not read its definitions yet: lists, watches, reads and writes of it are answered
 * 404. The definition and all objects are there the whole time.
 */
export const unserved: FaultClass = {
  name: 'unserved',
  title: 'one kind is answered 404 for a minute, although it is there',
  async enumerate(scenario, seed) {
    const { kinds } = await tellCalmly(scenario, seed);
    const custom = [...new Set([...OURS, ...kinds.filter((kind) => CUSTOM.test(kind))])];
    return findScenario(scenario).steps.flatMap((_, step) =>
      custom.flatMap((kind) =>
        MOMENTS.map((moment) => ({ class: 'unserved', scenario, seed, at: `${step}:${moment}:${kind}` })),
      ),
    );
  },
  async tryPoint({ scenario, seed, at }) {
    const [step, moment = '', kind = ''] = at.split(':');
    const calm = await tellCalmly(scenario, seed);
    const result = await tellScenario(findScenario(scenario), seed, buildFault(Number(step), moment, kind));
    return [...result.findings, ...compareRuns(calm, result)];
  },
};

function buildFault(step: number, moment: string, kind: string): Fault {
  const isMeant = (process: string, path: string): boolean =>
    process.startsWith('operator/') && kindOfPath(path) === kind;
  const hooks: LinkHooks = {
    onCall: ({ process, path }) => (isMeant(process, path) ? NOT_SERVED : undefined),
    onStream: ({ process, path }) => (isMeant(process, path) ? NOT_SERVED : undefined),
  };
  const begin: NonNullable<Fault['beforeAct']> = (run, index) => {
    if (index !== step) return;
    run.setHooks(hooks);
    for (const { link } of run.world.running('operator')) link.breakStreams();
    run.world.scheduler.schedule(OVERSEER, LASTING_MS, () => run.setHooks({}));
  };
  if (moment === 'acted') {
    return {
      beforeAct: begin,
      afterAct: async ({ world }, index) => {
        if (index === step) await world.runFor(LASTING_MS);
      },
    };
  }
  return {
    afterRest: async (run, index) => {
      await begin(run, index);
      if (index === step) await run.world.runFor(2 * LASTING_MS);
    },
  };
}
