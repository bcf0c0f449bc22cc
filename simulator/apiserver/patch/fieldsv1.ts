import { isObject, type JsonObject } from '../schema/json.ts';
import { joinElements } from './elements.ts';
import { EMPTY_SET, type FieldSet, isEmpty } from './fieldset.ts';
import { compareElements, type PathElement, parseElement } from './pathelement.ts';

const SELF = '.';
const parsed = new WeakMap<object, FieldSet>();
const rendered = new WeakMap<FieldSet, JsonObject>();

/** Reads `fieldsV1`. Elements of unknown kinds are ignored. Throws a SyntaxError on what is not such a set. */
export function parseFieldsV1(fields: unknown): FieldSet {
  if (fields === undefined || fields === null) return EMPTY_SET;
  if (!isObject(fields)) throw new SyntaxError('ReadMapCB: expect { or n');
  const known = parsed.get(fields);
  if (known !== undefined) return known;
  const { set } = parseLevel(fields);
  parsed.set(fields, set);
  return set;
}

/** `isMember`: the path that leads here is a member itself. */
function parseLevel(fields: JsonObject): { readonly set: FieldSet; readonly isMember: boolean } {
  const members = new Set<PathElement>();
  const children = new Map<PathElement, FieldSet>();
  let isMember = false;
  for (const key of Object.keys(fields)) {
    if (key === SELF) {
      isMember = true;
      continue;
    }
    const element = parseElement(key);
    if (element === undefined) continue;
    const value = fields[key];
    if (value !== null && !isObject(value)) throw new SyntaxError(`ReadMapCB: expect { or n at ${key}`);
    const below = value === null ? LEAF : parseLevel(value);
    if (below.isMember) members.add(element);
    if (!isEmpty(below.set)) children.set(element, below.set);
  }
  const set = members.size === 0 && children.size === 0 ? EMPTY_SET : { members, children };
  return { set, isMember: isMember || isEmpty(set) };
}

const LEAF = { set: EMPTY_SET, isMember: true };

/** `fieldsV1` with its elements in the API server's order. The same object for the same set: not to be changed. */
export function renderFieldsV1(set: FieldSet): JsonObject {
  const known = rendered.get(set);
  if (known !== undefined) return known;
  const fields = renderLevel(set);
  if (!isEmpty(set)) rendered.set(set, fields);
  return fields;
}

function renderLevel(set: FieldSet): JsonObject {
  const fields: JsonObject = {};
  const elements = [...joinElements(set.members, new Set(set.children.keys()))];
  for (const element of elements.sort(compareElements)) {
    const child = set.children.get(element);
    if (child === undefined) fields[element] = {};
    else fields[element] = set.members.has(element) ? { [SELF]: {}, ...renderLevel(child) } : renderLevel(child);
  }
  return fields;
}
