import { type FieldTerm, parseFieldSelector } from './fieldselector.ts';
import type { ServedKind } from './kinds.ts';
import { type LabelMatcher, parseLabelSelector } from './labelselector.ts';
import { type ApiObject, objectAt } from './object.ts';
import type { Query } from './request.ts';
import { badRequest } from './status.ts';

/** Which objects of a resource a list or watch is about. Objects are judged in the served version. */
export type Selection = {
  readonly namespace: string;
  /** Undefined where everything in the namespace is selected. */
  readonly matches: ((object: ApiObject) => boolean) | undefined;
  /** The one name that can match, where the selection says one. */
  readonly name: string | undefined;
};

/** `name` is the one in the path, if it names one object. Throws `ApiError`. */
export function parseSelection(kind: ServedKind, query: Query, namespace: string, name = ''): Selection {
  const labels = attempt(() => parseLabelSelector(query.labelSelector ?? ''));
  const stated = attempt(() => parseFieldSelector(query.fieldSelector ?? ''));
  for (const { field } of stated) checkField(kind, field);
  const named = stated.find(({ field, negated }) => field === 'metadata.name' && !negated)?.value;
  if (name !== '' && stated.length > 0 && named !== name) {
    throw badRequest("fieldSelector metadata.name doesn't match requested name");
  }
  const terms = name === '' || stated.length > 0 ? stated : [{ field: 'metadata.name', value: name, negated: false }];
  return { namespace, matches: buildMatcher(labels, terms), name: name === '' ? named : name };
}

/** A value from what the client wrote: an Error is its mistake. */
function attempt<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}

function checkField(kind: ServedKind, field: string): void {
  if (field === 'metadata.name' || kind.selectableFields.includes(field)) return;
  if (field === 'metadata.namespace' && (kind.namespaced || !kind.custom)) return;
  if (!kind.custom && kind.selectableFields.length === 0) {
    throw badRequest(`"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`);
  }
  throw badRequest(`field label not supported: ${field}`);
}

function buildMatcher(labels: LabelMatcher | undefined, terms: readonly FieldTerm[]): Selection['matches'] {
  if (labels === undefined && terms.length === 0) return undefined;
  return (object) => {
    if (labels?.(object.metadata.labels) === false) return false;
    return terms.every(({ field, value, negated }) => (fieldValue(object, field) === value) !== negated);
  };
}

function fieldValue(object: ApiObject, field: string): string {
  const path = field.split('.');
  const last = path.pop() ?? '';
  let at: Record<string, unknown> = object;
  for (const member of path) at = objectAt(at, member);
  const value = at[last];
  return value === undefined || value === null ? '' : String(value);
}
