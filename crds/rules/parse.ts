import type { z } from 'zod';
import { API_VERSION } from '../../model/group.ts';
import { KINDS, type SubletResource } from '../v1alpha1/resources.ts';
import { explainIssue } from './explain.ts';
import { normalize } from './normalize.ts';
import { isRecord, type PathSegment, renderPath } from './walk.ts';

/** A refusal: where, as the API server spells it (`spec.access.allow[0]`), and what has to be true there. */
export type ParseError = {
  readonly path: string;
  readonly segments: readonly PathSegment[];
  readonly message: string;
};

export type ParseResult =
  | { readonly ok: true; readonly value: SubletResource }
  | { readonly ok: false; readonly errors: readonly ParseError[] };

/** Nobody reads more of them at once, and a hostile resource should not cost more than it must. */
const MAX_ERRORS = 50;

/**
 * A resource of one of our kinds from anything at all, with defaults applied; or why not, at most 50 errors. Judges as the API server does
 * under strict validation: same verdict, same places, and for rules in CEL the same words. Takes what JSON can hold; never throws, and keeps
 * nothing of what it was given that the schema does not know.
 */
export function parseResource(input: unknown): ParseResult {
  if (!isRecord(input)) return fail([{ path: [], message: 'must be a map with apiVersion, kind, metadata and spec' }]);
  const { apiVersion, kind } = input;
  if (apiVersion !== API_VERSION) {
    return fail([{ path: ['apiVersion'], message: `must be ${API_VERSION}${describe(apiVersion)}` }]);
  }
  const definition = KINDS.find(({ resource }) => resource.kind === kind);
  if (definition === undefined) {
    const known = KINDS.map(({ resource }) => resource.kind).join(', ');
    return fail([{ path: ['kind'], message: `must be one of ${known}${describe(kind)}` }]);
  }
  const schema: z.ZodType<SubletResource> = definition.schema;
  const { value, findings } = normalize(schema, input);
  const parsed = schema.safeParse(value);
  if (parsed.success && findings.length === 0) return { ok: true, value: parsed.data };
  const issues = parsed.success ? [] : parsed.error.issues.slice(0, MAX_ERRORS);
  return fail([...findings, ...issues.flatMap((issue) => explainIssue(issue, value, schema))]);
}

function fail(findings: readonly { readonly path: readonly PathSegment[]; readonly message: string }[]): ParseResult {
  const errors = findings
    .slice(0, MAX_ERRORS)
    .map(({ path, message }) => ({ path: renderPath(path), segments: path, message }));
  return { ok: false, errors };
}

function describe(value: unknown): string {
  return typeof value === 'string' ? `, is ${JSON.stringify(value.slice(0, 64))}` : '';
}
