import { z } from 'zod';
import type { Finding } from './normalize.ts';
import { type PathSegment, unwrap, valueAt } from './walk.ts';

/** A schema's issue in words that say the number and what would do; one finding an unknown member. */
export function explainIssue(issue: z.core.$ZodIssue, input: unknown, schema: z.core.$ZodType): readonly Finding[] {
  const path = issue.path.filter((segment): segment is PathSegment => typeof segment !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    const known = listMembers(schema, path);
    return issue.keys.map((key) => ({ path: [...path, key], message: `is not known; the members here are ${known}` }));
  }
  return [{ path, message: explain(issue, valueAt(input, issue.path)) }];
}

function explain(issue: z.core.$ZodIssue, value: unknown): string {
  if (value === undefined && issue.code !== 'custom') return `is required${explainMissing(issue)}`;
  switch (issue.code) {
    case 'custom':
      return issue.message;
    case 'invalid_type':
      return `must be ${TYPES[issue.expected] ?? issue.expected}, is ${renderValue(value)}`;
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.join(', ')}, is ${renderValue(value)}`;
    case 'invalid_format':
      return issue.message.startsWith('must ')
        ? `${issue.message}, is ${renderValue(value)}`
        : `must match ${issue.pattern}, is ${renderValue(value)}`;
    case 'invalid_union':
      return `must be a whole number or a text, is ${renderValue(value)}`;
    case 'too_big':
      return `must ${renderBound(issue.origin, 'at most', issue.maximum)}, ${renderSize(issue.origin, value)}`;
    case 'too_small':
      return `must ${renderBound(issue.origin, 'at least', issue.minimum)}, ${renderSize(issue.origin, value)}`;
    default:
      return issue.message;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  int: 'a whole number',
  number: 'a whole number',
  object: 'a map',
  record: 'a map',
  array: 'a list',
  boolean: 'true or false',
};

function explainMissing(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value')
    return `: ${issue.values.length === 1 ? '' : 'one of '}${issue.values.join(', ')}`;
  return issue.code === 'invalid_type' ? `: ${TYPES[issue.expected] ?? issue.expected}` : '';
}

function renderBound(origin: string, limit: string, bound: number | bigint): string {
  if (origin === 'string') return `have ${limit} ${bound} ${plural('character', bound)}`;
  if (origin === 'array') return `have ${limit} ${bound} ${plural('item', bound)}`;
  return `be ${limit} ${bound}`;
}

function renderSize(origin: string, value: unknown): string {
  const isSized = typeof value === 'string' || Array.isArray(value);
  return (origin === 'string' || origin === 'array') && isSized ? `has ${value.length}` : `is ${renderValue(value)}`;
}

function plural(noun: string, count: number | bigint): string {
  return Number(count) === 1 ? noun : `${noun}s`;
}

/** Short enough for a status; what is longer is cut. */
function renderValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a map';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value);
}

function listMembers(schema: z.core.$ZodType, path: readonly PathSegment[]): string {
  let at = unwrap(schema);
  for (const segment of path) {
    if (at instanceof z.ZodObject && typeof segment === 'string') at = unwrap(at.shape[segment]);
    else if (at instanceof z.ZodArray) at = unwrap(at.element);
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape).join(', ') : 'none';
}
