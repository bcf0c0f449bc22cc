import { isObject, type JsonObject } from '../schema/json.ts';
import { buildNode, EMPTY_SET, type FieldNode, type FieldSet, isEmpty, memberNode } from './fieldset.ts';
import { compareElements, type PathElement, parseElement } from './pathelement.ts';

const SELF = '.';

/** Reads `fieldsV1`. Elements of unknown kinds are ignored. Throws a SyntaxError on what is not such a set. */
export function parseFieldsV1(fields: unknown): FieldSet {
  if (fields === undefined || fields === null) return EMPTY_SET;
  if (!isObject(fields)) throw new SyntaxError('ReadMapCB: expect { or n');
  return parseLevel(fields);
}

function parseLevel(fields: JsonObject): FieldSet {
  const set = new Map<PathElement, FieldNode>();
  for (const key of Object.keys(fields)) {
    if (key === SELF) continue;
    const element = parseElement(key);
    if (element === undefined) continue;
    const value = fields[key];
    if (value !== null && !isObject(value)) throw new SyntaxError(`ReadMapCB: expect { or n at ${key}`);
    const below = value === null ? EMPTY_SET : parseLevel(value);
    const isMember = isEmpty(below) || (value !== null && Object.hasOwn(value, SELF));
    set.set(element, isMember ? memberNode(below) : buildNode(false, below));
  }
  return set.size === 0 ? EMPTY_SET : set;
}

/** `fieldsV1` with its elements in the API server's order. Shares what was made for other sets: not to be changed. */
export function renderFieldsV1(set: FieldSet): JsonObject {
  const fields: JsonObject = {};
  renderLevel(set, fields);
  return fields;
}

function renderLevel(set: FieldSet, into: JsonObject): void {
  const nodes = set.size > 1 ? [...set].sort(([a], [b]) => compareElements(a, b)) : set;
  for (const [element, node] of nodes) into[element] = renderNode(node);
}

function renderNode(node: FieldNode): JsonObject {
  if (node.rendered !== undefined) return node.rendered;
  const fields: JsonObject = {};
  if (node.isMember && node.below.size > 0) fields[SELF] = {};
  renderLevel(node.below, fields);
  node.rendered = fields;
  return fields;
}
