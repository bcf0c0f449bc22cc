/** Static types of CEL, as its type checker sees them. */
export type CelType =
  | { readonly kind: SimpleKind }
  | { readonly kind: 'list'; readonly of: CelType }
  | { readonly kind: 'map'; readonly key: CelType; readonly of: CelType }
  | { readonly kind: 'optional'; readonly of: CelType }
  /** An object with declared fields. Two of them are the same only if they are one and the same. */
  | { readonly kind: 'object'; readonly name: string; readonly fields: ReadonlyMap<string, CelType> }
  | { readonly kind: 'opaque'; readonly name: string }
  /** A type parameter of a function. */
  | { readonly kind: 'param'; readonly name: string };

const SIMPLE = [
  'bool',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'null',
  'duration',
  'timestamp',
  'dyn',
  'type',
] as const;
type SimpleKind = (typeof SIMPLE)[number];

export const BOOL: CelType = { kind: 'bool' };
export const INT: CelType = { kind: 'int' };
export const UINT: CelType = { kind: 'uint' };
export const DOUBLE: CelType = { kind: 'double' };
export const STRING: CelType = { kind: 'string' };
export const BYTES: CelType = { kind: 'bytes' };
export const NULL: CelType = { kind: 'null' };
export const DURATION: CelType = { kind: 'duration' };
export const TIMESTAMP: CelType = { kind: 'timestamp' };
export const DYN: CelType = { kind: 'dyn' };
export const TYPE: CelType = { kind: 'type' };

const OPAQUE: ReadonlyMap<string, string> = new Map([
  ['quantity', 'kubernetes.Quantity'],
  ['url', 'kubernetes.URL'],
  ['ip', 'net.IP'],
  ['cidr', 'net.CIDR'],
]);

/** Reads the notation in which functions are declared: `list(A)`, `map(string, dyn)`, `quantity`. */
export function parseType(text: string): CelType {
  const simple = SIMPLE.find((kind) => kind === text);
  if (simple !== undefined) return { kind: simple };
  const opaque = OPAQUE.get(text);
  if (opaque !== undefined) return { kind: 'opaque', name: opaque };
  const [, head, inner = ''] = /^(list|map|optional)\((.*)\)$/.exec(text) ?? [];
  if (head === 'list' || head === 'optional') return { kind: head, of: parseType(inner) };
  if (head === 'map') {
    const [key = '', value = ''] = inner.split(/,\s*/);
    return { kind: 'map', key: parseType(key), of: parseType(value) };
  }
  return { kind: 'param', name: text };
}

/** As the type checker's messages name it. */
export function renderType(type: CelType): string {
  switch (type.kind) {
    case 'list':
      return `list(${renderType(type.of)})`;
    case 'map':
      return `map(${renderType(type.key)}, ${renderType(type.of)})`;
    case 'optional':
      return `optional_type(${renderType(type.of)})`;
    case 'object':
    case 'opaque':
    case 'param':
      return type.name;
    default:
      return type.kind;
  }
}

export type Bindings = Map<string, CelType>;

/** Whether a value of type `from` may stand where `to` is declared. Type parameters of `to` are bound on the way. */
export function isAssignable(from: CelType, to: CelType, bindings: Bindings): boolean {
  if (to.kind === 'param') {
    const bound = bindings.get(to.name);
    if (bound === undefined || bound.kind === 'dyn') {
      bindings.set(to.name, from);
      return true;
    }
    return isAssignable(from, bound, bindings);
  }
  if (from.kind === 'dyn' || to.kind === 'dyn' || from === to || from.kind === 'param') return true;
  if (from.kind === 'null') return to.kind === 'null' || NULLABLE.has(to.kind);
  if (to.kind === 'null') return NULLABLE.has(from.kind);
  if (from.kind !== to.kind) return false;
  if (from.kind === 'list' || from.kind === 'optional') return isAssignable(from.of, elementOf(to), bindings);
  if (from.kind === 'map') {
    return to.kind === 'map' && isAssignable(from.key, to.key, bindings) && isAssignable(from.of, to.of, bindings);
  }
  if (from.kind === 'opaque') return to.kind === 'opaque' && from.name === to.name;
  return from.kind !== 'object';
}

const NULLABLE: ReadonlySet<string> = new Set(['object', 'opaque', 'duration', 'timestamp', 'optional']);

function elementOf(type: CelType): CelType {
  return type.kind === 'list' || type.kind === 'optional' ? type.of : DYN;
}

/** The type with its parameters replaced; what is not bound is dynamic. */
export function substitute(type: CelType, bindings: Bindings): CelType {
  switch (type.kind) {
    case 'param':
      return bindings.get(type.name) ?? DYN;
    case 'list':
    case 'optional':
      return { kind: type.kind, of: substitute(type.of, bindings) };
    case 'map':
      return { kind: 'map', key: substitute(type.key, bindings), of: substitute(type.of, bindings) };
    default:
      return type;
  }
}

/** Whether the checker cannot know all of it, so that functions are chosen when they are called. */
export function hasDyn(type: CelType): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'param':
      return true;
    case 'list':
    case 'optional':
      return hasDyn(type.of);
    case 'map':
      return hasDyn(type.key) || hasDyn(type.of);
    default:
      return false;
  }
}

/** The type of two branches or elements: the same, or dynamic where one is; undefined where they do not go together. */
export function joinTypes(a: CelType, b: CelType): CelType | undefined {
  if (!isAssignable(a, b, new Map())) return undefined;
  if (a.kind === 'null') return b;
  return hasDyn(a) ? a : b;
}
