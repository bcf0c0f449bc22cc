import { parseFieldPath } from '../cel/fieldpath.ts';
import {
  childPath,
  duplicate,
  type FieldError,
  forbidden,
  indexPath,
  invalid,
  notSupported,
  required,
  tooMany,
} from '../fielderror.ts';
import { isObject, type JsonObject, textOf } from '../json.ts';
import { parseNode, type SchemaNode } from '../node.ts';

const TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

/** The columns of `kubectl get`. */
export function checkColumns(errors: FieldError[], columns: unknown, path: string): void {
  if (!Array.isArray(columns)) return;
  for (const [index, column] of columns.entries()) {
    if (!isObject(column)) continue;
    const at = (key: string) => childPath(indexPath(path, index), key);
    const { name, type, format, jsonPath } = column;
    if (isEmpty(name)) errors.push(required(at('name'), ''));
    if (isEmpty(type)) errors.push(required(at('type'), `must be one of ${TYPES.join(',')}`));
    else if (!TYPES.includes(textOf(type))) errors.push(invalid(at('type'), type, `must be one of ${TYPES.join(',')}`));
    if (!isEmpty(format) && !FORMATS.includes(textOf(format))) {
      errors.push(invalid(at('format'), format, `must be one of ${FORMATS.join(',')}`));
    }
    if (isEmpty(jsonPath)) errors.push(required(at('JSONPath'), ''));
    else if (!textOf(jsonPath).startsWith('.')) {
      errors.push(invalid(at('JSONPath'), jsonPath, 'must be a simple json path starting with .'));
    }
  }
}

const MAX_SELECTABLE = 8;

/** Fields that field selectors may name. */
export function checkSelectableFields(errors: FieldError[], fields: unknown, schema: JsonObject, path: string): void {
  if (!Array.isArray(fields)) return;
  const node = parseNode(schema);
  const seen = new Set<string>();
  for (const [index, field] of fields.entries()) {
    const at = childPath(indexPath(path, index), 'jsonPath');
    const jsonPath = isObject(field) && typeof field.jsonPath === 'string' ? field.jsonPath : '';
    if (jsonPath === '') {
      errors.push(required(at, ''));
      continue;
    }
    const parsed = jsonPath.includes('[')
      ? { problem: 'array notation is not allowed' }
      : parseFieldPath(jsonPath, node);
    if ('problem' in parsed) {
      errors.push(invalid(at, jsonPath, `is an invalid path: ${parsed.problem}`));
      continue;
    }
    const segments = parsed.path.split('.');
    if (segments[0] === 'metadata') errors.push(invalid(at, jsonPath, 'must not point to fields in metadata'));
    if (!SELECTABLE.has(typeAt(node, segments))) {
      const detail = 'must point to a field of type string, boolean or integer.';
      errors.push(invalid(at, jsonPath, `${detail} Enum string fields and strings with formats are allowed.`));
    }
    if (seen.has(parsed.path)) errors.push(duplicate(at, jsonPath));
    seen.add(parsed.path);
  }
  if (seen.size > MAX_SELECTABLE) errors.push(tooMany(path, seen.size, MAX_SELECTABLE));
}

const SELECTABLE: ReadonlySet<string | undefined> = new Set(['string', 'boolean', 'integer']);

function typeAt(node: SchemaNode, segments: readonly string[]): string | undefined {
  return segments.reduce<SchemaNode | undefined>((found, segment) => found?.properties?.get(segment), node)?.type;
}

/** Conversion between versions. Webhooks for it are accepted as in the API server, but not called by the embedded one. */
export function checkConversion(errors: FieldError[], conversion: JsonObject, path: string): void {
  const { strategy, webhook } = conversion;
  const webhookPath = childPath(path, 'webhookClientConfig');
  if (isEmpty(strategy)) errors.push(required(childPath(path, 'strategy'), ''));
  else if (strategy !== 'None' && strategy !== 'Webhook') {
    errors.push(notSupported(childPath(path, 'strategy'), strategy, ['None', 'Webhook']));
  }
  if (strategy === 'Webhook' && (!isObject(webhook) || !Array.isArray(webhook.conversionReviewVersions))) {
    errors.push(required(childPath(path, 'conversionReviewVersions'), ''));
  }
  const config = isObject(webhook) && isObject(webhook.clientConfig) ? webhook.clientConfig : undefined;
  if (strategy === 'Webhook' && config === undefined) {
    errors.push(required(webhookPath, 'required when strategy is set to Webhook'));
  } else if (strategy === 'Webhook' && (config?.url === undefined) === (config?.service === undefined)) {
    errors.push(required(webhookPath, 'exactly one of url or service is required'));
  } else if (strategy !== 'Webhook' && config !== undefined) {
    errors.push(forbidden(webhookPath, 'should not be set when strategy is not set to Webhook'));
  }
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}
