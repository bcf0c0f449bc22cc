import { equalJson, getOwn, isObject, type JsonObject } from '../schema/json.ts';
import { ApiError } from '../status.ts';
import { guardDepth } from './depth.ts';
import { type Managers, parseManagedFields } from './managed.ts';
import { recordUpdate } from './ownership.ts';
import { assertFits, emptyObject, entriesOf, metadataOf, resetSetOf, type WriteInput, withManagers } from './write.ts';

export type UpdateInput = WriteInput & {
  /** The object as the write leaves it: defaulted, with the `managedFields` that the request sent. */
  readonly next: JsonObject;
};

const NO_MANAGERS: Managers = new Map();

/**
 * `next` with the `managedFields` that a write other than apply leaves: its manager owns what it changed, and whoever owned that before no longer does.
 * What a request itself says in `managedFields` counts, but for subresources; an empty list, or one with an empty entry, ends all
 * ownership. An object without any stays so until it is applied.
 */
export function updateManagedFields(input: UpdateInput): JsonObject {
  return guardDepth(() => {
    const live = input.live ?? emptyObject(input);
    const stated = statedManagers(input, live);
    const next = withManagers(input.next, NO_MANAGERS, live);
    if (stated.size === 0 && getOwn(metadataOf(live), 'uid') !== undefined) return next;
    const managers = computeManagers(input, live, next, stated);
    return managers === undefined ? next : withManagers(next, managers, live);
  });
}

/** Undefined when the objects do not fit the type, or the managers the versions: then nobody owns anything. */
function computeManagers(
  input: UpdateInput,
  live: JsonObject,
  next: JsonObject,
  managers: Managers,
): Managers | undefined {
  try {
    assertFits(next, input.type, '');
    assertFits(live, input.type, '');
    return recordUpdate({ ...input, live, next, managers, resetFields: resetSetOf(input) });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return undefined;
  }
}

/** The managers from which a write goes out: those that the request states, or those of the stored object. */
function statedManagers({ next, subresource = '' }: UpdateInput, live: JsonObject): Managers {
  const stored = entriesOf(live) ?? [];
  const stated = entriesOf(next);
  if (subresource !== '' || stated === undefined || stated === stored) return readManagers(stored, true) ?? NO_MANAGERS;
  if (stated.length === 0 || (stated.length === 1 && isEmptyEntry(stated[0]))) return NO_MANAGERS;
  const known = stated.map((entry) => stored.find((other) => other === entry || equalJson(other, entry)) ?? entry);
  const isStored = known.every((entry) => stored.includes(entry));
  return readManagers(known, isStored) ?? readManagers(stored, true) ?? NO_MANAGERS;
}

/** Undefined when there is none, or they cannot be read. */
function readManagers(entries: readonly JsonObject[], isStored: boolean): Managers | undefined {
  try {
    const managers = parseManagedFields(entries, isStored);
    return managers.size === 0 ? undefined : managers;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** An entry that says nothing resets; so does one whose members all are empty. */
function isEmptyEntry(entry: unknown): boolean {
  return isObject(entry) && Object.values(entry).every((value) => value === '' || value === null);
}
