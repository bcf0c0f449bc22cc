import { childPath, type FieldError, forbidden, invalid, keyPath, notSupported, required } from '../fielderror.ts';
import { isObject, type JsonObject, textOf } from '../json.ts';
import { propertiesOf } from './structural.ts';

const LIST_TYPE = 'x-kubernetes-list-type';
const MAP_KEYS = 'x-kubernetes-list-map-keys';

/** What must hold of `x-kubernetes-list-type` and `x-kubernetes-list-map-keys`. */
export function checkListType(errors: FieldError[], schema: JsonObject, path: string): void {
  const listType = schema[LIST_TYPE];
  const keys = Array.isArray(schema[MAP_KEYS]) ? schema[MAP_KEYS].map(textOf) : [];
  const items = isObject(schema.items) ? schema.items : undefined;
  if (typeof listType === 'string') {
    checkArray(errors, schema, path, listType, items);
    if (!['atomic', 'set', 'map'].includes(listType)) {
      errors.push(notSupported(childPath(path, LIST_TYPE), listType, ['atomic', 'set', 'map']));
    }
  }
  if (keys.length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    const at = childPath(path, LIST_TYPE);
    errors.push(typeof listType === 'string' ? invalid(at, listType, detail) : required(at, detail));
  }
  if (listType === 'map') checkMapKeys(errors, path, keys, items);
  if ((listType === 'map' || listType === 'set') && items !== undefined) {
    checkNullable(errors, path, listType, keys, items);
  }
}

function checkArray(
  errors: FieldError[],
  { type }: JsonObject,
  path: string,
  listType: string,
  items: JsonObject | undefined,
): void {
  if (type !== 'array') {
    const at = childPath(path, 'type');
    const detail = 'must be array if x-kubernetes-list-type is specified';
    errors.push(typeof type === 'string' && type !== '' ? invalid(at, type, detail) : required(at, detail));
    return;
  }
  if (listType !== 'set' || items === undefined) return;
  const itemsPath = childPath(path, 'items');
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const inner = items[LIST_TYPE];
  if (items.type === 'array' && inner !== undefined && inner !== 'atomic') {
    errors.push(invalid(childPath(itemsPath, LIST_TYPE), inner, detail));
  }
  if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic') {
    errors.push(invalid(childPath(itemsPath, 'x-kubernetes-map-type'), inner ?? null, detail));
  }
}

function checkMapKeys(
  errors: FieldError[],
  path: string,
  keys: readonly string[],
  items: JsonObject | undefined,
): void {
  const keysPath = childPath(path, MAP_KEYS);
  if (keys.length === 0) errors.push(required(keysPath, 'must not be empty if x-kubernetes-list-type is map'));
  const itemsPath = childPath(path, 'items');
  if (items === undefined) {
    errors.push(required(itemsPath, 'must have a schema if x-kubernetes-list-type is map'));
    return;
  }
  if (items.type !== 'object') {
    const detail = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(invalid(childPath(itemsPath, 'type'), items.type ?? '', detail));
    return;
  }
  const properties = new Map(propertiesOf(items));
  const seen = new Set<string>();
  for (const key of keys) {
    const property = properties.get(key);
    if (property === undefined) {
      errors.push(invalid(keysPath, keys, 'entries must all be names of item properties'));
    } else if (property.type === 'array' || property.type === 'object') {
      const at = childPath(keyPath(childPath(itemsPath, 'properties'), key), 'type');
      errors.push(invalid(at, items.type, "must be a scalar type if parent array's x-kubernetes-list-type is map"));
    }
    if (seen.has(key)) errors.push(invalid(keysPath, keys, 'must not contain duplicate entries'));
    seen.add(key);
  }
}

function checkNullable(
  errors: FieldError[],
  path: string,
  listType: string,
  keys: readonly string[],
  items: JsonObject,
): void {
  const itemsPath = childPath(path, 'items');
  if (items.nullable === true) {
    const detail = `cannot be nullable when x-kubernetes-list-type is ${listType}`;
    errors.push(forbidden(childPath(itemsPath, 'nullable'), detail));
  }
  if (listType !== 'map') return;
  const properties = new Map(propertiesOf(items));
  const needed = new Set(Array.isArray(items.required) ? items.required : []);
  for (const key of keys) {
    const property = properties.get(key);
    if (property === undefined) continue;
    const at = keyPath(childPath(itemsPath, 'properties'), key);
    if (!needed.has(key) && (property.default ?? null) === null) {
      const detail =
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
      errors.push(required(childPath(at, 'default'), detail));
    }
    if (property.nullable === true) {
      const detail = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable';
      errors.push(forbidden(childPath(at, 'nullable'), detail));
    }
  }
}
