import type { JsonObject } from '../schema/json.ts';
import { compareElements, type PathElement } from './pathelement.ts';
import type { TypeNode } from './typenode.ts';

/**
 * A set of paths, as a tree of their elements. Never changed once built; operations answer one of their operands, and share parts of them, where that is
 * the result. A path may be a member without those below it, and those below without it.
 */
export type FieldSet = ReadonlyMap<PathElement, FieldNode>;

/** Where an element leads to. Either a member itself, or something below it is. */
export type FieldNode = {
  readonly isMember: boolean;
  readonly below: FieldSet;
  /** What `fieldsV1` has for it, once that was asked for. */
  rendered: JsonObject | undefined;
};

export const EMPTY_SET: FieldSet = new Map();
const LEAF = buildNode(true, EMPTY_SET);

/** Must be a member, or have something below it. */
export function buildNode(isMember: boolean, below: FieldSet): FieldNode {
  return { isMember, below, rendered: undefined };
}

/** The node of a member that may have more below it. */
export function memberNode(below: FieldSet): FieldNode {
  return below.size === 0 ? LEAF : buildNode(true, below);
}

export function isEmpty(set: FieldSet): boolean {
  return set.size === 0;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (b.size === 0 || a === b) return a;
  if (a.size === 0) return b;
  let joined: Map<PathElement, FieldNode> | undefined;
  for (const [element, node] of b) {
    const old = a.get(element);
    const both = old === undefined ? node : joinNodes(old, node);
    if (both === old) continue;
    joined ??= new Map(a);
    joined.set(element, both);
  }
  return joined ?? a;
}

function joinNodes(a: FieldNode, b: FieldNode): FieldNode {
  if (a === b) return a;
  const below = union(a.below, b.below);
  const isMember = a.isMember || b.isMember;
  return below === a.below && isMember === a.isMember ? a : buildNode(isMember, below);
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (a.size === 0 || b.size === 0) return EMPTY_SET;
  const shared = new Map<PathElement, FieldNode>();
  const [few, many] = a.size < b.size ? [a, b] : [b, a];
  for (const [element, node] of few) {
    const other = many.get(element);
    if (other === undefined) continue;
    const isMember = node.isMember && other.isMember;
    const below = intersection(node.below, other.below);
    if (isMember) shared.set(element, memberNode(below));
    else if (below.size > 0) shared.set(element, buildNode(false, below));
  }
  return shared.size === 0 ? EMPTY_SET : shared;
}

/** The members of `a` that are none of `b`, whatever is above or below them. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, (node, other) => [node.isMember && !other.isMember, difference(node.below, other.below)]);
}

/** The members of `a` that neither are members of `b` nor lie below one. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, (node, other) => {
    if (other.isMember) return [false, EMPTY_SET];
    return [node.isMember, recursiveDifference(node.below, other.below)];
  });
}

type Rest = (node: FieldNode, other: FieldNode) => readonly [isMember: boolean, below: FieldSet];

function subtract(a: FieldSet, b: FieldSet, restOf: Rest): FieldSet {
  if (a.size === 0 || b.size === 0) return a;
  let left: Map<PathElement, FieldNode> | undefined;
  for (const [element, other] of b) {
    const node = a.get(element);
    if (node === undefined) continue;
    const [isMember, below] = restOf(node, other);
    if (isMember === node.isMember && below === node.below) continue;
    left ??= new Map(a);
    if (isMember) left.set(element, memberNode(below));
    else if (below.size > 0) left.set(element, buildNode(false, below));
    else left.delete(element);
  }
  if (left === undefined) return a;
  return left.size === 0 ? EMPTY_SET : left;
}

export function isSubset(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  for (const [element, node] of a) {
    const other = b.get(element);
    if (other === undefined || (node.isMember && !other.isMember) || !isSubset(node.below, other.below)) return false;
  }
  return true;
}

/** `set`, with the nodes of `old` wherever they say the same; `old` itself where all do. */
export function shareNodes(set: FieldSet, old: FieldSet): FieldSet {
  if (set === old || old.size === 0) return set;
  let shared: Map<PathElement, FieldNode> | undefined;
  let isSame = set.size === old.size;
  for (const [element, node] of set) {
    const other = old.get(element);
    const taken = other === undefined ? node : shareNode(node, other);
    isSame &&= taken === other;
    if (taken === node) continue;
    shared ??= new Map(set);
    shared.set(element, taken);
  }
  return isSame ? old : (shared ?? set);
}

function shareNode(node: FieldNode, old: FieldNode): FieldNode {
  if (node === old) return node;
  const below = shareNodes(node.below, old.below);
  if (node.isMember === old.isMember && below === old.below) return old;
  return below === node.below ? node : buildNode(node.isMember, below);
}

export function hasPath(set: FieldSet, path: readonly PathElement[]): boolean {
  let level = set;
  let node: FieldNode | undefined;
  for (const element of path) {
    node = level.get(element);
    if (node === undefined) return false;
    level = node.below;
  }
  return node?.isMember === true;
}

/** Adds the fields that lead to members: an object's named fields, which are no members of their own where they hold something. */
export function withNamedFields(set: FieldSet, type: TypeNode | undefined): FieldSet {
  const fields = type?.map?.fields;
  let named: Map<PathElement, FieldNode> | undefined;
  for (const [element, node] of set) {
    if (node.below.size === 0) continue;
    const isMember = node.isMember || (element[0] === 'f' && fields?.has(element.slice(2)) === true);
    const below = withNamedFields(node.below, typeBelow(type, element));
    if (isMember === node.isMember && below === node.below) continue;
    named ??= new Map(set);
    named.set(element, buildNode(isMember, below));
  }
  return named ?? set;
}

/** The type of what an element of a path leads to. */
export function typeBelow(type: TypeNode | undefined, element: PathElement): TypeNode | undefined {
  if (element[0] === 'f') return type?.map?.fields.get(element.slice(2))?.type ?? type?.map?.element;
  return element[0] === 'k' ? type?.list?.element : undefined;
}

/** All paths, sorted: on each level first the members, then what lies below. */
export function pathsOf(set: FieldSet, prefix: readonly PathElement[] = []): readonly (readonly PathElement[])[] {
  const nodes = [...set].sort(([a], [b]) => compareElements(a, b));
  return [
    ...nodes.filter(([, { isMember }]) => isMember).map(([element]) => [...prefix, element]),
    ...nodes.flatMap(([element, { below }]) => (below.size === 0 ? [] : pathsOf(below, [...prefix, element]))),
  ];
}
