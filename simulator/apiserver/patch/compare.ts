import { equalJson, getOwn, isObject, type JsonObject } from '../schema/json.ts';
import { deduceKind, type Kind, resolveKind } from './deduce.ts';
import { type FieldSet, recursiveDifference } from './fieldset.ts';
import { FieldSetBuilder } from './fieldsetbuilder.ts';
import { elementOfItem } from './items.ts';
import { fieldElement, type PathElement } from './pathelement.ts';
import type { ListType, MapType, TypeNode } from './typenode.ts';

/** What became of an object's fields. */
export type Comparison = {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
};

/** Both values must fit the type. What is one object on both sides is not looked into. */
export function compareTyped(before: unknown, after: unknown, type: TypeNode): Comparison {
  const walk: Walk = {
    path: [],
    added: new FieldSetBuilder(),
    modified: new FieldSetBuilder(),
    removed: new FieldSetBuilder(),
  };
  compareValues(before, after, type, walk);
  return { added: walk.added.build(), modified: walk.modified.build(), removed: walk.removed.build() };
}

/** Without what is in `fields` or below. */
export function excludeFields(comparison: Comparison, fields: FieldSet): Comparison {
  return {
    added: recursiveDifference(comparison.added, fields),
    modified: recursiveDifference(comparison.modified, fields),
    removed: recursiveDifference(comparison.removed, fields),
  };
}

type Walk = {
  readonly path: PathElement[];
  readonly added: FieldSetBuilder;
  readonly modified: FieldSetBuilder;
  readonly removed: FieldSetBuilder;
};

/** Undefined stands for a value that is not there. A value that changes its kind is compared as either. */
function compareValues(before: unknown, after: unknown, type: TypeNode, walk: Walk): void {
  if (before === after) return;
  const kindBefore = deduceKind(type, before);
  const kindAfter = deduceKind(type, after);
  let isLeaf: boolean;
  if (after === undefined) isLeaf = compareAs(kindBefore, before, after, type, walk);
  else {
    if (before !== undefined && kindBefore !== kindAfter) compareAs(kindBefore, before, after, type, walk);
    isLeaf = compareAs(kindAfter, before, after, type, walk);
  }
  if (isLeaf) return;
  if (before === undefined) walk.added.insert(walk.path);
  else if (after === undefined) walk.removed.insert(walk.path);
}

/** Answers whether the value is a leaf: one thing, or with nothing in it. */
function compareAs(kind: Kind, before: unknown, after: unknown, type: TypeNode, walk: Walk): boolean {
  switch (resolveKind(type, kind)) {
    case 'map': {
      const [left, right] = [nonEmptyObject(before), nonEmptyObject(after)];
      if (type.map === undefined || type.map.isAtomic || (left === undefined && right === undefined)) break;
      compareMembers(left ?? NOTHING, right ?? NOTHING, type.map, walk);
      return false;
    }
    case 'list': {
      const [left, right] = [nonEmptyList(before), nonEmptyList(after)];
      if (type.list === undefined || type.list.isAtomic || (left === undefined && right === undefined)) break;
      compareItems(left ?? [], right ?? [], type.list, walk);
      return false;
    }
    default:
  }
  compareLeaves(before, after, walk);
  return true;
}

const NOTHING: JsonObject = {};

function nonEmptyObject(value: unknown): JsonObject | undefined {
  return isObject(value) && Object.keys(value).length > 0 ? value : undefined;
}

function nonEmptyList(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) && value.length > 0 ? value : undefined;
}

function compareLeaves(before: unknown, after: unknown, walk: Walk): void {
  if (before === undefined) walk.added.insert(walk.path);
  else if (after === undefined) walk.removed.insert(walk.path);
  else if (!equalJson(before, after)) walk.modified.insert(walk.path);
}

function compareMembers(before: JsonObject, after: JsonObject, type: MapType, walk: Walk): void {
  for (const key of Object.keys(before)) compareMember(key, before[key], getOwn(after, key), type, walk);
  for (const key of Object.keys(after)) {
    if (!Object.hasOwn(before, key)) compareMember(key, undefined, after[key], type, walk);
  }
}

function compareMember(key: string, before: unknown, after: unknown, type: MapType, walk: Walk): void {
  if (before === after) return;
  const field = type.fields.get(key);
  const memberType = field?.type ?? type.element;
  if (memberType !== undefined) compareBelow(field?.element ?? fieldElement(key), before, after, memberType, walk);
}

function compareBelow(element: PathElement, before: unknown, after: unknown, type: TypeNode, walk: Walk): void {
  walk.path.push(element);
  compareValues(before, after, type, walk);
  walk.path.pop();
}

function compareItems(before: readonly unknown[], after: readonly unknown[], type: ListType, walk: Walk): void {
  const [left, right] = [groupItems(before, type), groupItems(after, type)];
  for (const [element, items] of left) compareGroup(element, items, right.get(element) ?? [], type, walk);
  for (const [element, items] of right) if (!left.has(element)) compareGroup(element, [], items, type, walk);
}

function groupItems(items: readonly unknown[], type: ListType): ReadonlyMap<PathElement, readonly unknown[]> {
  const groups = new Map<PathElement, unknown[]>();
  for (const item of items) {
    const element = elementOfItem(type, item);
    if (typeof element !== 'string') continue;
    const group = groups.get(element);
    if (group === undefined) groups.set(element, [item]);
    else group.push(item);
  }
  return groups;
}

/** Items that are there more than once are one thing together. */
function compareGroup(
  element: PathElement,
  before: readonly unknown[],
  after: readonly unknown[],
  type: ListType,
  walk: Walk,
): void {
  if (before.length <= 1 && after.length <= 1) {
    compareBelow(element, before[0], after[0], type.element, walk);
  } else if (before.length >= 2 && after.length >= 2) {
    if (!equalJson(before, after)) walk.modified.insert([...walk.path, element]);
  } else if (before.length >= 2) {
    if (after.length > 0) compareBelow(element, undefined, after[0], type.element, walk);
    walk.removed.insert([...walk.path, element]);
  } else {
    if (before.length > 0) compareBelow(element, before[0], undefined, type.element, walk);
    walk.added.insert([...walk.path, element]);
  }
}
