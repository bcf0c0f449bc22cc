import type { Intent, Json } from '../gitops/intent.ts';
import type { ModeRule } from './config.ts';

export type ModeQuestion = {
  /** Of the tenant in whose namespace it is; absent: the provider's. */
  readonly path: string | undefined;
  readonly intent: Intent;
};

/** Whether a change is committed, or proposed to people: what the first rule says that fits, and a commit where none does. Pure. */
export function chooseMode(rules: readonly ModeRule[], question: ModeQuestion): ModeRule['mode'] {
  return rules.find((rule) => fits(rule, question))?.mode ?? 'Commit';
}

function fits({ tenant, kinds, operations, minFields }: ModeRule, { path, intent }: ModeQuestion): boolean {
  return (
    (tenant === undefined || path === tenant || path?.startsWith(`${tenant}--`) === true) &&
    (kinds === undefined || kinds.some((kind) => kind === intent.target.kind)) &&
    (operations === undefined || operations.includes(intent.type)) &&
    (minFields === undefined || countFields(intent) >= minFields)
  );
}

/** How large a change is: how many values differ after it. */
export function countFields(intent: Intent): number {
  switch (intent.type) {
    case 'Create':
      return countLeaves(intent.object.spec);
    case 'Edit':
      return intent.edits.reduce((sum, { from, to }) => sum + Math.max(countLeaves(from), countLeaves(to)), 0);
    case 'Delete':
      return Number.POSITIVE_INFINITY;
  }
}

function countLeaves(value: Json | undefined): number {
  if (value === undefined) return 0;
  if (typeof value !== 'object' || value === null) return 1;
  const members: readonly Json[] = Array.isArray(value) ? value : Object.values(value);
  return Math.max(
    1,
    members.reduce<number>((sum, member) => sum + countLeaves(member), 0),
  );
}
