import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PlanSpec } from '../v1alpha1/plan.ts';
import { LIST_MAP_KEYS, LIST_TYPE } from '../v1alpha1/schema.ts';
import { isRecord, unwrap } from './walk.ts';

/**
 * The revision of a Plan: a hash over the canonical form of its spec. What a person wrote decides: neither order nor a default, which the API
 * server fills in, makes another revision.
 */
export function computePlanRevision(spec: object): string {
  return createHash('sha256').update(renderCanonical(PlanSpec, spec)).digest('hex').slice(0, 16);
}

/** JSON in which members are sorted, absent ones and those that are as by default left out, and maps and sets in the order of their keys. */
export function renderCanonical(schema: z.core.$ZodType, value: unknown): string {
  const inner = unwrap(schema);
  if (Array.isArray(value)) {
    const element = inner instanceof z.ZodArray ? inner.element : z.unknown();
    const items = value.map((item: unknown) => ({ key: keyOf(inner, item), text: renderCanonical(element, item) }));
    const isOrdered = !(inner instanceof z.ZodArray) || inner.meta()?.[LIST_TYPE] === undefined;
    const sorted = isOrdered ? items : items.sort((a, b) => (a.key < b.key ? -1 : 1));
    return `[${sorted.map(({ text }) => text).join(',')}]`;
  }
  if (!isRecord(value)) return JSON.stringify(value) ?? 'null';
  const shape: Readonly<Record<string, z.core.$ZodType>> = inner instanceof z.ZodObject ? inner.shape : {};
  const members = Object.keys(value)
    .sort()
    .flatMap((name) => {
      const member = shape[name] ?? z.unknown();
      const text = renderCanonical(member, value[name]);
      const isLeftOut = value[name] === undefined || text === renderDefault(member);
      return isLeftOut ? [] : [`${JSON.stringify(name)}:${text}`];
    });
  return `{${members.join(',')}}`;
}

function keyOf(list: z.core.$ZodType, item: unknown): string {
  const keys = list instanceof z.ZodArray ? list.meta()?.[LIST_MAP_KEYS] : undefined;
  return JSON.stringify(Array.isArray(keys) && isRecord(item) ? keys.map((key: string) => item[key]) : item);
}

/** The canonical text of what the API server would fill in; `undefined` where it fills in nothing. */
function renderDefault(schema: z.core.$ZodType): string | undefined {
  if (!(schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)) return undefined;
  const absent = z.safeParse(schema, undefined);
  return absent.success && absent.data !== undefined ? renderCanonical(schema, absent.data) : undefined;
}
