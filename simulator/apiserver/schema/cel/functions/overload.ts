import { type CelType, parseType } from '../types.ts';
import type { Value } from '../values.ts';

/** One form of a function. The receiver of a method is its first parameter. Throws EvaluationError. */
export type Overload = {
  readonly name: string;
  readonly isMethod: boolean;
  readonly params: readonly CelType[];
  readonly result: CelType;
  /** Its result depends on the arguments alone, so that a call with constants is made once. */
  readonly call: (...args: readonly Value[]) => Value;
};

/**
 * Declares a function by its signature: `size(string): int`, `string.matches(string): bool`, `list(A).indexOf(A): int`; `sets::contains(...)` is a
 * function with a dot in its name.
 * `call` is only called with what the signature says; a dynamic argument was checked before.
 */
export function declare<const A extends readonly unknown[]>(signature: string, call: (...args: A) => Value): Overload {
  const match = /^(?:([^:]+)\.)?([\w:]+)\((.*)\): (.+)$/.exec(signature);
  if (match === null) throw new Error(`no signature: ${signature}`);
  const [, receiver, name = '', params = '', result = ''] = match;
  const texts = [...(receiver === undefined ? [] : [receiver]), ...splitParams(params)];
  return {
    name: name.replace('::', '.'),
    isMethod: receiver !== undefined,
    params: texts.map(parseType),
    result: parseType(result),
    call: call as (...args: readonly unknown[]) => Value,
  };
}

function splitParams(text: string): readonly string[] {
  return text === '' ? [] : text.split(/,\s*(?![^(]*\))/);
}
