import { compilePattern, PatternError } from '../../regex.ts';
import { EvaluationError } from '../errors.ts';
import type { Value } from '../values.ts';
import { memoize } from './memo.ts';
import { declare, type Overload } from './overload.ts';

/** The compiled pattern. Throws EvaluationError. */
const patternOf = memoize((pattern) => compile(pattern, 'u'));
const searchOf = memoize((pattern) => compile(pattern, 'gu'));

function compile(pattern: string, flags: string): RegExp {
  try {
    return compilePattern(pattern, flags);
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
  const found = [...text.matchAll(searchOf(pattern))].map(([match]) => match);
  return limit < 0n ? found : found.slice(0, Number(limit));
}
