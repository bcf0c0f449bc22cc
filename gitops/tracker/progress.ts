import { type Condition, findCondition } from '../../kube/conditions.ts';
import { applyEdits } from '../change/apply.ts';
import type { FieldEdit, Json, JsonMap } from '../intent.ts';
import type { Change, Difference, Outcome } from '../journal.ts';
import { remainingEdits, supersedes } from '../writer/overlap.ts';
import type { FolderFacts } from './facts.ts';

/** A resource of ours as the cluster has it. */
export type LiveObject = {
  readonly metadata: {
    readonly generation?: number | undefined;
    readonly deletionTimestamp?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
  };
  readonly spec?: unknown;
  readonly status?:
    | { readonly observedGeneration?: number | undefined; readonly conditions?: readonly Condition[] | undefined }
    | undefined;
};

export type ProgressFacts = FolderFacts & {
  /**
   * Whether what was fetched, attempted and applied contains the change's commit. What is applied is from an older commit where this one moved nothing, and contains it
   * all the same when it is what the folder says at a commit that does.
   */
  readonly contains: { readonly fetched: boolean; readonly attempted: boolean; readonly applied: boolean };
  /** Undefined: not there. */
  readonly live: LiveObject | undefined;
  /** Changes of the same resource that were accepted later and are on the branch. */
  readonly later: readonly Change[];
};

export type Patience = {
  /** Something that usually passes by itself is taken for lasting after this. */
  readonly graceMs: number;
  /** A change that neither Flux nor the gate says anything about ends after this. */
  readonly applyMs: number;
  /** A resource that does not become Ready ends the change after this. */
  readonly readyMs: number;
};

/** Where the change has got to, or undefined when it stays where it is. Pure; only for changes in `Committed`, `Held` and `Applied`. */
export function computeProgress(
  change: Change,
  facts: ProgressFacts,
  nowMs: number,
  patience: Patience,
): Outcome | undefined {
  const next =
    change.state === 'Applied'
      ? computeReady(change, facts, nowMs, patience)
      : computeApplied(change, facts, nowMs, patience);
  if (next === undefined) return undefined;
  const isSame = next.state === change.state && next.reason === change.reason && next.message === change.message;
  return isSame ? undefined : next;
}

function computeApplied(change: Change, facts: ProgressFacts, nowMs: number, patience: Patience): Outcome | undefined {
  const waitedMs = nowMs - change.updatedAtMs;
  const isLasting = waitedMs >= patience.graceMs;
  const isOvertaken = facts.later.some((later) => supersedes(later.intent, change.intent));
  // Removed with the tenant whose folder it was in: nobody is left who would say that it was applied.
  const isMoot =
    !facts.isFed &&
    facts.held === undefined &&
    facts.live === undefined &&
    facts.contains.fetched &&
    isLasting &&
    (change.intent.type === 'Delete' || isOvertaken);
  if (!facts.contains.applied && !isMoot) return computeObstacle(change, facts, nowMs, patience);
  if (isOvertaken) return overtaken(facts.later.at(-1));
  const differences = findDifferences(change, facts);
  if (differences.length > 0) {
    if (!isLasting) return undefined;
    return { state: 'Superseded', reason: 'Overwritten', message: 'somebody else set these fields since', differences };
  }
  const applied: Outcome = { state: 'Applied' };
  return computeReady({ ...change, ...applied, updatedAtMs: nowMs }, facts, nowMs, patience) ?? applied;
}

/** What keeps a change from being applied. */
function computeObstacle(change: Change, facts: ProgressFacts, nowMs: number, patience: Patience): Outcome | undefined {
  const { contains, held, refusal } = facts;
  const waitedMs = nowMs - change.updatedAtMs;
  if (contains.fetched && held !== undefined) return { state: 'Held', reason: held.reason, message: held.message };
  if (contains.attempted && refusal !== undefined && isAboutUs(change, refusal.message)) {
    const lastedMs = Math.min(waitedMs, nowMs - refusal.sinceMs);
    if (isFinalRefusal(refusal.message) || (isLastingRefusal(refusal.message) && lastedMs >= patience.graceMs))
      return { state: 'Failed', reason: 'NotAppliable', message: refusal.message };
  }
  if (waitedMs < patience.applyMs || change.state === 'Held') return undefined;
  const why = refusal === undefined ? 'nothing is known of the folder in the cluster' : refusal.message;
  return { state: 'Failed', reason: 'NotApplied', message: `the change was not applied in time: ${why}` };
}

