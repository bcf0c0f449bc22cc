import { getOwn, isObject, type JsonObject, setOwn } from '../schema/json.ts';
import { guardDepth } from './depth.ts';
import { typeBelow } from './fieldset.ts';
import { fieldElement } from './pathelement.ts';
import { mergeLists, placesAfter } from './strategiclists.ts';
import { orderItems, validateOrder } from './strategicorder.ts';
import { badFormat, dropDirectives, refuse } from './strategicrules.ts';
import type { TypeNode } from './typenode.ts';

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_FROM = '$deleteFromPrimitiveList';
const SET_ORDER = '$setElementOrder';

/**
 * What a strategic merge patch makes of an object of a built-in kind: a merge patch in which lists with keys are merged item by item and sets are
 * joined, with its directives. A list's first key tells its items apart. Changes neither. Throws what the API server answers to malformed directives.
 */
export function applyStrategicMergePatch(target: JsonObject, patch: JsonObject, type: TypeNode): JsonObject {
  return guardDepth(() => mergeObjects(target, patch, type));
}

function mergeObjects(target: JsonObject, patch: JsonObject, type: TypeNode | undefined): JsonObject {
  if (Object.hasOwn(patch, DIRECTIVE)) return replaceOrDelete(patch);
  const merged = retainKeys(target, patch);
  const done = mergeOrdered(merged, patch, type);
  for (const key of Object.keys(patch)) {
    if (key === RETAIN_KEYS || key.startsWith(SET_ORDER) || done.has(key)) continue;
    if (key.startsWith(DELETE_FROM)) deleteFrom(merged, suffixOf(key, DELETE_FROM), patch[key]);
    else mergeMember(merged, key, patch[key], type === undefined ? undefined : typeBelow(type, fieldElement(key)));
  }
  return merged;
}

function replaceOrDelete({ [DIRECTIVE]: directive, ...content }: JsonObject): JsonObject {
  if (directive === 'replace') return content;
  if (directive === 'delete') return {};
  throw refuse('type', directive, { [DIRECTIVE]: directive, ...content });
}

/** A copy of the target, of the members only that the patch says to retain. */
function retainKeys(target: JsonObject, patch: JsonObject): JsonObject {
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return { ...target };
  const retained = patch[RETAIN_KEYS];
  if (!Array.isArray(retained)) throw badFormat('retainKeys');
  const isRetained = (key: string) => retained.includes(key);
  const isStray = (key: string) => patch[key] !== null && !key.startsWith('$') && !isRetained(key);
  if (Object.keys(patch).some(isStray)) throw badFormat('retainKeys');
  return Object.fromEntries(Object.entries(target).filter(([key]) => isRetained(key)));
}

/** Lists whose order the patch states. Answers the members that need no merging any more. */
function mergeOrdered(merged: JsonObject, patch: JsonObject, type: TypeNode | undefined): ReadonlySet<string> {
  const done = new Set<string>();
  for (const directive of Object.keys(patch)) {
    if (!directive.startsWith(SET_ORDER)) continue;
    const key = suffixOf(directive, SET_ORDER);
    const [order, old, stated] = [patch[directive], getOwn(merged, key), getOwn(patch, key)];
    if (!Array.isArray(order)) throw badFormat('setElementOrder list');
    if ((old !== undefined && !Array.isArray(old)) || (stated !== undefined && !Array.isArray(stated))) {
      throw badFormat('setElementOrder list');
    }
    const list = type === undefined ? undefined : typeBelow(type, fieldElement(key))?.list;
    const [mergeKey] = list?.keys ?? [];
    validateOrder(stated ?? [], order, mergeKey);
    done.add(key);
    if (old === undefined && stated === undefined) continue;
    const all = mergeList(old ?? [], stated, list);
    const isMerged = stated !== undefined && list?.isAtomic === false;
    const places = isMerged ? placesAfter(old ?? [], stated, mergeKey) : (old ?? []);
    setOwn(merged, key, orderItems(all, order, places, mergeKey));
  }
  return done;
}

function mergeList(
  old: readonly unknown[],
  stated: readonly unknown[] | undefined,
  list: TypeNode['list'],
): readonly unknown[] {
  if (stated === undefined) return old;
  if (list === undefined || list.isAtomic) return stated;
  return mergeLists(old, stated, list.keys[0], (item, patch) => mergeObjects(item, patch, list.element));
}

function mergeMember(merged: JsonObject, key: string, value: unknown, type: TypeNode | undefined): void {
  const old = getOwn(merged, key);
  if (value === null) {
    delete merged[key];
  } else if (isObject(old) && isObject(value)) {
    setOwn(merged, key, mergeObjects(old, value, type));
  } else if (Array.isArray(old) && Array.isArray(value)) {
    setOwn(merged, key, mergeList(old, value, type?.list));
  } else {
    const taken = dropDirectives(value);
    if (taken === undefined) delete merged[key];
    else setOwn(merged, key, taken);
  }
}

function deleteFrom(merged: JsonObject, key: string, items: unknown): void {
  const old = getOwn(merged, key);
  if (items === null) delete merged[key];
  else if (Array.isArray(old) && Array.isArray(items))
    setOwn(
      merged,
      key,
      old.filter((item) => !items.includes(item)),
    );
}

function suffixOf(key: string, directive: string): string {
  if (key[directive.length] !== '/')
    throw badFormat(directive === SET_ORDER ? 'setElementOrder list' : 'primitive list');
  return key.slice(directive.length + 1);
}
