import { compareText } from '../schema/gotext.ts';
import { type ApiError, failure } from '../status.ts';
import { type FieldSet, pathsOf } from './fieldset.ts';
import { type Managed, type Managers, renderManager } from './managed.ts';
import { type PathElement, renderPath } from './pathelement.ts';

/** A field that a manager owns and an apply states otherwise. */
export type Conflict = { readonly manager: Managed; readonly path: readonly PathElement[] };

/** By manager, in the order of messages; the API server lists causes in any order of managers. */
export function conflictsOf(lost: ReadonlyMap<string, FieldSet>, managers: Managers): readonly Conflict[] {
  return [...lost]
    .sort(([a], [b]) => compareText(a, b))
    .flatMap(([id, set]) => {
      const manager = managers.get(id);
      return manager === undefined ? [] : pathsOf(set).map((path) => ({ manager, path }));
    });
}

export function conflictError(conflicts: readonly Conflict[]): ApiError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${renderManager(manager)}`,
    field: renderPath(path),
  }));
  return failure(409, 'Conflict', renderConflicts(conflicts), { causes });
}

function renderConflicts(conflicts: readonly Conflict[]): string {
  const [only] = conflicts;
  if (only !== undefined && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${renderManager(only.manager)}: ${renderPath(only.path)}`;
  }
  const byManager = Map.groupBy(conflicts, ({ manager }) => manager);
  const lines = [...byManager].flatMap(([manager, own]) => [
    `conflicts with ${renderManager(manager)}:`,
    ...own.map(({ path }) => `- ${renderPath(path)}`),
  ]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}
