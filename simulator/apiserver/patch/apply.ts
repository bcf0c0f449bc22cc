import { equalJson, getOwn, isObject, type JsonObject } from '../schema/json.ts';
import { badRequest } from '../status.ts';
import { type Conflict, conflictError, conflictsOf } from './conflicts.ts';
import { guardDepth } from './depth.ts';
import { EMPTY_SET, hasPath, isEmpty, recursiveDifference, shareNodes } from './fieldset.ts';
import { findLastApplied, syncLastApplied, UPGRADING_MANAGER } from './lastapplied.ts';
import { buildManaged, identify, type Managers } from './managed.ts';
import { mergeTyped } from './merge.ts';
import { computeLoss, nameOf, reconcileManagers, recordUpdate, withoutIdentity } from './ownership.ts';
import { pruneApplied } from './prune.ts';
import { toFieldSet } from './tofieldset.ts';
import {
  assertFits,
  describeKind,
  emptyObject,
  managersOf,
  resetSetOf,
  type WriteInput,
  withManagers,
} from './write.ts';

export type ApplyInput = WriteInput & {
  /** What the request states. */
  readonly applied: JsonObject;
  /** Takes over what others own and the request states otherwise, instead of refusing. */
  readonly force: boolean;
};

export type ApplyResult = {
  /** The object with its new `managedFields`, before defaults are set; `live` itself when nothing changed. */
  readonly object: JsonObject;
};

const BEFORE_FIRST_APPLY = 'before-first-apply';

/**
 * Server-side apply. Throws what the API server answers: 409 with a cause for each conflict, 400 for another kind or stated
 * `managedFields`, 500 for what does not fit the type.
 */
export function applyServerSide(input: ApplyInput): ApplyResult {
  return guardDepth(() => {
    assertSameKind(input);
    const live = input.live ?? emptyObject(input);
    const stored = managersOf(live);
    const managers = stored.size === 0 ? firstManagers(input, live) : stored;
    const outcome = applyUpgrading(input, live, managers);
    const object = syncLastApplied(outcome.object, input);
    return { object: withManagers(object, outcome.managers, live) };
  });
}

function assertSameKind({ applied, apiVersion, kind }: ApplyInput): void {
  if (applied.apiVersion !== apiVersion || applied.kind !== kind) {
    throw badRequest(
      `invalid object type: ${describeKind(String(applied.apiVersion ?? ''), String(applied.kind ?? ''))}`,
    );
  }
  const metadata = applied.metadata;
  if (isObject(metadata) && Array.isArray(getOwn(metadata, 'managedFields'))) {
    throw badRequest('metadata.managedFields must be nil');
  }
}

/** Whatever an object holds that nobody owns yet is owned by somebody, so that the first apply conflicts with it. */
function firstManagers(input: ApplyInput, live: JsonObject): Managers {
  assertFits(live, input.type, 'failed to create manager for existing fields');
  const change = { live: emptyObject(input), next: live, managers: NO_MANAGERS, resetFields: resetSetOf(input) };
  return recordUpdate({ ...input, ...change, manager: BEFORE_FIRST_APPLY });
}

const NO_MANAGERS: Managers = new Map();

type Outcome = { readonly object: JsonObject; readonly managers: Managers };

/** kubectl's conflicts with what kubectl itself applied on the client's side are none. */
function applyUpgrading(input: ApplyInput, live: JsonObject, managers: Managers): Outcome {
  const outcome = applyOnce(input, live, managers, input.force);
  if (!Array.isArray(outcome)) return outcome as Outcome;
  const conflicts: readonly Conflict[] = outcome;
  const allowed = input.manager === UPGRADING_MANAGER ? findLastApplied(input, live) : undefined;
  if (allowed === undefined) throw conflictError(conflicts);
  const left = conflicts.filter(({ path }) => !hasPath(allowed, path));
  if (left.length > 0) throw conflictError(left);
  return applyOnce(input, live, managers, true) as Outcome;
}

function applyOnce(
  input: ApplyInput,
  live: JsonObject,
  stored: Managers,
  force: boolean,
): Outcome | readonly Conflict[] {
  const { applied, type, apiVersion, subresource = '' } = input;
  assertFits(applied, type, 'failed to create typed patch object', { isStrict: true });
  assertFits(live, type, 'failed to create typed live object');
  const resetFields = resetSetOf(input);
  const managers = reconcileManagers(stored, input);
  const merged = mergeTyped(live, applied, type) as JsonObject;
  const writer = { manager: nameOf(input.manager), operation: 'Apply' as const, apiVersion, subresource };
  const id = identify(writer);
  const last = managers.get(id);
  const stated = recursiveDifference(toFieldSet(applied, type), resetFields);
  managers.set(id, buildManaged(writer, id, last?.time, stated));
  const next = last === undefined ? merged : pruneApplied(merged, type, last.set, stated, managers);
  const loss = computeLoss({ live, next, type, managers, resetFields }, id);
  if (!force && loss.conflicts.size > 0) return conflictsOf(loss.conflicts, managers);
  const isSame = next === live || equalJson(next, live);
  const own = shareNodes(withoutIdentity(stated), last?.set ?? EMPTY_SET);
  const time = isSame ? last?.time : input.now;
  if (isEmpty(own)) loss.managers.delete(id);
  else if (last !== undefined && own === last.set && time === last.time) loss.managers.set(id, last);
  else loss.managers.set(id, buildManaged(writer, id, time, own));
  return { object: isSame ? live : next, managers: loss.managers };
}
