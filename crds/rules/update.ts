import { z } from 'zod';
import { KINDS, type SubletResource } from '../v1alpha1/resources.ts';
import { IMMUTABLE_RULE, listValidations } from '../v1alpha1/schema.ts';
import type { RuleViolation } from './facts.ts';
import { isRecord, type PathSegment, unwrap } from './walk.ts';

/**
 * The changes that a kind does not allow: fields that keep their first value. Both resources are parsed and of one kind. The API server
 * holds the same in CEL, in the same words.
 */
export function checkUpdate(before: SubletResource, after: SubletResource): readonly RuleViolation[] {
  const definition = KINDS.find(({ resource }) => resource.kind === after.kind);
  if (definition === undefined || before.kind !== after.kind) return [];
  return compare(definition.schema.shape.spec, before.spec, after.spec, ['spec']);
}

function compare(
  schema: z.core.$ZodType,
  before: unknown,
  after: unknown,
  path: readonly PathSegment[],
): readonly RuleViolation[] {
  const rules = schema instanceof z.ZodType ? listValidations(schema) : [];
  const own = rules
    .filter(({ rule }) => rule === IMMUTABLE_RULE && before !== after)
    .map(({ message }) => ({ rule: 'Immutable', path, message }));
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodObject) || !isRecord(before) || !isRecord(after)) return own;
  const members = Object.entries<z.core.$ZodType>(inner.shape);
  return [...own, ...members.flatMap(([name, member]) => compare(member, before[name], after[name], [...path, name]))];
}
