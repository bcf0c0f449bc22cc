import { renderFloat } from '../gotext.ts';
import type { Cidr, Ip } from '../ip.ts';
import type { JsonList, JsonMap } from './json.ts';

/**
 * A value of CEL: bigint is int, number is double. Lists and maps of the object that is validated stay JSON and are read with their schema;
 * those that an expression makes are arrays and Maps.
 */
export type Value =
  | boolean
  | bigint
  | number
  | string
  | null
  | Uint8Array
  | readonly Value[]
  | ReadonlyMap<Value, Value>
  | JsonList
  | JsonMap
  | Boxed;

/** What JavaScript has no value of its own for. */
export type Boxed =
  | { readonly type: 'uint'; readonly value: bigint }
  | { readonly type: 'duration'; readonly nanos: bigint }
  | { readonly type: 'timestamp'; readonly nanos: bigint }
  | { readonly type: 'type'; readonly name: string }
  | { readonly type: 'optional'; readonly value: Value | undefined }
  | { readonly type: 'quantity'; readonly nanos: bigint }
  | { readonly type: 'ip'; readonly ip: Ip }
  | { readonly type: 'cidr'; readonly cidr: Cidr }
  | { readonly type: 'url'; readonly url: Url }
  /** What a schema does not describe; it can only be compared. */
  | { readonly type: 'unknown'; readonly json: unknown };

export type Url = {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
};

export function isBoxed(value: Value): value is Boxed {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** The value if it is boxed so. */
export function boxed<T extends Boxed['type']>(
  value: Value,
  type: T,
): Extract<Boxed, { readonly type: T }> | undefined {
  if (!isBoxed(value) || value.type !== type) return undefined;
  return value as Extract<Boxed, { readonly type: T }>;
}

export const NONE: Boxed = { type: 'optional', value: undefined };

/** The name of a value's type at run time, as errors and `type()` have it. */
export function typeNameOf(value: Value): string {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
    default:
      if (value === null) return 'null_type';
      if (value instanceof Uint8Array) return 'bytes';
      if (isBoxed(value)) return BOXED_NAMES[value.type];
      return isListValue(value) ? 'list' : 'map';
  }
}

const BOXED_NAMES = {
  uint: 'uint',
  duration: 'google.protobuf.Duration',
  timestamp: 'google.protobuf.Timestamp',
  type: 'type',
  optional: 'optional_type',
  quantity: 'kubernetes.Quantity',
  ip: 'net.IP',
  cidr: 'net.CIDR',
  url: 'kubernetes.URL',
  unknown: 'unknown',
} as const satisfies Record<Boxed['type'], string>;

export function isListValue(value: Value): value is readonly Value[] | JsonList {
  return Array.isArray(value) || (typeof value === 'object' && value !== null && 'items' in value);
}

export function isMapValue(value: Value): value is ReadonlyMap<Value, Value> | JsonMap {
  return value instanceof Map || (typeof value === 'object' && value !== null && 'object' in value);
}

/** As `%v` and `string()` print a double. */
export function renderDouble(value: number): string {
  return renderFloat(value);
}
