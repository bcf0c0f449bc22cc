import { typeInvalid } from '../fielderror.ts';
import { isKnownFormat } from '../formats.ts';
import { isInt64, renderQuoted } from '../gotext.ts';
import type { SchemaNode } from '../node.ts';
import { type Report, reportAt } from './report.ts';

/** The types that a node allows; none where it does not say. */
export function typesOf(node: SchemaNode): readonly string[] {
  if (node.isIntOrString) return ['integer', 'string'];
  return node.type === undefined ? [] : [node.type];
}

/** The format, where the API server knows it for the type. */
export function formatOf(node: SchemaNode): string | undefined {
  const types = typesOf(node);
  const { format } = node;
  const type = types.length === 1 ? types[0] : 'string';
  if (format === undefined) return undefined;
  if (type === 'string') return isKnownFormat(format) ? format : undefined;
  if (type === 'integer') return format === 'int32' || format === 'int64' ? format : undefined;
  return type === 'number' && (format === 'float' || format === 'double') ? format : undefined;
}

export type Check = (value: unknown, path: string, report: Report) => void;

/** Undefined where a node allows every type. */
export function buildTypeCheck(node: SchemaNode): Check | undefined {
  const types = typesOf(node);
  const format = formatOf(node);
  if (types.length === 0 && format === undefined) return undefined;
  const isNumeric = types.includes('integer') || types.includes('number');
  const typeName = types.join(',');
  return (value, path, report) => {
    if (value === null) {
      if (types.length > 0 && !node.isNullable) reportType(report, path, typeName, 'null');
      else report.matches += 1;
      return;
    }
    const actual = typeNameOf(value);
    const isAllowed = types.includes(actual) || isAllowedNumber(value, actual, types);
    const isText = typeof value === 'string' || Array.isArray(value);
    report.matches += 1;
    if (isAllowed || (!isNumeric && format !== undefined && isText)) {
      report.matches += 1;
    } else if (!isText && format !== undefined && formatNameOf(value) !== format) {
      reportType(report, path, format, formatNameOf(value));
    } else {
      reportType(report, path, typeName, actual);
    }
  };
}

/** Reports a wrong type: the value shown is the name of the type that was found, as the API server has it. */
function reportType(report: Report, path: string, expected: string, actual: string): void {
  const text = `${path} in body must be of type ${expected}: ${renderQuoted(actual)}`;
  reportAt(report, path, text, (field) => typeInvalid(field, actual, text));
}

function typeNameOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return isInt64(value) ? 'integer' : 'number';
  return typeof value;
}

function formatNameOf(value: unknown): string {
  if (typeof value !== 'number') return '';
  return isInt64(value) ? 'int64' : 'float64';
}

function isAllowedNumber(value: unknown, actual: string, types: readonly string[]): boolean {
  if (actual === 'integer') return types.includes('number');
  return typeof value === 'number' && types.includes('integer') && isNearlyInteger(value);
}

/** As go-openapi's `IsFloat64AJSONInteger`: within 2^53, and closer than 1e-9 in relation to an integer. */
export function isNearlyInteger(value: number): boolean {
  if (!Number.isFinite(value) || Math.abs(value) > 2 ** 53 - 1) return false;
  if (Number.isInteger(value)) return true;
  const whole = Math.trunc(value);
  return whole !== 0 && Math.abs(value - whole) / (Math.abs(value) + Math.abs(whole)) < 1e-9;
}
