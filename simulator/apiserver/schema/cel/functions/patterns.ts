import { compilePattern, PatternError } from '../../regex.ts';
import { EvaluationError } from '../errors.ts';
import type { Value } from '../values.ts';
import { declare, type Overload } from './overload.ts';

const MAX_KEPT = 1_000;
const compiled = new Map<string, RegExp>();

/** The compiled pattern; those used last are kept, because rules state them again and again. Throws EvaluationError. */
export function patternOf(pattern: string, flags = 'u'): RegExp {
  const key = `${flags}:${pattern}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  try {
    const made = compilePattern(pattern, flags);
    if (compiled.size >= MAX_KEPT) compiled.clear();
    compiled.set(key, made);
    return made;
  } catch (error) {
    if (error instanceof PatternError) throw new EvaluationError(error.message);
    throw error;
  }
}

export function matchesPattern(text: string, pattern: string): boolean {
  return patternOf(pattern).test(text);
}

/** `find` and `findAll`. */
export const PATTERNS: readonly Overload[] = [
  declare('string.find(string): string', (text: string, pattern: string) => patternOf(pattern).exec(text)?.[0] ?? ''),
  declare('string.findAll(string): list(string)', (text: string, pattern: string) => findAll(text, pattern, -1n)),
  declare('string.findAll(string, int): list(string)', findAll),
];

function findAll(text: string, pattern: string, limit: bigint): readonly Value[] {
  const found = [...text.matchAll(patternOf(pattern, 'gu'))].map(([match]) => match);
  return limit < 0n ? found : found.slice(0, Number(limit));
}
