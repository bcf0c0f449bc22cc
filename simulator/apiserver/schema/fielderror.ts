import { renderJson, renderNumber, renderQuoted } from './gotext.ts';

/** `field.ErrorType`, which is the `reason` of a cause in a Status. */
export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTooFew'
  | 'FieldValueTooShort'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

/** `field.Error`. Without `badValue` the value is not shown; a value that is JSON null is `null`. */
export type FieldError = {
  readonly type: FieldErrorType;
  /** Such as `spec.items[0].name`; `<nil>` where the error is about no field. */
  readonly field: string;
  readonly detail: string;
  readonly badValue?: unknown;
  /** The text that shows the value, where it is not that of `badValue`. */
  readonly shown?: string;
};

export type StatusCause = { readonly reason: FieldErrorType; readonly message: string; readonly field: string };

/** A `metav1.Status` as `apierrors.NewInvalid` makes it. */
export type InvalidStatus = {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Failure';
  readonly message: string;
  readonly reason: 'Invalid';
  readonly details: {
    readonly name?: string;
    readonly group?: string;
    readonly kind: string;
    readonly causes: readonly StatusCause[];
  };
  readonly code: 422;
};

/** The answer 422 to an object that breaks rules. `errors` must not be empty. */
export function buildInvalidStatus(
  of: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): InvalidStatus {
  const kind = of.group === '' ? of.kind : `${of.kind}.${of.group}`;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `${kind} ${renderQuoted(name)} is invalid: ${renderFieldErrors(errors)}`,
    reason: 'Invalid',
    details: {
      ...(name === '' ? {} : { name }),
      ...(of.group === '' ? {} : { group: of.group }),
      kind: of.kind,
      causes: errors.map(buildCause),
    },
    code: 422,
  };
}

export function buildCause(error: FieldError): StatusCause {
  return { reason: error.type, message: renderErrorBody(error), field: error.field };
}

/** All errors in one text, each once. */
export function renderFieldErrors(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map(renderFieldError))];
  return texts.length === 1 ? `${texts[0]}` : `[${texts.join(', ')}]`;
}

/** `field: body` */
export function renderFieldError(error: FieldError): string {
  return `${error.field}: ${renderErrorBody(error)}`;
}

/** The text of an error without its field, as causes show it. */
function renderErrorBody(error: FieldError): string {
  const title = TITLES[error.type];
  const isShown = SHOWING.has(error.type) && (error.shown ?? error.badValue) !== undefined;
  const shown = isShown ? `: ${error.shown ?? renderValue(error.badValue)}` : '';
  const detail = error.detail === '' ? '' : `: ${error.detail}`;
  return `${title}${shown}${detail}`;
}

const TITLES = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueTooFew: 'Too few',
  FieldValueTooShort: 'Too short',
  FieldValueTypeInvalid: 'Invalid value',
  InternalError: 'Internal error',
} as const satisfies Record<FieldErrorType, string>;

const SHOWING: ReadonlySet<FieldErrorType> = new Set([
  'FieldValueInvalid',
  'FieldValueTypeInvalid',
  'FieldValueNotSupported',
  'FieldValueNotFound',
  'FieldValueDuplicate',
  'FieldValueTooMany',
  'FieldValueTooFew',
]);

function renderValue(value: unknown): string {
  if (typeof value === 'string') return renderQuoted(value);
  if (typeof value === 'number') return renderNumber(value);
  return renderJson(value);
}

export function invalid(field: string, badValue: unknown, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, badValue, detail };
}

export function typeInvalid(field: string, badValue: unknown, detail: string): FieldError {
  return { type: 'FieldValueTypeInvalid', field, badValue, detail };
}

export function required(field: string, detail: string): FieldError {
  return { type: 'FieldValueRequired', field, detail };
}

export function forbidden(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, detail };
}

export function duplicate(field: string, badValue: unknown): FieldError {
  return { type: 'FieldValueDuplicate', field, badValue, detail: '' };
}

export function notSupported(field: string, badValue: unknown, values: readonly string[]): FieldError {
  const detail = values.length === 0 ? '' : `supported values: ${values.map(renderQuoted).join(', ')}`;
  return { type: 'FieldValueNotSupported', field, badValue, detail };
}

export function tooLong(field: string, maxBytes: number): FieldError {
  const unit = maxBytes === 1 ? 'byte' : 'bytes';
  return { type: 'FieldValueTooLong', field, detail: `may not be more than ${maxBytes} ${unit}` };
}

export function tooMany(field: string, actual: number, max: number): FieldError {
  const unit = max === 1 ? 'item' : 'items';
  return { type: 'FieldValueTooMany', field, badValue: actual, detail: `must have at most ${max} ${unit}` };
}

/** Where an error is about the object and no field of it. */
export const NO_FIELD = '<nil>';

/** `field.Path.Child`: `''` is the root. */
export function childPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** `field.Path.Key`, as paths name members of maps. */
export function keyPath(path: string, key: string): string {
  return `${path}[${key}]`;
}

export function indexPath(path: string, index: number): string {
  return `${path}[${index}]`;
}
