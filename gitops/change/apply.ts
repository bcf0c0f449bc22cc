import type { Difference, FieldEdit, Json, JsonMap, Step } from '../intent.ts';
import { equalJson, isList, isMap, memberOf, withMember } from './json.ts';
import { defaultAt, type Shape } from './shape.ts';
import { buildDifference } from './steps.ts';

/** The resource with all edits made, or where they met something else than their author saw. */
export type Applied =
  | { readonly type: 'applied'; readonly value: JsonMap }
  | { readonly type: 'conflict'; readonly differences: readonly Difference[] };

/**
 * Makes the edits one after the other. What is equal afterwards was applied before; nothing of a conflict is made. With the shape of the kind, a field that is left
 * out is the same as its default, which whoever looked at the live resource saw there.
 */
export function applyEdits(present: JsonMap, edits: readonly FieldEdit[], shape: Shape = {}): Applied {
  const differences: Difference[] = [];
  let value = present;
  for (const edit of edits) {
    const next = applyEdit(value, edit, shape);
    if ('value' in next) value = next.value;
    else differences.push(next.difference);
  }
  return differences.length === 0 ? { type: 'applied', value } : { type: 'conflict', differences };
}

type Edited = { readonly value: JsonMap } | { readonly difference: Difference };

function applyEdit(root: JsonMap, { path, from, to }: FieldEdit, shape: Shape): Edited {
  const place = look(root, path);
  const conflict = (found: Json | undefined): Edited => ({
    difference: buildDifference(path, { seen: from, wanted: to, found }),
  });
  if (place.type === 'blocked') return conflict(place.found);
  if (equalJson(place.found, to)) return { value: root };
  const byDefault = defaultAt(shape, path);
  if (!equalJson(place.found ?? byDefault, from ?? byDefault)) return conflict(place.found);
  const value = write(root, path, to ?? undefined);
  return isMap(value) ? { value } : conflict(root);
}

/** `blocked`: nothing can stand at the path, because something else is on the way to it or its item is not there or there twice. */
type Place = { readonly type: 'place' | 'blocked'; readonly found: Json | undefined };

function look(root: JsonMap, path: readonly Step[]): Place {
  let node: Json | undefined = root;
  for (const [index, step] of path.entries()) {
    const present: Json | undefined = node ?? undefined;
    if (typeof step === 'string') {
      if (present !== undefined && !isMap(present)) return { type: 'blocked', found: present };
      node = present === undefined ? undefined : memberOf(present, step);
      continue;
    }
    if (present !== undefined && !isList(present)) return { type: 'blocked', found: present };
    const items: readonly Json[] = (present ?? []).filter((item) => hasKey(item, step));
    if (items.length > 1) return { type: 'blocked', found: items };
    node = items[0];
    if (node === undefined && index < path.length - 1) return { type: 'blocked', found: undefined };
  }
  return { type: 'place', found: node ?? undefined };
}

/** `look` was there before: every step fits. */
function write(node: Json | undefined, path: readonly Step[], to: Json | undefined): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return to;
  if (typeof step === 'string') {
    const map = isMap(node) ? node : {};
    return withMember(map, step, write(memberOf(map, step), rest, to));
  }
  const list = isList(node) ? node : [];
  const at = list.findIndex((item) => hasKey(item, step));
  const value = write(list[at], rest, to);
  if (at < 0) return value === undefined ? list : [...list, value];
  return value === undefined ? list.toSpliced(at, 1) : list.with(at, value);
}

function hasKey(item: Json, key: { readonly [key: string]: string }): boolean {
  return isMap(item) && Object.entries(key).every(([name, value]) => memberOf(item, name) === value);
}
