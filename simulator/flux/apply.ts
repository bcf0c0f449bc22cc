import { isDeepStrictEqual } from 'node:util';
import type { Client } from '../../kube/client.ts';
import { type Clock, sleep } from '../../kube/clock.ts';
import { isConflict, isInvalid, isNotFound, StatusError } from '../../kube/errors.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';
import { describe } from '../../kube/requests.ts';
import { renderEntry } from './inventory.ts';
import type { Kinds } from './kinds.ts';
import { cleanupPatch } from './managedfields.ts';
import { compareIdentity, type Identity, identityOf, type Manifest, renderSubject, stageOf } from './manifest.ts';
import { contentOf, fingerprint, hashJson, normaliseManifest, type Owner, says } from './normalise.ts';
import type { InventoryEntry } from './resources.ts';

export type ApplyDeps = {
  /** Acts as the Kustomization's account. */
  readonly client: Client;
  readonly clock: Clock;
  readonly kinds: Kinds;
  /** What is known to be as it should, by the object's id; lives as long as the Kustomization. */
  readonly verdicts: Map<string, string>;
};

export type ApplyPlan = { readonly owner: Owner; readonly force: boolean };

export const FIELD_MANAGER = 'kustomize-controller';
export const GROUP = 'kustomize.toolkit.fluxcd.io';

/**
 * Brings the objects into the cluster stage by stage. Within a stage everything is tried first, and nothing is written unless
 * the API server accepts all of it. What is as it was when it was last found right costs one read. Throws with the object, the API server's
 * words and what earlier stages wrote.
 */
