import { fromStorage } from './convert.ts';
import { renderAge } from './duration.ts';
import { compileJsonPath, type JsonPath } from './jsonpath.ts';
import type { Column, ServedKind } from './kinds.ts';
import type { ApiObject } from './object.ts';
import { partialOf } from './render.ts';
import type { Query } from './request.ts';
import { renderNumber, renderQuoted } from './schema/gotext.ts';
import type { JsonObject } from './schema/json.ts';
import { badRequest } from './status.ts';
import type { Stored } from './store.ts';

export type TableOptions = { readonly includeObject: 'None' | 'Metadata' | 'Object' };

type Rendering = TableOptions & {
  readonly version: string;
  readonly nowMs: number;
  /** The columns are described, which a watch does once. */
  readonly hasHeader: boolean;
};

/** Throws `ApiError`. */
export function parseTableOptions({ includeObject = '' }: Query): TableOptions {
  if (includeObject === 'None' || includeObject === 'Object') return { includeObject };
  if (includeObject === '' || includeObject === 'Metadata') return { includeObject: 'Metadata' };
  const why = `includeObject: Invalid value: ${renderQuoted(includeObject)}: must be 'Metadata', 'Object', 'None', or empty`;
  throw badRequest(`Unable to convert to Table as requested: ${why}`);
}

/** A `Table` of objects, as kubectl prints them. */
export function renderTable(
  kind: ServedKind,
  items: readonly Stored[],
  metadata: JsonObject,
  options: Rendering,
): string {
  const columns = columnsOf(kind);
  const definitions = columns.map(({ name, type, format, description, priority }) => {
    return { name, type, format, description, priority };
  });
  const rows = items.map((stored) => {
    const object = fromStorage(kind, stored.object);
    return {
      cells: columns.map((column) => cellOf(column, object, options.nowMs)),
      object: rowObject(object, options),
    };
  });
  const header = options.hasHeader ? definitions : null;
  return JSON.stringify({
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.version}`,
    metadata,
    columnDefinitions: header,
    rows,
  });
}

function rowObject(object: ApiObject, { includeObject, version }: Rendering): ApiObject | null {
  if (includeObject === 'None') return null;
  return includeObject === 'Object' ? object : { ...partialOf(object), apiVersion: `meta.k8s.io/${version}` };
}

const NAME: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: '',
  priority: 0,
  cell: ({ metadata }) => metadata.name ?? '',
};
const AGE: Column = {
  name: 'Age',
  type: 'date',
  format: '',
  description: '',
  priority: 0,
  jsonPath: '.metadata.creationTimestamp',
};

function columnsOf(kind: ServedKind): readonly Column[] {
  if (!kind.custom) return kind.columns;
  return [NAME, ...(kind.columns.length === 0 ? [AGE] : kind.columns)];
}

const paths = new Map<string, JsonPath | undefined>();

function cellOf({ type, jsonPath, cell }: Column, object: ApiObject, nowMs: number): unknown {
  if (cell !== undefined) return cell(object, nowMs);
  const value = find(jsonPath ?? '', object);
  if (value === undefined || value === null) return type === 'string' && value === null ? '<nil>' : null;
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' ? renderDate(value, nowMs) : null;
    case 'string':
      return renderText(value);
  }
}

function find(path: string, object: ApiObject): unknown {
  if (!paths.has(path)) paths.set(path, compileJsonPath(path));
  return paths.get(path)?.(object);
}

/** How long ago a time is. */
export function renderDate(time: string, nowMs: number): string {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? '<invalid>' : renderAge(nowMs - ms);
}

function renderText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return renderNumber(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
