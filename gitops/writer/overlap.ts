import type { FieldEdit, Intent, Step, Target } from '../intent.ts';

/** Whether the later change decides everything that the former decided: of the former nothing can be seen once both are made. */
export function supersedes(later: Intent, former: Intent): boolean {
  if (!isSameTarget(later.target, former.target)) return false;
  if (later.type !== 'Edit') return true;
  if (former.type !== 'Edit') return false;
  return former.edits.every((edit) => later.edits.some((other) => covers(other.path, edit.path)));
}

/** The former's edits that the later change did not touch. */
export function remainingEdits(later: Intent, former: readonly FieldEdit[], target: Target): readonly FieldEdit[] {
  if (!isSameTarget(later.target, target)) return former;
  if (later.type !== 'Edit') return [];
  return former.filter(
    ({ path }) => !later.edits.some((other) => covers(other.path, path) || covers(path, other.path)),
  );
}

export function isSameTarget(a: Target, b: Target): boolean {
  return a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;
}

/** Whether `outer` is `inner` or one of the fields that it lies in. */
function covers(outer: readonly Step[], inner: readonly Step[]): boolean {
  return outer.length <= inner.length && outer.every((step, index) => isSameStep(step, inner[index]));
}

function isSameStep(a: Step, b: Step | undefined): boolean {
  if (typeof a === 'string' || typeof b === 'string' || b === undefined) return a === b;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
