import { renderDuration, renderInstant } from '../../time.ts';
import { elementsOf, numberOf } from '../compare.ts';
import { EvaluationError } from '../errors.ts';
import { findJson } from '../json.ts';
import { isBoxed, isListValue, isMapValue, renderDouble, typeNameOf, type Value } from '../values.ts';

const CLAUSE = /%(?:\.(\d+))?([\s\S]?)/g;

/** `format()`: `%s`, `%d`, `%f`, `%e`, `%b`, `%o`, `%x`, `%X` and `%%`. */
export function formatText(text: string, args: readonly Value[]): string {
  const problem = findFormatProblem(text, args.length);
  if (problem !== undefined) throw new EvaluationError(problem);
  let next = 0;
  return text.replace(CLAUSE, (_, precision: string | undefined, verb: string) => {
    if (verb === '%') return '%';
    const arg = args[next] ?? null;
    next += 1;
    return VERBS[verb]?.(arg, precision === undefined ? 6 : Number(precision)) ?? '';
  });
}

/** What is wrong with a format for so many arguments. */
export function findFormatProblem(text: string, size: number): string | undefined {
  let next = 0;
  for (const [clause, , verb = ''] of text.matchAll(CLAUSE)) {
    if (verb === '%') continue;
    if (!Object.hasOwn(VERBS, verb)) {
      return `could not parse formatting clause: unrecognized formatting clause "${verb === '' ? clause : verb}"`;
    }
    if (next >= size) return `index ${next} out of range`;
    next += 1;
  }
  return undefined;
}

const VERBS: Readonly<Record<string, (value: Value, precision: number) => string>> = {
  s: renderText,
  d: (value) => (typeof value === 'number' ? renderDouble(value) : String(integerOf(value, 'd'))),
  f: (value, precision) => doubleOf(value, 'f').toFixed(precision),
  e: (value, precision) =>
    doubleOf(value, 'e')
      .toExponential(precision)
      .replace(/e([+-])(\d)$/, 'e$10$2'),
  b: (value) => (typeof value === 'boolean' ? String(Number(value)) : integerOf(value, 'b').toString(2)),
  o: (value) => integerOf(value, 'o').toString(8),
  x: renderHex,
  X: (value) => renderHex(value).toUpperCase(),
};

function renderHex(value: Value): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : integerOf(value, 'x').toString(16);
}

function integerOf(value: Value, verb: string): bigint {
  const number = numberOf(value);
  if (typeof number === 'bigint') return number;
  throw new EvaluationError(`error during formatting: unsupported type ${typeNameOf(value)} for %${verb}`);
}

function doubleOf(value: Value, verb: string): number {
  const number = numberOf(value);
  if (number !== undefined) return Number(number);
  throw new EvaluationError(`error during formatting: unsupported type ${typeNameOf(value)} for %${verb}`);
}

/** Any value as `%s` shows it. */
function renderText(value: Value): string {
  if (typeof value === 'string') return value;
  if (value === null) return 'null';
  if (typeof value === 'number') return renderDouble(value);
  if (typeof value !== 'object') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (isBoxed(value)) {
    if (value.type === 'uint') return String(value.value);
    if (value.type === 'duration') return renderDuration(value.nanos);
    if (value.type === 'timestamp') return renderInstant(value.nanos);
    return value.type === 'type' ? value.name : typeNameOf(value);
  }
  if (isListValue(value)) return `[${elementsOf(value).map(renderText).join(', ')}]`;
  return isMapValue(value) ? `{${renderEntries(value).sort().join(', ')}}` : '';
}

function renderEntries(map: Extract<Value, ReadonlyMap<Value, Value> | { readonly object: unknown }>): string[] {
  if (!('object' in map)) return [...map].map(([key, value]) => `${renderText(key)}: ${renderText(value)}`);
  return Object.keys(map.object).flatMap((key) => {
    const value = findJson(map, key);
    return value === undefined ? [] : [`${key}: ${renderText(value)}`];
  });
}
