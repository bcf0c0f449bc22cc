import { z } from 'zod';

export type PathSegment = string | number;

/** The schema that says what a value is made of, without what only says that it may be absent. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
    inner = inner.unwrap();
  }
  return inner;
}

/** How many items a list may have. */
export function maxItemsOf(schema: z.ZodArray): number {
  const bounds = (schema._zod.def.checks ?? []).flatMap((check) =>
    check instanceof z.core.$ZodCheckMaxLength ? [check._zod.def.maximum] : [],
  );
  return Math.min(...bounds);
}

/** `['spec', 'allow', 0]` as the API server spells it: `spec.allow[0]`. */
export function renderPath(path: readonly PathSegment[]): string {
  return path.reduce<string>((text, segment) => {
    if (typeof segment === 'number') return `${text}[${segment}]`;
    return text === '' ? segment : `${text}.${segment}`;
  }, '');
}

/** What stands at a path; `undefined` when nothing does. Own members only. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, segment) => {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, segment)) return undefined;
    return Object.getOwnPropertyDescriptor(at, segment)?.value;
  }, value);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
