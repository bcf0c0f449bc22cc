import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { unwrap } from '../../crds/rules/walk.ts';
import { KINDS, type SubletResource } from '../../crds/v1alpha1/resources.ts';
import { LIST_MAP_KEYS, LIST_TYPE } from '../../crds/v1alpha1/schema.ts';

/** A field that differs. An absent side: the field is not there. */
export type FieldChange = { readonly path: string; readonly before?: unknown; readonly after?: unknown };

/**
 * What differs between two resources of one kind as their schema leaves them, so that a default that was written out is no change. Items of lists that are maps are
 * matched by their keys (`spec.price[name=base].recurring.amount`), members of sets by value; the order in either says nothing.
 */
export function compareResources(before: SubletResource, after: SubletResource): readonly FieldChange[] {
  const shape: Readonly<Record<string, z.core.$ZodType>> =
    KINDS.find(({ resource }) => resource.kind === after.kind)?.schema.shape ?? {};
  const metadata = (resource: SubletResource) => ({
    labels: resource.metadata.labels,
    annotations: resource.metadata.annotations,
  });
  return [
    ...compare(undefined, metadata(before), metadata(after), 'metadata'),
    ...compare(shape.spec, before.spec, after.spec, 'spec'),
  ];
}

function compare(
  schema: z.core.$ZodType | undefined,
  before: unknown,
  after: unknown,
  path: string,
): readonly FieldChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  const inner = schema === undefined ? undefined : unwrap(schema);
  if (isRecord(before) && isRecord(after)) {
    const shape: Readonly<Record<string, z.core.$ZodType>> = inner instanceof z.ZodObject ? inner.shape : {};
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => compare(shape[name], before[name], after[name], `${path}.${name}`));
  }
  if (inner instanceof z.ZodArray && Array.isArray(before) && Array.isArray(after))
    return compareLists(inner, before, after, path);
  return [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
}

function compareLists(
  schema: z.ZodArray,
  before: readonly unknown[],
  after: readonly unknown[],
  path: string,
): readonly FieldChange[] {
  const keys = schema.meta()?.[LIST_MAP_KEYS];
  if (Array.isArray(keys)) {
    const name = (item: unknown) =>
      keys.map((key: string) => `${key}=${isRecord(item) ? String(item[key]) : ''}`).join(',');
    const [old, now] = [before, after].map((items) => new Map(items.map((item) => [name(item), item])));
    const names = [...new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])])];
    return names.flatMap((item) => compare(schema.element, old?.get(item), now?.get(item), `${path}[${item}]`));
  }
  if (schema.meta()?.[LIST_TYPE] !== 'set') return [{ path, before, after }];
  const gone = before.filter((item) => !after.includes(item));
  const added = after.filter((item) => !before.includes(item));
  return [
    ...gone.map((item) => ({ path: `${path}[]`, before: item })),
    ...added.map((item) => ({ path: `${path}[]`, after: item })),
  ];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