function computeReady(
  change: Change,
  { live, later }: ProgressFacts,
  nowMs: number,
  patience: Patience,
): Outcome | undefined {
  const waitedMs = nowMs - change.updatedAtMs;
  if (change.intent.type === 'Delete') {
    if (live === undefined) return { state: 'Gone', reason: 'Deleted', message: 'the resource is gone' };
    return waitedMs < patience.readyMs ? undefined : fail('NotGone', 'the resource is still being removed');
  }
  if (live === undefined) {
    if (later.some((other) => supersedes(other.intent, change.intent))) return overtaken(later.at(-1));
    if (waitedMs < patience.graceMs) return undefined;
    return { state: 'Gone', reason: 'Removed', message: 'the resource was removed before it was ready' };
  }
  const generation = live.metadata.generation ?? 0;
  const conditions = live.status?.conditions;
  const ready = findCondition(conditions, 'Ready');
  if (ready !== undefined && (live.status?.observedGeneration ?? -1) >= generation) {
    if (ready.status === 'True') return { state: 'Ready', reason: ready.reason, message: ready.message };
    if (isSettled(ready, conditions)) return { state: 'Ready', reason: ready.reason, message: ready.message };
    const stalled = findCondition(conditions, 'Stalled');
    if (stalled?.status === 'True' && nowMs - Date.parse(stalled.lastTransitionTime) >= patience.graceMs)
      return fail(stalled.reason, `${stalled.message} (the order stands in Git and goes on when this is resolved)`);
  }
  if (waitedMs < patience.readyMs) return undefined;
  return fail(ready?.reason ?? 'NotReady', `not ready in time: ${ready?.message ?? 'nothing has been observed yet'}`);
}

/** Nobody waits for more: it is off because that is what was asked, by its owner or by whoever suspended it. */
function isSettled(ready: Condition, conditions: readonly Condition[] | undefined): boolean {
  const isReconciling = findCondition(conditions, 'Reconciling')?.status === 'True';
  return !isReconciling && OFF_REASONS.has(ready.reason);
}

const OFF_REASONS: ReadonlySet<string> = new Set(['Stopped', 'Suspended', 'GuestShutDown']);

/** Flux names the object that it stopped at: `RDPInstance/t-acme--bob/anna-desk dry-run failed (Invalid): ...`. */
function isAboutUs({ intent: { target } }: Change, message: string): boolean {
  return message.includes(`${target.kind}/${target.namespace}/${target.name} `);
}

/** The API server judged the object itself. */
function isFinalRefusal(message: string): boolean {
  return /\b(dry-run|apply) failed \((Invalid|BadRequest|RequestEntityTooLarge)\)/.test(message);
}

/** May be about a right that is being given this moment. */
function isLastingRefusal(message: string): boolean {
  return /\b(dry-run|apply) failed \((Forbidden|NotFound|MethodNotAllowed|AlreadyExists|Conflict)\)/.test(message);
}

/** Where the live object does not say what the change asked for, leaving out what later changes decided. */
function findDifferences(change: Change, { live, later }: ProgressFacts): readonly Difference[] {
  const { intent } = change;
  if (intent.type === 'Delete') {
    const isThere = live !== undefined && live.metadata.deletionTimestamp === undefined;
    return isThere ? [{ path: intent.target.name, seen: intent.seen }] : [];
  }
  if (live === undefined) return [{ path: intent.target.name }];
  const wanted = intent.type === 'Edit' ? intent.edits : listFields(intent.object);
  const rest = later.reduce((edits, other) => remainingEdits(other.intent, edits, intent.target), wanted);
  // What was taken away may have come back as a default, so only what was set is looked for.
  const set = rest.filter(({ to }) => to != null).map(({ path, to }): FieldEdit => ({ path, from: to, to }));
  const result = applyEdits(toJson(live), set);
  return result.type === 'applied'
    ? []
    : result.differences.filter(({ found, wanted: asked }) => !includes(found, asked));
}

/** The fields of a new resource, one by one, as far as they are maps. */
function listFields(object: JsonMap): readonly FieldEdit[] {
  const visit = (value: Json, path: readonly string[]): readonly FieldEdit[] =>
    isMap(value) && path.length < MOST_DEPTH
      ? Object.entries(value).flatMap(([name, member]) => visit(member, [...path, name]))
      : [{ path, to: value }];
  return [
    ...visit(object.spec ?? {}, ['spec']),
    ...['labels', 'annotations'].flatMap((name) => {
      const metadata = object.metadata;
      const map = isMap(metadata) ? metadata[name] : undefined;
      return isMap(map) ? visit(map, ['metadata', name]) : [];
    }),
  ];
}

const MOST_DEPTH = 24;

/** Whether `live` says all of `wanted`: the API server adds defaults in the items of lists, and others add items to lists that are maps. */
function includes(live: Json | undefined, wanted: Json | undefined): boolean {
  if (wanted == null) return true;
  if (isList(wanted)) {
    return isList(live) && wanted.every((item) => live.some((other) => includes(other, item)));
  }
  if (isMap(wanted)) {
    return (
      isMap(live) &&
      Object.entries(wanted).every(([name, member]) =>
        includes(Object.hasOwn(live, name) ? live[name] : undefined, member),
      )
    );
  }
  return live === wanted;
}

function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function toJson({ metadata, spec }: LiveObject): JsonMap {
  const { labels, annotations } = metadata;
  return { metadata: { labels: labels ?? {}, annotations: annotations ?? {} }, spec: spec as Json };
}

function overtaken(later: Change | undefined): Outcome {
  return { state: 'Superseded', reason: 'Overtaken', message: `change ${later?.id ?? ''} decided the same later` };
}

function fail(reason: string, message: string): Outcome {
  return { state: 'Failed', reason, message };
}
