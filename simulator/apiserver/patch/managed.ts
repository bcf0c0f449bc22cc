import { compareText, renderJson, renderQuoted } from '../schema/gotext.ts';
import { equalJson, isObject, type JsonObject } from '../schema/json.ts';
import { equalSets, type FieldSet } from './fieldset.ts';
import { parseFieldsV1, renderFieldsV1 } from './fieldsv1.ts';

/** What one manager owns: an entry of `managedFields`. */
export type Managed = {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  /** RFC 3339; undefined where it was never recorded. */
  readonly time: string | undefined;
  readonly set: FieldSet;
};

/**
 * All managers of an object, by an identity that tells apart how they write: who applies has one for all versions, who updates one for each. Its text is
 * the API server's, because messages are sorted by it.
 */
export type Managers = ReadonlyMap<string, Managed>;

type Identity = Pick<Managed, 'manager' | 'operation' | 'apiVersion' | 'subresource'>;

export function identify({ manager, operation, apiVersion, subresource }: Identity): string {
  const members = [
    ['manager', manager],
    ['operation', operation],
    ['apiVersion', operation === 'Apply' ? '' : apiVersion],
    ['subresource', subresource],
  ] as const;
  const stated = members.filter(([, value]) => value !== '');
  return `{${stated.map(([name, value]) => `"${name}":${renderJson(value)}`).join(',')}}`;
}

/** A manager as messages about conflicts name it. */
export function renderManager({ manager, operation, apiVersion, subresource }: Managed): string {
  const name = renderQuoted(manager) + (subresource === '' ? '' : ` with subresource ${renderQuoted(subresource)}`);
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}

const parsed = new WeakMap<object, Managed>();
const rendered = new WeakMap<Managed, JsonObject>();

/** Reads `managedFields`. `isStored`: entries are as {@link renderManagedFields} made them. Throws a SyntaxError on entries that are none. */
export function parseManagedFields(entries: readonly unknown[], isStored: boolean): Managers {
  const managers = new Map<string, Managed>();
  for (const [index, entry] of entries.entries()) {
    const managed = parseEntry(entry, index);
    managers.set(identify(managed), managed);
    if (isStored && !rendered.has(managed)) rendered.set(managed, entry as JsonObject);
  }
  return managers;
}

function parseEntry(entry: unknown, index: number): Managed {
  if (!isObject(entry)) throw new SyntaxError('operation must be `Apply` or `Update`');
  const known = parsed.get(entry);
  if (known !== undefined) return known;
  const { operation, fieldsType, time } = entry;
  if (operation !== 'Apply' && operation !== 'Update') throw new SyntaxError('operation must be `Apply` or `Update`');
  const apiVersion = textOf(entry.apiVersion);
  if (apiVersion === '') throw new SyntaxError('apiVersion must not be empty');
  if (fieldsType !== 'FieldsV1') {
    const type = textOf(fieldsType);
    const what = type === '' ? 'missing fieldsType' : `invalid fieldsType ${renderQuoted(type)}`;
    throw new SyntaxError(`${what} in managed fields entry ${index}`);
  }
  const managed: Managed = {
    manager: textOf(entry.manager),
    operation,
    apiVersion,
    subresource: textOf(entry.subresource),
    time: typeof time === 'string' ? time : undefined,
    set: parseFieldsV1(entry.fieldsV1),
  };
  parsed.set(entry, managed);
  return managed;
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
  const known = rendered.get(managed);
  if (known !== undefined) return known;
  const { manager, operation, apiVersion, subresource, time, set } = managed;
  const entry: JsonObject = {
    ...(manager === '' ? {} : { manager }),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: renderFieldsV1(set),
    ...(subresource === '' ? {} : { subresource }),
  };
  rendered.set(managed, entry);
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
    secondsOf(a.time) - secondsOf(b.time) ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  );
}

export function secondsOf(time: string | undefined): number {
  const ms = time === undefined ? 0 : Date.parse(time);
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1_000);
}

/** `managed` with another set; the same where the set is the same, so that what is stored stays the same. */
export function withSet(managed: Managed, set: FieldSet): Managed {
  return equalSets(managed.set, set) ? managed : { ...managed, set };
}
