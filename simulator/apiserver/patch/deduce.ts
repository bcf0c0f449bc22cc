import { isObject } from '../schema/json.ts';
import type { TypeNode } from './typenode.ts';

/** `any`: the value does not say which of the kinds that its type allows it is. */
export type Kind = 'map' | 'list' | 'scalar' | 'any';

/** Which of the kinds that a type allows a value is. Undefined is a value that is not there. */
export function deduceKind(type: TypeNode, value: unknown): Kind {
  const only = onlyKind(type);
  if (only !== undefined) return only;
  if (value === null || value === undefined) return 'any';
  if (Array.isArray(value)) return type.list === undefined ? 'any' : 'list';
  if (isObject(value)) return type.map === undefined ? 'any' : 'map';
  return type.scalar === undefined ? 'any' : 'scalar';
}

function onlyKind({ scalar, list, map }: TypeNode): Kind | undefined {
  if (map !== undefined) return list === undefined && scalar === undefined ? 'map' : undefined;
  if (list !== undefined) return scalar === undefined ? 'list' : undefined;
  return scalar === undefined ? undefined : 'scalar';
}

/** What a value of any kind is handled as. */
export function resolveKind(type: TypeNode, kind: Kind): Exclude<Kind, 'any'> {
  if (kind !== 'any') return kind;
  if (type.map !== undefined) return 'map';
  return type.scalar === undefined ? 'list' : 'scalar';
}
