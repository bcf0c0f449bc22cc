import { NAMESPACES } from '../../../kube/builtin.ts';
import { isNotFound } from '../../../kube/errors.ts';
import { KUSTOMIZATIONS } from '../../../model/flux.ts';
import type { Observation } from './observe.ts';
import type { Scenario } from './scenario.ts';
import { CONTENT_SCENARIOS } from './scenarios.content.ts';
import { DELETION_SCENARIOS } from './scenarios.deletion.ts';
import { LIFECYCLE_SCENARIOS } from './scenarios.lifecycle.ts';
import { OWNERSHIP_SCENARIOS } from './scenarios.ownership.ts';
import { SOURCE_SCENARIOS } from './scenarios.source.ts';
import { openStage, stageNamespace, type World } from './stage.ts';

export const SCENARIOS: readonly Scenario[] = [
  ...SOURCE_SCENARIOS,
  ...CONTENT_SCENARIOS,
  ...LIFECYCLE_SCENARIOS,
  ...DELETION_SCENARIOS,
  ...OWNERSHIP_SCENARIOS,
];

/** What a scenario showed, or why it did not get to its end. */
export type Outcome =
  | { readonly ok: true; readonly shown: readonly Observation[] }
  | { readonly ok: false; readonly error: unknown };

/** Takes away what the scenarios left, and waits until Flux let go of it: without its kinds it could not. */
export async function removeStages({ client }: World, scenarios: readonly Scenario[]): Promise<void> {
  const names = new Set(scenarios.map(({ name }) => stageNamespace(name)));
  const removals = [...names].map((name) =>
    client.delete(NAMESPACES, { name }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    }),
  );
  await Promise.all(removals);
  const isLeft = async (): Promise<boolean> => {
    const { items } = await client.list(KUSTOMIZATIONS);
    return items.some(({ metadata }) => names.has(metadata.namespace ?? ''));
  };
  while (await isLeft()) await new Promise((resolve) => setTimeout(resolve, 500));
}

/** Runs scenarios side by side, each in a namespace of its own, at most `concurrency` at once. */
export async function runScenarios(
  world: World,
  scenarios: readonly Scenario[],
  concurrency: number,
): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const left = [...scenarios];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      outcomes.set(next.name, await runScenario(world, next));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return outcomes;
}

async function runScenario(world: World, { name, run }: Scenario): Promise<Outcome> {
  try {
    const stage = await openStage(world, name);
    await run(stage);
    return { ok: true, shown: stage.shown };
  } catch (error) {
    return { ok: false, error };
  }
}
