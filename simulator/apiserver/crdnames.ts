import { type ApiObject, objectAt } from './object.ts';
import { isObject, type JsonObject } from './schema/json.ts';

/** Which of a definition's names it has, and the condition that says so. */
export type NamesVerdict = { readonly acceptedNames: JsonObject; readonly condition: JsonObject };

/** No two definitions of a group share a name: who came first keeps it. `others` are the definitions beside this one. */
export function acceptNames(definition: ApiObject, others: Iterable<ApiObject>): NamesVerdict {
  const spec = objectAt(definition, 'spec');
  const wanted = objectAt(spec, 'names');
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const other of others) {
    if (objectAt(other, 'spec').group !== spec.group) continue;
    const taken = objectAt(objectAt(other, 'status'), 'acceptedNames');
    for (const name of [taken.plural, taken.singular, ...listOf(taken.shortNames)]) resources.add(String(name));
    for (const name of [taken.kind, taken.listKind]) kinds.add(String(name));
  }
  const accepted: Record<string, unknown> = { ...wanted };
  let conflict: { readonly reason: string; readonly name: string } | undefined;
  for (const [member, reason, taken] of CHECKS) {
    const found = listOf(wanted[member]).find((name) => (taken === 'kinds' ? kinds : resources).has(String(name)));
    if (found === undefined) continue;
    conflict = { reason, name: String(found) };
    const before = objectAt(objectAt(definition, 'status'), 'acceptedNames')[member];
    if (before === undefined) delete accepted[member];
    else accepted[member] = before;
  }
  const condition =
    conflict === undefined
      ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
      : {
          type: 'NamesAccepted',
          status: 'False',
          reason: conflict.reason,
          message: `${JSON.stringify(conflict.name)} is already in use`,
        };
  return { acceptedNames: accepted, condition };
}

/** Of several conflicts the last is named. */
const CHECKS: readonly (readonly [member: string, reason: string, taken: 'resources' | 'kinds'])[] = [
  ['plural', 'PluralConflict', 'resources'],
  ['singular', 'SingularConflict', 'resources'],
  ['shortNames', 'ShortNamesConflict', 'resources'],
  ['kind', 'KindConflict', 'kinds'],
  ['listKind', 'ListKindConflict', 'kinds'],
];

/** Once established a definition stays so, whatever becomes of its names. */
export function isEstablished(definition: ApiObject): boolean {
  const { conditions } = objectAt(definition, 'status');
  const known = Array.isArray(conditions) ? conditions.filter(isObject) : [];
  return known.some(({ type, status }) => type === 'Established' && status === 'True');
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === '' ? [] : [value];
}
