import type { Query } from './request.ts';
import {
  type FieldError,
  forbidden,
  invalid as invalidField,
  notSupported,
  required,
  tooLong,
} from './schema/fielderror.ts';
import { isObject, type JsonObject } from './schema/json.ts';
import { badRequest, invalid } from './status.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export type WriteKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions';

export type WriteOptions = {
  readonly dryRun: boolean;
  /** Empty when the call names none. */
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  readonly force: boolean | undefined;
};

const META = { group: 'meta.k8s.io' };

/** The options of a create, update or patch, from its query. Throws `ApiError`. */
export function parseWriteOptions(query: Query, kind: WriteKind, isApply = false): WriteOptions {
  const { fieldManager = '', fieldValidation = '', dryRun } = query;
  const force = kind === 'PatchOptions' ? parseBoolean(query.force) : undefined;
  const errors: FieldError[] = [];
  if (kind === 'PatchOptions') {
    if (isApply && fieldManager === '') errors.push(required('fieldManager', 'is required for apply patch'));
    if (!isApply && force !== undefined) errors.push(forbidden('force', 'may not be specified for non-apply patch'));
  }
  errors.push(...checkFieldManager(fieldManager), ...checkDryRun(dryRun === undefined ? [] : [dryRun]));
  if (!FIELD_VALIDATIONS.includes(fieldValidation)) {
    errors.push(notSupported('fieldValidation', fieldValidation, FIELD_VALIDATIONS));
  }
  if (errors.length > 0) throw invalid({ ...META, kind }, '', errors);
  return {
    dryRun: dryRun !== undefined,
    fieldManager,
    fieldValidation: fieldValidation === '' ? 'Warn' : (fieldValidation as FieldValidation),
    force,
  };
}

const FIELD_VALIDATIONS: readonly string[] = ['', 'Ignore', 'Strict', 'Warn'];
const MAX_MANAGER_BYTES = 128;

function checkFieldManager(manager: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (Buffer.byteLength(manager) > MAX_MANAGER_BYTES) errors.push(tooLong('fieldManager', MAX_MANAGER_BYTES));
  let position = 0;
  for (const rune of manager) {
    if (!PRINTABLE.test(rune)) {
      const code = (rune.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      errors.push(invalidField('fieldManager', manager, `invalid character U+${code} (at position ${position})`));
    }
    position += Buffer.byteLength(rune);
  }
  return errors;
}

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

function checkDryRun(values: readonly string[]): readonly FieldError[] {
  return values.every((value) => value === 'All') ? [] : [notSupported('dryRun', values, ['All'])];
}

export type DeleteOptions = {
  readonly dryRun: boolean;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly propagationPolicy: 'Foreground' | 'Background' | 'Orphan' | undefined;
  readonly orphanDependents: boolean | undefined;
  readonly gracePeriodSeconds: number | undefined;
};

/** The options of a deletion: its body, or its query when it has none. Throws `ApiError`. */
export function parseDeleteOptions(body: JsonObject | undefined, query: Query): DeleteOptions {
  const from = body ?? fromQuery(query);
  checkTypes(from);
  const preconditions = isObject(from.preconditions) ? from.preconditions : {};
  const { propagationPolicy, orphanDependents, gracePeriodSeconds, dryRun } = from;
  const errors: FieldError[] = [];
  if (typeof orphanDependents === 'boolean' && propagationPolicy !== undefined && propagationPolicy !== null) {
    const detail = 'orphanDependents and deletionPropagation cannot be both set';
    errors.push(invalidField('propagationPolicy', propagationPolicy, detail));
  }
  if (typeof propagationPolicy === 'string' && !POLICIES.includes(propagationPolicy)) {
    errors.push(notSupported('propagationPolicy', propagationPolicy, [...POLICIES, 'nil']));
  }
  const dryRuns = Array.isArray(dryRun) ? dryRun.map(String) : [];
  errors.push(...checkDryRun(dryRuns));
  if (errors.length > 0) throw invalid({ ...META, kind: 'DeleteOptions' }, '', errors);
  return {
    dryRun: dryRuns.length > 0,
    uid: textOf(preconditions.uid),
    resourceVersion: textOf(preconditions.resourceVersion),
    propagationPolicy: textOf(propagationPolicy) as DeleteOptions['propagationPolicy'],
    orphanDependents: typeof orphanDependents === 'boolean' ? orphanDependents : undefined,
    gracePeriodSeconds: typeof gracePeriodSeconds === 'number' ? gracePeriodSeconds : undefined,
  };
}

const TYPES: readonly (readonly [path: string, is: string, struct: string, type: string])[] = [
  ['gracePeriodSeconds', 'number', 'DeleteOptions', 'int64'],
  ['orphanDependents', 'boolean', 'DeleteOptions', 'bool'],
  ['propagationPolicy', 'string', 'DeleteOptions', 'v1.DeletionPropagation'],
  ['preconditions.uid', 'string', 'Preconditions', 'types.UID'],
  ['preconditions.resourceVersion', 'string', 'Preconditions', 'string'],
];

/** Throws `ApiError` in the words of Go's decoder. */
function checkTypes(options: JsonObject): void {
  for (const [path, is, struct, type] of TYPES) {
    const [first = '', second] = path.split('.');
    const outer = options[first];
    const value = second === undefined ? outer : isObject(outer) ? outer[second] : undefined;
    if (value === undefined || value === null || typeof value === is) continue;
    const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    throw badRequest(`json: cannot unmarshal ${found} into Go struct field ${struct}.${path} of type ${type}`);
  }
}

const POLICIES: readonly string[] = ['Foreground', 'Background', 'Orphan'];

function fromQuery(query: Query): JsonObject {
  const { propagationPolicy, orphanDependents, gracePeriodSeconds, dryRun } = query;
  return {
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(orphanDependents === undefined ? {} : { orphanDependents: parseBoolean(orphanDependents) }),
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: parseInteger(gracePeriodSeconds) }),
    ...(dryRun === undefined ? {} : { dryRun: [dryRun] }),
  };
}

/** As the API server reads booleans of queries: an empty one is true, and so is whatever is no form of false. */
export function parseBoolean(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  return !['false', '0'].includes(text.toLowerCase());
}

/** Throws `ApiError`. */
export function parseInteger(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (BigInt(text) > MAX_INT64) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
  }
  return Number(text);
}

const MAX_INT64 = 2n ** 63n - 1n;

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
