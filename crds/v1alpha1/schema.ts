import { z } from 'zod';
import { isIpPrefix } from '../../model/cidr.ts';

/** Keys of a schema's metadata that the converter copies into the CRD as they are. */
export const VALIDATIONS = 'x-kubernetes-validations';
export const LIST_TYPE = 'x-kubernetes-list-type';
export const LIST_MAP_KEYS = 'x-kubernetes-list-map-keys';
/** The expression of a text, for editors; the CRD says it in CEL. */
export const EDITOR_PATTERN = 'x-editor-pattern';

/**
 * A rule that the API server evaluates in CEL and zod by `check`: one declaration, so that both refuse the same and in the same words.
 * `self` and `value` are the value of the schema that the rule is attached to, after defaults.
 */
export type CelRule<T> = {
  readonly rule: string;
  readonly message: string;
  /** The member that the message is about, when it is not the value itself. Must be declared in the schema. */
  readonly path?: readonly string[] | undefined;
  readonly check: (value: T) => boolean;
};

/** The CEL of a field that never changes. The converter refuses it on a field that can be removed or that sits in a list. */
export const IMMUTABLE_RULE = 'self == oldSelf';

export type CrdValidation = { readonly rule: string; readonly message: string; readonly fieldPath?: string };

/** The schema with the rules; zod evaluates them once the value has its shape, as the API server does. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly CelRule<z.output<S>>[]): S {
  const checked = schema.superRefine((value, context) => {
    for (const { check, message, path = [] } of rules) {
      if (!check(value)) context.addIssue({ code: 'custom', message, path: [...path] });
    }
  });
  return addValidations(checked, rules.map(renderValidation));
}

/** The schema of a required field that keeps its first value; `checkUpdate` and the API server hold it. */
export function immutable<S extends z.ZodType>(schema: S, message: string): S {
  return addValidations(schema, [{ rule: IMMUTABLE_RULE, message }]);
}

/** The CEL rules of a schema, as they go into the CRD. */
export function listValidations(schema: z.ZodType): readonly CrdValidation[] {
  const found = schema.meta()?.[VALIDATIONS];
  return Array.isArray(found) ? found : [];
}

/** A list that is a map by `keys`: server-side apply merges by them, and no two items share them. At most `max` items. */
export function keyedList<S extends z.ZodObject>(
  item: S,
  keys: readonly (string & keyof z.output<S>)[],
  max: number,
): z.ZodArray<S> {
  const keyOf = (value: z.output<S>) => JSON.stringify(keys.map((key) => value[key]));
  const list = z.array(item).max(max, { abort: true });
  return refuseDuplicates(list, (value) => value.map(keyOf), `share ${keys.join(' and ')}`).meta({
    [LIST_TYPE]: 'map',
    [LIST_MAP_KEYS]: [...keys],
  });
}

/** A list without order in which nothing occurs twice. At most `max` items. */
export function setOf<S extends z.ZodType<string>>(item: S, max: number): z.ZodArray<S> {
  const list = z.array(item).max(max, { abort: true });
  return refuseDuplicates(list, (value) => value.map(String), 'are equal').meta({ [LIST_TYPE]: 'set' });
}

/** Text for people: at most `max` characters, counted as the API server does (code points); no control characters. */
export function text(max: number) {
  const bounded = z
    .string()
    .min(1)
    .refine((value) => value.length <= max || [...value].length <= max, {
      message: `must have at most ${max} characters`,
      abort: true,
    })
    .meta({ maxLength: max });
  return withRules(bounded, [buildPatternRule(/^\P{Cc}*$/u, 'must not hold line breaks or other control characters')]);
}

/** Text of at most `max` characters in the form of `expression`, which Go's RE2 must read alike. `form` says it in words. */
export function pattern(expression: RegExp, max: number, form: string) {
  const bounded = z.string().max(max, { abort: true });
  return withRules(bounded, [buildPatternRule(expression, `must be ${form}`)]).meta({
    [EDITOR_PATTERN]: expression.source,
  });
}

/** A rule in CEL and not the keyword `pattern`, whose refusals in the API server would show the expression and no words. */
function buildPatternRule(expression: RegExp, message: string): CelRule<string> {
  return { rule: `self.matches(r'${expression.source}')`, message, check: (value) => expression.test(value) };
}

/** A network in CIDR form with no bits set after the prefix. */
export function network() {
  return withRules(z.string().max(43, { abort: true }), [
    {
      rule: 'isCIDR(self) && cidr(self) == cidr(self).masked()',
      message: 'must be a network such as 203.0.113.0/24 or 2001:db8::/32, with no bits set after the prefix',
      check: isIpPrefix,
    },
  ]);
}

function addValidations<S extends z.ZodType>(schema: S, added: readonly CrdValidation[]): S {
  return schema.meta({ [VALIDATIONS]: [...listValidations(schema), ...added] });
}

function renderValidation({ rule, message, path }: CelRule<never>): CrdValidation {
  return path === undefined ? { rule, message } : { rule, message, fieldPath: path.map((name) => `.${name}`).join('') };
}

function refuseDuplicates<S extends z.ZodArray>(
  list: S,
  keysOf: (value: z.output<S>) => readonly string[],
  what: string,
): S {
  return list.superRefine((value, context) => {
    const firstAt = new Map<string, number>();
    for (const [index, key] of keysOf(value).entries()) {
      const first = firstAt.get(key);
      if (first === undefined) firstAt.set(key, index);
      else
        context.addIssue({
          code: 'custom',
          path: [index],
          message: `must not occur twice; items ${first} and ${index} ${what}`,
        });
    }
  });
}
