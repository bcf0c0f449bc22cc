import type { JsonObject } from '../schema/json.ts';
import { failure } from '../status.ts';
import { capManagers } from './capmanagers.ts';
import { type Comparison, compareTyped, excludeFields } from './compare.ts';
import { difference, EMPTY_SET, type FieldSet, intersection, isEmpty, union } from './fieldset.ts';
import { setOf } from './fieldsetbuilder.ts';
import { buildManaged, identify, type Managed, type Managers, withSet } from './managed.ts';
import { fieldElement } from './pathelement.ts';
import { reconcileSet } from './reconcile.ts';
import type { TypeNode } from './typenode.ts';
import type { WriteInput } from './write.ts';

/** One write, as its effect on ownership is computed. Objects fit the type. */
export type OwnershipChange = {
  readonly live: JsonObject;
  readonly next: JsonObject;
  readonly type: TypeNode;
  readonly managers: Managers;
  readonly resetFields: FieldSet;
};

export type Loss = {
  /** What the write sets and others own, by who owns it. */
  readonly conflicts: ReadonlyMap<string, FieldSet>;
  /** Who owns what once they have lost that, and what was removed. */
  readonly managers: Map<string, Managed>;
  readonly comparison: Comparison;
};

/** What all managers but the writing one lose by a write. */
export function computeLoss(change: OwnershipChange, writer: string | undefined): Loss {
  const comparison = excludeFields(compareTyped(change.live, change.next, change.type), change.resetFields);
  const written = union(comparison.modified, comparison.added);
  const conflicts = new Map<string, FieldSet>();
  const managers = new Map<string, Managed>();
  for (const [id, managed] of change.managers) {
    if (id === writer) {
      managers.set(id, managed);
      continue;
    }
    const lost = intersection(managed.set, written);
    if (!isEmpty(lost)) conflicts.set(id, lost);
    const kept = difference(difference(managed.set, lost), comparison.removed);
    if (!isEmpty(kept)) managers.set(id, withSet(managed, kept));
  }
  return { conflicts, managers, comparison };
}

/**
 * Entries whose sets are brought in line with a type that was changed since. Those of versions that are not served any more go, but for custom
 * resources, which refuse them with 500.
 */
export function reconcileManagers(
  managers: Managers,
  { apiVersion, otherVersions, isCustom, type }: Kind,
): Map<string, Managed> {
  const reconciled = new Map<string, Managed>();
  for (const [id, managed] of managers) {
    if (managed.apiVersion === apiVersion || otherVersions?.includes(managed.apiVersion) === true) {
      reconciled.set(id, withSet(managed, reconcileSet(managed.set, type)));
    } else if (isCustom) {
      throw failure(500, '', `request to convert CR to an invalid group/version: ${managed.apiVersion}`);
    }
  }
  return reconciled;
}

type Kind = Pick<WriteInput, 'apiVersion' | 'otherVersions' | 'isCustom' | 'type'>;

/** A write that is no apply. */
export type Update = Omit<WriteInput, 'live' | 'resetFields'> & OwnershipChange;

/** Who owns what after it. */
export function recordUpdate(update: Update): Managers {
  const { manager, subresource = '', apiVersion, now } = update;
  const reconciled = reconcileManagers(update.managers, update);
  const { managers, comparison } = computeLoss({ ...update, managers: reconciled }, undefined);
  const own = withoutIdentity(union(comparison.modified, comparison.added));
  if (!isEmpty(own)) {
    const writer = { manager: nameOf(manager), operation: 'Update' as const, apiVersion, subresource };
    const id = identify(writer);
    managers.set(id, buildManaged(writer, id, now, union(managers.get(id)?.set ?? EMPTY_SET, own)));
  }
  return capManagers(managers);
}

/** Who writes without a name is recorded as unknown. */
export function nameOf(manager: string): string {
  return manager === '' ? 'unknown' : manager;
}

const IDENTITY = setOf([
  ...['apiVersion', 'kind', 'metadata'].map((field) => [fieldElement(field)]),
  ...[
    ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields'],
    'resourceVersion',
  ].map((field) => [fieldElement('metadata'), fieldElement(field)]),
]);

/** Without the fields that nobody owns. */
export function withoutIdentity(set: FieldSet): FieldSet {
  return difference(set, IDENTITY);
}
