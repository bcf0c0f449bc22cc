import { containsAll, dropElements, type Elements, joinElements, sharedElements } from './elements.ts';
import { compareElements, type PathElement } from './pathelement.ts';
import type { TypeNode } from './typenode.ts';

/**
 * A set of paths, as a tree of their elements. Never changed once built; operations answer one of their operands where it is the result. A path may be a
 * member without those below it, and those below without it.
 */
export type FieldSet = {
  readonly members: Elements;
  /** By the first element of longer paths; none is empty. */
  readonly children: ReadonlyMap<PathElement, FieldSet>;
};

const NO_MEMBERS: Elements = new Set();
const NO_CHILDREN: ReadonlyMap<PathElement, FieldSet> = new Map();
export const EMPTY_SET: FieldSet = { members: NO_MEMBERS, children: NO_CHILDREN };

export function isEmpty(set: FieldSet): boolean {
  return set.members.size === 0 && set.children.size === 0;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(b) || a === b) return a;
  if (isEmpty(a)) return b;
  return build(joinElements(a.members, b.members), combine(a.children, b.children));
}

function combine(a: FieldSet['children'], b: FieldSet['children']): FieldSet['children'] {
  if (b.size === 0) return a;
  const combined = new Map(a);
  for (const [element, child] of b) {
    const other = combined.get(element);
    combined.set(element, other === undefined ? child : union(other, child));
  }
  return combined;
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return EMPTY_SET;
  const children = new Map<PathElement, FieldSet>();
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (other !== undefined) put(children, element, intersection(child, other));
  }
  return build(sharedElements(a.members, b.members), children);
}

/** The members of `a` that are none of `b`, whatever is above or below them. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a;
  return subtract(a, b, (element, child) => {
    const other = b.children.get(element);
    return other === undefined ? child : difference(child, other);
  });
}

/** The members of `a` that neither are members of `b` nor lie below one. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a;
  return subtract(a, b, (element, child) => {
    if (b.members.has(element)) return EMPTY_SET;
    const other = b.children.get(element);
    return other === undefined ? child : recursiveDifference(child, other);
  });
}

function subtract(
  a: FieldSet,
  b: FieldSet,
  subtractChild: (element: PathElement, child: FieldSet) => FieldSet,
): FieldSet {
  const members = dropElements(a.members, b.members);
  const children = new Map<PathElement, FieldSet>();
  let isSame = members === a.members;
  for (const [element, child] of a.children) {
    const rest = subtractChild(element, child);
    isSame &&= rest === child;
    put(children, element, rest);
  }
  return isSame ? a : build(members, children);
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  if (a.members.size !== b.members.size || a.children.size !== b.children.size) return false;
  if (!containsAll(b.members, a.members)) return false;
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (other === undefined || !equalSets(child, other)) return false;
  }
  return true;
}

export function isSubset(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  if (!containsAll(b.members, a.members)) return false;
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (other === undefined || !isSubset(child, other)) return false;
  }
  return true;
}

export function hasPath(set: FieldSet, path: readonly PathElement[]): boolean {
  let node: FieldSet | undefined = set;
  for (const [index, element] of path.entries()) {
    if (index === path.length - 1) return node.members.has(element);
    node = node.children.get(element);
    if (node === undefined) return false;
  }
  return false;
}

/** Adds the fields that lead to members: an object's named fields, which are not members of their own where they hold something. */
export function withNamedFields(set: FieldSet, type: TypeNode | undefined): FieldSet {
  if (set.children.size === 0) return set;
  const fields = type?.map?.fields;
  const members = new Set(set.members);
  const children = new Map<PathElement, FieldSet>();
  for (const [element, child] of set.children) {
    if (element[0] === 'f' && fields?.has(element.slice(2)) === true) members.add(element);
    children.set(element, withNamedFields(child, typeBelow(type, element)));
  }
  return { members, children };
}

/** The type of what an element of a path leads to. */
export function typeBelow(type: TypeNode | undefined, element: PathElement): TypeNode | undefined {
  if (element[0] === 'f') return type?.map?.fields.get(element.slice(2))?.type ?? type?.map?.element;
  return element[0] === 'k' ? type?.list?.element : undefined;
}

/** All paths, sorted: on each level first the members, then what lies below. */
export function pathsOf(set: FieldSet, prefix: readonly PathElement[] = []): readonly (readonly PathElement[])[] {
  return [
    ...[...set.members].sort(compareElements).map((element) => [...prefix, element]),
    ...[...set.children.keys()]
      .sort(compareElements)
      .flatMap((element) => pathsOf(set.children.get(element) ?? EMPTY_SET, [...prefix, element])),
  ];
}

/** Collects paths into a set. */
export class FieldSetBuilder {
  readonly #root: MutableSet = { members: new Set(), children: new Map() };
  #isEmpty = true;

  /** An empty path is nobody's and is ignored. */
  insert(path: readonly PathElement[]): void {
    const last = path.at(-1);
    if (last === undefined) return;
    let node = this.#root;
    for (let depth = 0; depth < path.length - 1; depth += 1) node = descend(node, path[depth] ?? '');
    node.members.add(last);
    this.#isEmpty = false;
  }

  build(): FieldSet {
    return this.#isEmpty ? EMPTY_SET : this.#root;
  }
}

type MutableSet = { readonly members: Set<PathElement>; readonly children: Map<PathElement, MutableSet> };

function descend(node: MutableSet, element: PathElement): MutableSet {
  let child = node.children.get(element);
  if (child === undefined) {
    child = { members: new Set(), children: new Map() };
    node.children.set(element, child);
  }
  return child;
}

export function setOf(paths: readonly (readonly PathElement[])[]): FieldSet {
  const builder = new FieldSetBuilder();
  for (const path of paths) builder.insert(path);
  return builder.build();
}

function build(members: Elements, children: FieldSet['children']): FieldSet {
  return members.size === 0 && children.size === 0 ? EMPTY_SET : { members, children };
}

function put(children: Map<PathElement, FieldSet>, element: PathElement, child: FieldSet): void {
  if (!isEmpty(child)) children.set(element, child);
}
