import { convertStructural, type Structural } from '../../crds/structural.ts';
import { KINDS } from '../../crds/v1alpha1/resources.ts';
import { LIST_MAP_KEYS } from '../../crds/v1alpha1/schema.ts';
import type { Json, Step } from '../intent.ts';
import { isMap, memberOf } from './json.ts';

/** What of a schema matters to a change: the order of members, the keys by which a list is a map, and what stands for what is left out. */
export type Shape = {
  readonly members?: ReadonlyMap<string, Shape> | undefined;
  readonly keys?: readonly string[] | undefined;
  readonly items?: Shape | undefined;
  readonly default?: Json | undefined;
};

/** The shape of a kind's resources; of a kind that is not ours, nothing is known and its lists are values as a whole. */
export function shapeOf(kind: string): Shape {
  return SHAPES.get(kind) ?? { members: new Map([...HEAD, ['spec', {}]]) };
}

/** What the API server puts where nothing stands, by the schema. */
export function defaultAt(shape: Shape, path: readonly Step[]): Json | undefined {
  const found = path.reduce<Shape | undefined>(
    (at, step) => (typeof step === 'string' ? at?.members?.get(step) : at?.items),
    shape,
  );
  return found?.default;
}

/** The key of an item, or undefined when it lacks a member of it. Key members are texts. */
export function keyOf(item: Json | undefined, keys: readonly string[]): { readonly [key: string]: string } | undefined {
  if (!isMap(item)) return undefined;
  const found = keys.map((key) => [key, memberOf(item, key)] as const);
  const texts = found.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return texts.length === keys.length ? Object.fromEntries(texts) : undefined;
}

/** The items by their keys, or undefined when the list is no map: an item lacks its key, or two share one. */
export function indexByKey(list: readonly Json[], keys: readonly string[]): ReadonlyMap<string, Json> | undefined {
  const byKey = new Map<string, Json>();
  for (const item of list) {
    const key = keyOf(item, keys);
    if (key === undefined) return undefined;
    byKey.set(renderKey(key), item);
  }
  return byKey.size === list.length ? byKey : undefined;
}

/** The same text for the same key. */
export function renderKey(key: { readonly [key: string]: string }): string {
  return JSON.stringify(Object.entries(key));
}

const HEAD: readonly (readonly [string, Shape])[] = [
  ['apiVersion', {}],
  ['kind', {}],
  [
    'metadata',
    {
      members: new Map([
        ['name', {}],
        ['namespace', {}],
        ['labels', {}],
        ['annotations', {}],
      ]),
    },
  ],
];

const SHAPES: ReadonlyMap<string, Shape> = new Map(
  KINDS.map(({ resource, schema }) => {
    const spec = convertShape(convertStructural(schema.shape.spec, resource.kind));
    return [resource.kind, { members: new Map([...HEAD, ['spec', spec]]) }];
  }),
);

function convertShape(schema: Structural): Shape {
  const { properties, items } = schema;
  const keys = schema[LIST_MAP_KEYS];
  return {
    ...(properties === undefined
      ? {}
      : { members: new Map(Object.entries(properties).map(([name, member]) => [name, convertShape(member)])) }),
    ...(Array.isArray(keys) ? { keys: keys.map(String) } : {}),
    ...(items === undefined ? {} : { items: convertShape(items) }),
    ...(schema.default === undefined ? {} : { default: schema.default as Json }),
  };
}
