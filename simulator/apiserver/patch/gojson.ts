import { compareText, renderNumber, renderQuoted } from '../schema/gotext.ts';

/** The `fieldValidation` of a request: what is done about unknown and doubled fields. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** The JSON type of a value as Go's decoder names it in errors. */
export function renderJsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return value === null ? 'null' : typeof value;
}

/** The type that a value has in the API server's untyped objects. */
export function renderGoType(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'int64' : 'float64';
  return typeof value === 'boolean' ? 'bool' : 'string';
}

/** A value in its wrapper, as the API server prints it where one does not fit its type. */
export function renderGo(value: unknown, verb: '%v' | '%#v'): string {
  return verb === '%v' ? `&{${renderPlain(value)}}` : `&value.valueUnstructured{Value:${renderSyntax(value)}}`;
}

/** `%v` of a value. */
export function renderPlain(value: unknown): string {
  if (value === null) return '<nil>';
  if (typeof value === 'number') return renderNumber(value);
  if (Array.isArray(value)) return `[${value.map(renderPlain).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  return `map[${sortedEntries(value as object)
    .map(([key, member]) => `${key}:${renderPlain(member)}`)
    .join(' ')}]`;
}

function renderSyntax(value: unknown): string {
  if (value === null) return 'interface {}(nil)';
  if (typeof value === 'number') return renderNumber(value);
  if (typeof value === 'string') return renderQuoted(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(renderSyntax).join(', ')}}`;
  if (typeof value !== 'object') return String(value);
  return `map[string]interface {}{${sortedEntries(value as object)
    .map(([key, member]) => `${renderQuoted(key)}:${renderSyntax(member)}`)
    .join(', ')}}`;
}

function sortedEntries(value: object): readonly (readonly [string, unknown])[] {
  return Object.entries(value).sort(([a], [b]) => compareText(a, b));
}
