import { NAMESPACES } from '../../../kube/builtin.ts';
import type { LinkHooks } from '../../../simulator/link.ts';
import type { World } from '../../simulation/contract.ts';
import type { FaultClass } from '../point.ts';
import { compareRuns, type Run, tellScenario } from '../run.ts';
import { findScenario } from '../scenarios/index.ts';
import { kindOfPath, tellCalmly } from './calm.ts';

const STALE_MS = 20_000;
const ALL = 'all';

/**
 * After a restart the API server shows the past: lists of one kind, or of all, as they were before the present step (`frozen`) or before the
 * first one (`rewound`), and watches say nothing for 20 s; then they deliver what was missed.
 *
 * The restart comes at once after somebody acted, or 3 s later, in the middle of the work.
 */
export const stale: FaultClass = {
  name: 'stale',
  title: 'after a restart, lists and watches of one kind or of all show the past for 20 s',
  async enumerate(scenario, seed) {
    const { kinds } = await tellCalmly(scenario, seed);
    const steps = findScenario(scenario).steps.map((_, index) => index);
    return steps.flatMap((step) =>
      [ALL, ...kinds].flatMap((kind) =>
        [0, 3_000].flatMap((afterMs) =>
          (step === 0 ? ['frozen'] : ['frozen', 'rewound']).map((what) => ({
            class: 'stale',
            scenario,
            seed,
            at: `${step}:${afterMs}:${what}:${kind}`,
          })),
        ),
      ),
    );
  },
  async tryPoint({ scenario, seed, at }) {
    const [step, afterMs, what, kind = ALL] = at.split(':');
    const calm = await tellCalmly(scenario, seed);
    const before: number[] = [];
    const result = await tellScenario(findScenario(scenario), seed, {
      beforeAct: async ({ world }) => void before.push(await revisionOf(world)),
      afterAct: async (run, index) => {
        if (index !== Number(step)) return;
        await run.world.runFor(Number(afterMs));
        const revision = (what === 'frozen' ? before.at(-1) : before[0]) ?? 0;
        await restartInThePast(run, revision, kind);
      },
    });
    return [...result.findings, ...compareRuns(calm, result)];
  },
};

async function revisionOf({ admin }: World): Promise<number> {
  const { metadata } = await admin.list(NAMESPACES, { limit: 1 });
  return Number(metadata.resourceVersion);
}

async function restartInThePast(run: Run, revision: number, kind: string): Promise<void> {
  const { world } = run;
  const untilMs = world.scheduler.elapsedMs() + STALE_MS;
  const isPast = (path: string): boolean =>
    world.scheduler.elapsedMs() < untilMs && (kind === ALL || kindOfPath(path) === kind);
  const hooks: LinkHooks = {
    onCall: ({ process, verb, path }) =>
      process.startsWith('operator/') && verb === 'list' && isPast(path) ? { type: 'stale', revision } : undefined,
    onLine: ({ process, path }) =>
      process.startsWith('operator/') && isPast(path)
        ? { type: 'delay', ms: untilMs - world.scheduler.elapsedMs() }
        : undefined,
  };
  run.setHooks(hooks);
  world.kill('operator');
  run.startOperator();
  await world.runFor(STALE_MS);
  run.setHooks({});
}