export async function applyManifests(
  deps: ApplyDeps,
  manifests: readonly Manifest[],
  plan: ApplyPlan,
  signal: AbortSignal,
): Promise<readonly InventoryEntry[]> {
  const done: Applied[] = [];
  try {
    for (const stage of ['definitions', 'classes', 'resources'] as const) {
      const all = manifests.filter((manifest) => stageOf(identityOf(manifest)) === stage);
      done.push(...(await applyStage(deps, all, plan, signal)));
      if (stage === 'definitions') await waitForDefinitions(deps, all, signal);
    }
  } catch (error) {
    signal.throwIfAborted();
    const changes = done.filter(({ action }) => action !== 'unchanged' && action !== 'skipped');
    const log = changes.map(({ identity, action }) => `${renderSubject(identity)} ${action}\n`).join('');
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${log}`, { cause: error });
  }
  return done.map(({ identity }) => renderEntry(identity));
}

type Action = 'created' | 'configured' | 'unchanged' | 'skipped';
type Applied = { readonly identity: Identity; readonly action: Action };

type Target = {
  readonly identity: Identity;
  readonly resource: Resource;
  readonly intent: Manifest;
  readonly id: string;
  readonly hash: string;
};

async function applyStage(
  deps: ApplyDeps,
  manifests: readonly Manifest[],
  plan: ApplyPlan,
  signal: AbortSignal,
): Promise<readonly Applied[]> {
  const sorted = [...manifests].sort((a, b) => compareIdentity(identityOf(a), identityOf(b)));
  const decided: { readonly target: Target; readonly action: Action }[] = [];
  for (const manifest of sorted) {
    const target = toTarget(deps, manifest, plan.owner);
    decided.push({ target, action: await tryApply(deps, target, plan, signal) });
  }
  for (const { target, action } of decided) {
    if (action !== 'created' && action !== 'configured') continue;
    try {
      const answer = await send(deps.client, target, false, signal);
      deps.verdicts.set(target.id, verdictOf(target, answer));
    } catch (error) {
      throw new Error(`${renderSubject(target.identity)} apply failed: ${wordsOf(error, target)}`, { cause: error });
    }
  }
  return decided.map(({ target, action }) => ({ identity: target.identity, action }));
}

function toTarget({ kinds }: ApplyDeps, manifest: Manifest, owner: Owner): Target {
  const named = identityOf(manifest);
  const subject = renderSubject(named);
  const resource = kinds.find(named);
  if (resource === undefined) {
    throw new Error(
      `${subject} dry-run failed: no matches for kind "${named.kind}" in version "${manifest.apiVersion}"`,
    );
  }
  const intent = normaliseManifest(manifest, owner, resource.namespaced);
  const identity = identityOf(intent);
  if (resource.namespaced && identity.namespace === '') {
    throw new Error(`${subject} namespace not specified: the server could not find the requested resource`);
  }
  return { identity, resource, intent, id: renderEntry(identity).id, hash: hashJson(intent) };
}

/** What applying the object would do. Writes nothing but what has to go first: foreign field managers, an object that is replaced. */
async function tryApply(deps: ApplyDeps, target: Target, plan: ApplyPlan, signal: AbortSignal): Promise<Action> {
  const { client, verdicts } = deps;
  const live = await readLive(client, target, signal);
  if (isSkipped(target.intent, live.object)) return 'skipped';
  if (live.object !== undefined && verdicts.get(target.id) === verdictOf(target, live.object)) return 'unchanged';
  verdicts.delete(target.id);
  const { expected, existing } = await dryRun(deps, target, plan, live, signal);
  if (existing === undefined) return 'created';
  const patch = says(target.intent, `${GROUP}/ssa`, 'Merge') ? [] : cleanupPatch(existing, FIELD_MANAGER);
  if (patch.length > 0) {
    const { name, namespace } = existing.metadata;
    await client.patch(
      target.resource,
      { name, namespace },
      { type: 'json', ops: patch },
      { fieldManager: FIELD_MANAGER, signal },
    );
    return 'configured';
  }
  if (!isDeepStrictEqual(contentOf(expected), contentOf(existing))) return 'configured';
  verdicts.set(target.id, verdictOf(target, existing));
  return 'unchanged';
}

type Live = { readonly object: Manifest | undefined; readonly isKnownAbsent: boolean };

/** Who may not read may still apply: only the answer "not there" says that nothing is there. */
async function readLive(client: Client, { resource, intent }: Target, signal: AbortSignal): Promise<Live> {
  try {
    const object = await client.get<Manifest & KubeObject>(resource, intent.metadata, { signal });
    return { object, isKnownAbsent: false };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { object: undefined, isKnownAbsent: isNotFound(error) };
  }
}

function isSkipped(intent: Manifest, live: Manifest | undefined): boolean {
  const asked = [intent, live].some(
    (one) => says(one, `${GROUP}/reconcile`, 'disabled') || says(one, `${GROUP}/ssa`, 'Ignore'),
  );
  return asked || (live !== undefined && says(intent, `${GROUP}/ssa`, 'IfNotPresent'));
}

async function dryRun(
  deps: ApplyDeps,
  target: Target,
  plan: ApplyPlan,
  live: Live,
  signal: AbortSignal,
): Promise<{ readonly expected: Manifest; readonly existing: Manifest | undefined }> {
  try {
    return { expected: await send(deps.client, target, true, signal), existing: live.object };
  } catch (error) {
    signal.throwIfAborted();
    const mayReplace = plan.force || [target.intent, live.object].some((one) => says(one, `${GROUP}/force`, 'enabled'));
    if (live.isKnownAbsent || !mayReplace || !isImmutableError(error)) throw explainDryRun(error, target);
    await replace(deps, target, signal);
    return { expected: await send(deps.client, target, true, signal), existing: undefined };
  }
}

/** Deletes and waits until it is gone, so that it can be made anew. */
async function replace({ client, clock }: ApplyDeps, target: Target, signal: AbortSignal): Promise<void> {
  const key = target.intent.metadata;
  try {
    await client.delete(target.resource, key, { propagationPolicy: 'Background', signal });
    for (;;) {
      await client.get(target.resource, key, { signal });
      await sleep(clock, REPLACE_POLL_MS, signal);
    }
  } catch (error) {
    if (!isNotFound(error)) {
      throw new Error(
        `${renderSubject(target.identity)} immutable field detected, failed to delete object: ${wordsOf(error, target)}`,
        { cause: error },
      );
    }
  }
}

const REPLACE_POLL_MS = 2_000;
const DEFINITION_POLL_MS = 200;
const DEFINITION_TIMEOUT_MS = 60_000;

/** Objects of a kind can follow only once the API server serves it. */
async function waitForDefinitions(
  { kinds, clock }: ApplyDeps,
  manifests: readonly Manifest[],
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.monotonic() + DEFINITION_TIMEOUT_MS;
  for (const manifest of manifests.filter(({ kind }) => kind === 'CustomResourceDefinition')) {
    const { group, names, versions } = manifest.spec as {
      readonly group: string;
      readonly names: { readonly kind: string };
      readonly versions: readonly { readonly name: string; readonly served: boolean }[];
    };
    const version = versions.find(({ served }) => served)?.name;
    while (version !== undefined && kinds.find({ group, version, kind: names.kind }) === undefined) {
      if (clock.monotonic() > deadline) {
        throw new Error(`timeout waiting for: [${renderSubject(identityOf(manifest))} status: 'InProgress']`);
      }
      await sleep(clock, DEFINITION_POLL_MS, signal);
    }
  }
}

async function send(client: Client, target: Target, dryRun: boolean, signal: AbortSignal): Promise<Manifest> {
  const options = { fieldManager: FIELD_MANAGER, force: true, dryRun, signal };
  return client.apply<Manifest & KubeObject>(target.resource, target.intent, options);
}

function verdictOf({ hash }: Target, live: Manifest): string {
  return `${hash}/${live.metadata.uid}/${fingerprint(live)}`;
}

/** As kubectl tells errors that replacing the object would mend; generous, as Flux is. */
function isImmutableError(error: unknown): boolean {
  if (isConflict(error) || isInvalid(error)) return true;
  return error instanceof Error && /is\simmutable|immutable\sfield/.test(error.message);
}

function explainDryRun(error: unknown, target: Target): Error {
  const subject = renderSubject(target.identity);
  const words = wordsOf(error, target);
  if (isNotFound(error)) return new Error(`${subject} not found: ${words}`, { cause: error });
  const reason = error instanceof StatusError && !isUnexplained(error, words) ? ` (${error.reason})` : '';
  return new Error(`${subject} dry-run failed${reason}: ${words}`, { cause: error });
}

/** An error that the API server sends without a reason; our client then takes the status code's. */
function isUnexplained({ code, reason }: StatusError, words: string): boolean {
  return code === 500 && reason === 'InternalError' && !words.startsWith('Internal error occurred: ');
}

/** The API server's own words, without the call that our client puts in front. */
function wordsOf(error: unknown, { resource, intent }: Target): string {
  const message = error instanceof Error ? error.message : String(error);
  const prefix = `apply ${describe(resource, intent.metadata)}: `;
  return message.startsWith(prefix) ? message.slice(prefix.length) : message;
}
