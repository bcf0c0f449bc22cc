import fc from 'fast-check';
import { z } from 'zod';
import { isRecord, unwrap } from '../rules/walk.ts';
import { EDITOR_PATTERN, LIST_MAP_KEYS } from '../v1alpha1/schema.ts';

/** Values that a schema accepts by shape; rules between members are the caller's to satisfy. Lists are short. */
export function arbitraryOf(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) return arbitraryObject(inner);
  if (inner instanceof z.ZodArray) return arbitraryList(inner);
  if (inner instanceof z.ZodEnum) return fc.constantFrom(...inner.options);
  const leaf = arbitraryLeaf(inner);
  return leaf.filter((value) => z.safeParse(inner, value).success);
}

function arbitraryObject(schema: z.ZodObject): fc.Arbitrary<unknown> {
  const shape = Object.entries<z.core.$ZodType>(schema.shape);
  const members = Object.fromEntries(shape.map(([name, member]) => [name, arbitraryOf(member)]));
  const requiredKeys = shape.filter(([, member]) => member._zod.optin === undefined).map(([name]) => name);
  return fc.record(members, { requiredKeys });
}

function arbitraryList(schema: z.ZodArray): fc.Arbitrary<unknown> {
  const keys = schema.meta()?.[LIST_MAP_KEYS];
  const selector = (item: unknown) =>
    JSON.stringify(Array.isArray(keys) && isRecord(item) ? keys.map((key: string) => item[key]) : item);
  return fc.uniqueArray(arbitraryOf(schema.element), { minLength: 1, maxLength: 3, selector });
}

function arbitraryLeaf(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  if (schema instanceof z.ZodNumber) {
    return fc.integer({ min: schema.minValue ?? 0, max: Math.min(schema.maxValue ?? 0, 2 ** 31 - 1) });
  }
  if (schema instanceof z.ZodUnion) return arbitraryBytes;
  const expression = schema instanceof z.ZodType ? schema.meta()?.[EDITOR_PATTERN] : undefined;
  if (typeof expression === 'string') return fc.stringMatching(new RegExp(expression), { size: 'xsmall' });
  const isNetwork = schema instanceof z.ZodString && schema.maxLength !== null;
  return isNetwork ? arbitraryNetwork : fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
}

const arbitraryBytes = fc
  .tuple(fc.integer({ min: 512, max: 2 ** 20 }), fc.constantFrom('Mi', 'Gi', 'number'))
  .map(([amount, unit]) => (unit === 'number' ? amount * 2 ** 20 : `${amount}${unit}`));

const arbitraryNetwork = fc.oneof(
  fc.ipV4().map((address) => `${address}/32`),
  fc.ipV6().map((address) => `${address}/128`),
  fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `${a}.${b}.0.0/16`),
  fc.constantFrom('0.0.0.0/0', '::/0', '2001:db8::/32'),
);
