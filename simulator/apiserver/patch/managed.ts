import { compareText, renderJson, renderQuoted } from '../schema/gotext.ts';
import { equalJson, isObject, type JsonObject } from '../schema/json.ts';
import type { FieldSet } from './fieldset.ts';
import { parseFieldsV1, renderFieldsV1 } from './fieldsv1.ts';

/** How somebody writes. */
export type Writer = {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
};

/** What one manager owns: an entry of `managedFields`. */
export type Managed = Writer & {
  readonly id: string;
  /** RFC 3339; undefined where it was never recorded. */
  readonly time: string | undefined;
  readonly set: FieldSet;
  /** The entry, once it was asked for. */
  rendered: JsonObject | undefined;
};

/** All managers of an object by their `id`. */
export type Managers = ReadonlyMap<string, Managed>;

export function buildManaged(writer: Writer, id: string, time: string | undefined, set: FieldSet): Managed {
  const { manager, operation, apiVersion, subresource } = writer;
  return { manager, operation, apiVersion, subresource, id, time, set, rendered: undefined };
}

/**
 * What tells managers apart: who applies is one for all versions, who updates one for each. Its text is the API server's, because messages are
 * sorted by it.
 */
export function identify({ manager, operation, apiVersion, subresource }: Writer): string {
  const stated = [
    manager === '' ? '' : `"manager":${renderText(manager)}`,
    `"operation":"${operation}"`,
    apiVersion === '' || operation === 'Apply' ? '' : `"apiVersion":${renderText(apiVersion)}`,
    subresource === '' ? '' : `"subresource":${renderText(subresource)}`,
  ];
  return `{${stated.filter((member) => member !== '').join(',')}}`;
}

const PLAIN = /^[\w./-]*$/;

function renderText(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : renderJson(text);
}

/** A manager as messages about conflicts name it. */
export function renderManager({ manager, operation, apiVersion, subresource }: Writer): string {
  const name = renderQuoted(manager) + (subresource === '' ? '' : ` with subresource ${renderQuoted(subresource)}`);
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}

/** Of entries that are stored, so that each is read once. */
const parsed = new WeakMap<object, Managed>();

/** Reads `managedFields`. `isStored`: entries are as {@link renderManagedFields} made them. Throws a SyntaxError on entries that are none. */
export function parseManagedFields(entries: readonly unknown[], isStored: boolean): Managers {
  const managers = new Map<string, Managed>();
  for (const [index, entry] of entries.entries()) {
    const managed = isStored ? parseStored(entry, index) : parseEntry(entry, index);
    managers.set(managed.id, managed);
  }
  return managers;
}

function parseStored(entry: unknown, index: number): Managed {
  const known = isObject(entry) ? parsed.get(entry) : undefined;
  if (known !== undefined) return known;
  const managed = parseEntry(entry, index);
  managed.rendered = entry as JsonObject;
  parsed.set(entry as JsonObject, managed);
  return managed;
}

function parseEntry(entry: unknown, index: number): Managed {
  const { operation, fieldsType, time, fieldsV1, ...rest } = isObject(entry) ? entry : {};
  if (operation !== 'Apply' && operation !== 'Update') throw new SyntaxError('operation must be `Apply` or `Update`');
  const apiVersion = textOf(rest.apiVersion);
  if (apiVersion === '') throw new SyntaxError('apiVersion must not be empty');
  if (fieldsType !== 'FieldsV1') {
    const type = textOf(fieldsType);
    const what = type === '' ? 'missing fieldsType' : `invalid fieldsType ${renderQuoted(type)}`;
    throw new SyntaxError(`${what} in managed fields entry ${index}`);
  }
  const [manager, subresource] = [textOf(rest.manager), textOf(rest.subresource)];
  const writer: Writer = { manager, operation, apiVersion, subresource };
  return buildManaged(writer, identify(writer), textOf(time) || undefined, parseFieldsV1(fieldsV1));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/**
 * The managers as `managedFields`, in the API server's order; undefined when there is none. Entries of `old` that are still the same are taken over, and
 * `old` itself when all are.
 */
export function renderManagedFields(
  managers: Managers,
  old: readonly JsonObject[] = [],
): readonly JsonObject[] | undefined {
  if (managers.size === 0) return undefined;
  const entries = [...managers.values()].sort(compareManaged).map(renderEntry);
  const taken = entries.map((entry) => old.find((other) => other === entry || equalEntries(other, entry)) ?? entry);
  return taken.length === old.length && taken.every((entry, index) => entry === old[index]) ? old : taken;
}

function renderEntry(managed: Managed): JsonObject {
  if (managed.rendered !== undefined) return managed.rendered;
  const { manager, operation, apiVersion, subresource, time, set } = managed;
  const entry: JsonObject = {};
  if (manager !== '') entry.manager = manager;
  entry.operation = operation;
  entry.apiVersion = apiVersion;
  if (time !== undefined) entry.time = time;
  entry.fieldsType = 'FieldsV1';
  entry.fieldsV1 = renderFieldsV1(set);
  if (subresource !== '') entry.subresource = subresource;
  managed.rendered = entry;
  parsed.set(entry, managed);
  return entry;
}

function equalEntries(a: JsonObject, b: JsonObject): boolean {
  return a.manager === b.manager && a.time === b.time && a.operation === b.operation && equalJson(a, b);
}

/** Those who apply first; then by time, name and version. */
function compareManaged(a: Managed, b: Managed): number {
  return (
    compareText(a.operation, b.operation) ||
    (a.time === b.time ? 0 : secondsOf(a.time) - secondsOf(b.time)) ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  );
}

export function secondsOf(time: string | undefined): number {
  const ms = time === undefined ? 0 : Date.parse(time);
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1_000);
}

/** `managed` with another set, at the same time; the same where the set is the same. */
export function withSet(managed: Managed, set: FieldSet): Managed {
  return set === managed.set ? managed : buildManaged(managed, managed.id, managed.time, set);
}
