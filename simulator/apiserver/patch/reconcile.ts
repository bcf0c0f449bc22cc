import { type FieldSet, typeBelow } from './fieldset.ts';
import type { PathElement } from './pathelement.ts';
import { type TypeNode, UNTYPED } from './typenode.ts';

const done = new WeakMap<FieldSet, TypeNode>();

/**
 * A set that was recorded under an older type: whoever owned something inside of what is one thing now owns the whole. The set itself where it is in line.
 */
export function reconcileSet(set: FieldSet, type: TypeNode): FieldSet {
  if (set.children.size === 0 || done.get(set) === type) return set;
  const reconciled = reconcileLevel(set, type);
  done.set(reconciled, type);
  return reconciled;
}

function reconcileLevel(set: FieldSet, type: TypeNode): FieldSet {
  if (isDeduced(type)) return set;
  const members = new Set(set.members);
  const children = new Map<PathElement, FieldSet>();
  let isSame = true;
  for (const [element, child] of set.children) {
    const below = typeBelow(type, element);
    if (below !== undefined && isOneThing(below)) {
      members.add(element);
      isSame = false;
      continue;
    }
    const rest = below === undefined ? child : reconcileLevel(child, below);
    isSame &&= rest === child;
    children.set(element, rest);
  }
  return isSame ? set : { members, children };
}

/** Objects whose members nothing describes are left as they are. */
function isDeduced({ map }: TypeNode): boolean {
  return map !== undefined && map.fields.size === 0 && map.element === UNTYPED;
}

function isOneThing({ map, list, scalar }: TypeNode): boolean {
  if (map !== undefined) return map.isAtomic;
  return scalar === undefined && list?.isAtomic === true;
}
