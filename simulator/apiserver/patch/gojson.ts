/** The `fieldValidation` of a request: what is done about unknown and doubled fields. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** The JSON type of a value as Go's decoder names it in errors. */
export function renderJsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return value === null ? 'null' : typeof value;
}
