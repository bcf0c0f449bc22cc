export type ScalarType = 'numeric' | 'string' | 'boolean' | 'untyped';

/** Items are told apart by the members that `keys` names, or by their value where it names none, unless the list is one thing. */
export type ListType = {
  readonly isAtomic: boolean;
  readonly keys: readonly string[];
  /** `keys`, sorted. */
  readonly sortedKeys: readonly string[];
  readonly element: TypeNode;
};

export type MapType = {
  readonly isAtomic: boolean;
  readonly fields: ReadonlyMap<string, FieldType>;
  /** Of members that `fields` does not name; undefined where no other member may be. */
  readonly element: TypeNode | undefined;
};

export type FieldType = {
  readonly type: TypeNode;
  /** The field as a path element. */
  readonly element: string;
  /** Undefined where there is none. */
  readonly default: unknown;
};

/**
 * How a value is merged and owned: what a schema says of it beyond its shape. A node that allows several kinds of value has several members; which one
 * holds is then deduced from the value.
 */
export type TypeNode = {
  readonly scalar: ScalarType | undefined;
  readonly list: ListType | undefined;
  readonly map: MapType | undefined;
};

export const STRING: TypeNode = buildScalar('string');
export const NUMERIC: TypeNode = buildScalar('numeric');
export const BOOLEAN: TypeNode = buildScalar('boolean');
/** Any scalar, times too. */
export const ANY_SCALAR: TypeNode = buildScalar('untyped');

/** A value of any kind that is one thing. */
export const UNTYPED_ATOMIC: TypeNode = buildUntyped(true);

/** A value of any kind, whose objects are owned member by member and whose lists are owned as a whole. */
export const UNTYPED: TypeNode = buildUntyped(false);

function buildScalar(scalar: ScalarType): TypeNode {
  return { scalar, list: undefined, map: undefined };
}

/** Kind: one thing, a set of scalars, or a map by keys. */
export function buildListType(element: TypeNode, kind: 'atomic' | 'set' | readonly string[]): ListType {
  const keys = typeof kind === 'string' ? [] : kind;
  return { isAtomic: kind === 'atomic', keys, sortedKeys: [...keys].sort(), element };
}

export function buildList(element: TypeNode, kind: 'atomic' | 'set' | readonly string[]): TypeNode {
  return { scalar: undefined, list: buildListType(element, kind), map: undefined };
}

/** An object with fields and nothing else. */
export function buildStruct(fields: Readonly<Record<string, TypeNode>>, isAtomic = false): TypeNode {
  const entries = Object.entries(fields).map(([name, type]) => [name, buildField(name, type)] as const);
  return { scalar: undefined, list: undefined, map: { isAtomic, fields: new Map(entries), element: undefined } };
}

export function buildMapOf(element: TypeNode): TypeNode {
  return { scalar: undefined, list: undefined, map: { isAtomic: false, fields: new Map(), element } };
}

export function buildField(name: string, type: TypeNode, value?: unknown): FieldType {
  return { type, element: `f:${name}`, default: value };
}

function buildUntyped(isAtomic: boolean): TypeNode {
  const map: { -readonly [K in keyof MapType]: MapType[K] } = { isAtomic, fields: new Map(), element: undefined };
  const list: { -readonly [K in keyof ListType]: ListType[K] } = buildListType(STRING, 'atomic');
  const type: TypeNode = { scalar: 'untyped', list, map };
  map.element = type;
  list.element = isAtomic ? type : UNTYPED_ATOMIC;
  return type;
}
