import { buildNode, EMPTY_SET, type FieldNode, type FieldSet, memberNode, typeBelow } from './fieldset.ts';
import type { PathElement } from './pathelement.ts';
import { type TypeNode, UNTYPED } from './typenode.ts';

/**
 * A set that was recorded under an older type: whoever owned something inside of what is one thing now owns the whole. The set itself where it is in line.
 */
export function reconcileSet(set: FieldSet, type: TypeNode): FieldSet {
  if (isDeduced(type)) return set;
  let reconciled: Map<PathElement, FieldNode> | undefined;
  for (const [element, node] of set) {
    const below = node.below.size === 0 ? undefined : typeBelow(type, element);
    if (below === undefined) continue;
    const rest = isOneThing(below) ? EMPTY_SET : reconcileSet(node.below, below);
    if (rest === node.below) continue;
    reconciled ??= new Map(set);
    reconciled.set(element, rest.size === 0 ? memberNode(rest) : buildNode(node.isMember, rest));
  }
  return reconciled ?? set;
}

/** Objects whose members nothing describes are left as they are. */
function isDeduced({ map }: TypeNode): boolean {
  return map !== undefined && map.fields.size === 0 && map.element === UNTYPED;
}

function isOneThing({ map, list, scalar }: TypeNode): boolean {
  if (map !== undefined) return map.isAtomic;
  return scalar === undefined && list?.isAtomic === true;
}
