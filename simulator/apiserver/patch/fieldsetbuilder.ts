import { buildNode, EMPTY_SET, type FieldNode, type FieldSet, memberNode } from './fieldset.ts';
import type { PathElement } from './pathelement.ts';

/** Collects paths into a set. Must not be used once that was built. */
export class FieldSetBuilder {
  #set: Map<PathElement, FieldNode> | undefined;

  /** An empty path is nobody's and is ignored. */
  insert(path: readonly PathElement[]): void {
    if (path.length === 0) return;
    this.#set ??= new Map();
    let level = this.#set;
    for (let depth = 0; depth < path.length - 1; depth += 1) level = descend(level, path[depth] ?? '');
    const last = path.at(-1) ?? '';
    level.set(last, memberNode(level.get(last)?.below ?? EMPTY_SET));
  }

  build(): FieldSet {
    return this.#set ?? EMPTY_SET;
  }
}

function descend(level: Map<PathElement, FieldNode>, element: PathElement): Map<PathElement, FieldNode> {
  const node = level.get(element);
  if (node !== undefined && node.below.size > 0) return node.below as Map<PathElement, FieldNode>;
  const below = new Map<PathElement, FieldNode>();
  level.set(element, buildNode(node?.isMember ?? false, below));
  return below;
}

export function setOf(paths: readonly (readonly PathElement[])[]): FieldSet {
  const builder = new FieldSetBuilder();
  for (const path of paths) builder.insert(path);
  return builder.build();
}
