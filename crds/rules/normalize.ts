import { z } from 'zod';
import { isRecord, maxItemsOf, type PathSegment, unwrap } from './walk.ts';

export type Finding = { readonly path: readonly PathSegment[]; readonly message: string };

/**
 * A value as the API server sees it before it judges: a member that is null and may be absent counts as absent. Lists that are longer than
 * their schema allows are reported here and cut, so that no list costs more than its bound. Goes as deep as the schema does, not as the value.
 */
export function normalize(
  schema: z.core.$ZodType,
  value: unknown,
): { readonly value: unknown; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  return { value: visit(schema, value, [], findings), findings };
}

function visit(schema: z.core.$ZodType, value: unknown, path: readonly PathSegment[], findings: Finding[]): unknown {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject && isRecord(value)) return visitObject(inner, value, path, findings);
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    const max = maxItemsOf(inner);
    const isTooLong = value.length > max;
    if (isTooLong) findings.push({ path, message: `must have at most ${max} items, has ${value.length}` });
    const kept = isTooLong ? value.slice(0, max) : value;
    return kept.map((item: unknown, index) => visit(inner.element, item, [...path, index], findings));
  }
  if (inner instanceof z.ZodRecord && isRecord(value) && Object.hasOwn(value, '__proto__')) {
    findings.push({ path, message: '"__proto__" is no key; remove it' });
  }
  return value;
}

function visitObject(
  schema: z.ZodObject,
  value: Readonly<Record<string, unknown>>,
  path: readonly PathSegment[],
  findings: Finding[],
): unknown {
  const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
  const members = Object.entries(value).flatMap(([name, member]): [string, unknown][] => {
    const memberSchema = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (memberSchema === undefined) return [[name, member]];
    if (member === null) return [];
    return [[name, visit(memberSchema, member, [...path, name], findings)]];
  });
  return Object.fromEntries(members);
}
