import type { FieldEdit, Json, JsonMap, Step } from '../intent.ts';
import { equalJson, isList, isMap, memberOf } from './json.ts';
import { indexByKey, keyOf, renderKey, type Shape, shapeOf } from './shape.ts';

/**
 * The edits that make `wanted` of `seen`, as fine as the schema lets them be: members of maps, and items of lists that are maps by key; other
 * lists are values as a whole. What is removed goes as a whole, so that whoever changed something in it meanwhile is not overridden. The order of
 * a list that is a map is no difference. Both are what people declare: no status, no metadata of the API server.
 */
export function computeEdits(seen: JsonMap, wanted: JsonMap, kind: string): readonly FieldEdit[] {
  return diff(seen, wanted, [], shapeOf(kind));
}

function diff(
  seen: Json | undefined,
  wanted: Json | undefined,
  path: readonly Step[],
  shape: Shape,
): readonly FieldEdit[] {
  if (equalJson(seen, wanted)) return [];
  if (isMap(wanted) && (isMap(seen) || (seen == null && Object.keys(wanted).length > 0))) {
    return diffMaps(seen ?? {}, wanted, path, shape);
  }
  if (shape.keys !== undefined && isList(wanted) && (isList(seen) || (seen == null && wanted.length > 0))) {
    const edits = diffKeyed(seen ?? [], wanted, path, { keys: shape.keys, items: shape.items ?? {} });
    if (edits !== undefined) return edits;
  }
  return [{ path, ...(seen == null ? {} : { from: seen }), ...(wanted == null ? {} : { to: wanted }) }];
}

function diffMaps(seen: JsonMap, wanted: JsonMap, path: readonly Step[], shape: Shape): readonly FieldEdit[] {
  const names = new Set([...Object.keys(seen), ...Object.keys(wanted)]);
  return [...names].flatMap((name) =>
    diff(memberOf(seen, name), memberOf(wanted, name), [...path, name], shape.members?.get(name) ?? {}),
  );
}

function diffKeyed(
  seen: readonly Json[],
  wanted: readonly Json[],
  path: readonly Step[],
  { keys, items }: { readonly keys: readonly string[]; readonly items: Shape },
): readonly FieldEdit[] | undefined {
  const before = indexByKey(seen, keys);
  const after = indexByKey(wanted, keys);
  if (before === undefined || after === undefined) return undefined;
  const edits: FieldEdit[] = [];
  for (const item of [...seen, ...wanted.filter((value) => !before.has(idOf(value, keys)))]) {
    const key = keyOf(item, keys);
    if (key === undefined) continue;
    const [from, to] = [before.get(renderKey(key)), after.get(renderKey(key))];
    const at = [...path, key];
    if (from !== undefined && to !== undefined) edits.push(...diff(from, to, at, items));
    else edits.push({ path: at, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) });
  }
  return edits;
}

function idOf(item: Json, keys: readonly string[]): string {
  return renderKey(keyOf(item, keys) ?? {});
}
