import { findMember, type SchemaNode } from './schema/index.ts';
import { getOwn, isObject, type JsonObject, setOwn } from './schema/json.ts';

/**
 * What a strategic merge patch makes of an object: as a JSON merge patch, but that lists with keys are merged item by item, and that a patch may hold
 * directives (`$patch`, `$deleteFromPrimitiveList/...`, `$retainKeys`). Orders that it states (`$setElementOrder/...`) are not followed. Changes neither.
 */
export function applyStrategicMerge(target: JsonObject, patch: JsonObject, node: SchemaNode | undefined): JsonObject {
  const directive = patch.$patch;
  if (directive === 'delete') return {};
  const merged: JsonObject = directive === 'replace' ? {} : retained(target, patch.$retainKeys);
  for (const key of Object.keys(patch)) {
    if (key === '$patch' || key === '$retainKeys' || key.startsWith('$setElementOrder/')) continue;
    const value = patch[key];
    if (key.startsWith(DELETE_FROM)) deleteFrom(merged, key.slice(DELETE_FROM.length), value);
    else if (value === null) delete merged[key];
    else
      setOwn(
        merged,
        key,
        mergeValue(getOwn(merged, key), value, node === undefined ? undefined : findMember(node, key)),
      );
  }
  return merged;
}

const DELETE_FROM = '$deleteFromPrimitiveList/';

function retained(target: JsonObject, keys: unknown): JsonObject {
  if (!Array.isArray(keys)) return { ...target };
  return Object.fromEntries(Object.entries(target).filter(([key]) => keys.includes(key)));
}

function deleteFrom(object: JsonObject, key: string, items: unknown): void {
  const list = getOwn(object, key);
  if (Array.isArray(list) && Array.isArray(items))
    setOwn(
      object,
      key,
      list.filter((item) => !items.includes(item)),
    );
}

function mergeValue(old: unknown, value: unknown, node: SchemaNode | undefined): unknown {
  if (isObject(value)) return applyStrategicMerge(isObject(old) ? old : {}, value, node);
  if (!Array.isArray(value)) return value;
  const before = Array.isArray(old) ? old : [];
  if (node?.listType === 'set') return [...before, ...value.filter((item) => !before.includes(item))];
  const [key] = node?.listType === 'map' ? node.listMapKeys : [];
  return key === undefined ? value : mergeItems(before, value, key, node?.items);
}

function mergeItems(
  before: readonly unknown[],
  patches: readonly unknown[],
  key: string,
  node: SchemaNode | undefined,
) {
  const replaces = patches.some((patch) => isObject(patch) && patch.$patch === 'replace');
  const merged: unknown[] = replaces ? [] : [...before];
  for (const patch of patches) {
    if (!isObject(patch)) continue;
    const found = merged.findIndex((item) => isObject(item) && item[key] === patch[key]);
    const old = found < 0 ? undefined : merged[found];
    if (patch.$patch === 'delete') {
      if (found >= 0) merged.splice(found, 1);
    } else if (patch.$patch === 'replace' && patch[key] === undefined) {
      // Says only that the items before it go.
    } else if (found < 0) merged.push(applyStrategicMerge({}, patch, node));
    else merged[found] = applyStrategicMerge(isObject(old) ? old : {}, patch, node);
  }
  return merged;
}
