import type { Logger } from 'pino';
import { SERVICEACCOUNTS } from '../../kube/builtin.ts';
import type { Client } from '../../kube/client.ts';
import type { Clock, Random } from '../../kube/clock.ts';
import type { Result } from '../../kube/controller.ts';
import { isNotFound, WaitingError } from '../../kube/errors.ts';
import { ensureFinalizer, removeFinalizer } from '../../kube/finalizer.ts';
import type { Informer } from '../../kube/informer.ts';
import { renderKey } from '../../kube/object.ts';
import { KUSTOMIZATIONS } from '../../model/flux.ts';
import type { OpenUrl } from './artifacts.ts';
import { renderTime } from './conditions.ts';
import { parseDuration } from './duration.ts';
import { jittered } from './jitter.ts';
import type { Kinds } from './kinds.ts';
import { computeKustomizationStatus, type KustomizationOutcome } from './kustomization.status.ts';
import type { FluxSettings } from './options.ts';
import { pruneObjects } from './prune.ts';
import { attemptReconcile, type Memory } from './reconcile.ts';
import { type ExternalArtifact, FINALIZER, type GitRepository, type Kustomization } from './resources.ts';
import { applyStatus, type Writer } from './write.ts';

/** Names an account whose rights a Kustomization applies with. */
export type ServiceAccountKey = { readonly namespace: string; readonly name: string };

export type KustomizationDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly settings: FluxSettings;
  readonly openUrl: OpenUrl;
  /** A client that acts as `system:serviceaccount:<namespace>:<name>`. */
  readonly clientFor: (account: ServiceAccountKey) => Client;
  readonly kinds: Kinds;
  readonly kustomizations: Informer<Kustomization>;
  readonly repositories: Informer<GitRepository>;
  readonly externalArtifacts: Informer<ExternalArtifact>;
  /** What is known of each Kustomization beyond its status; lost with the process, and then found out again. */
  readonly memories: Map<string, Memory>;
  /** Keys of the GitRepositories that were looked at since the start, so that their archives are there if they can be. */
  readonly lookedAt: ReadonlySet<string>;
};

const MANAGER = 'gotk-kustomize-controller';

/** Plays kustomize-controller for one Kustomization. */
export async function reconcileKustomization(
  deps: KustomizationDeps,
  writer: Writer,
  key: string,
): Promise<Result | undefined> {
  const object = deps.kustomizations.get(key);
  if (object === undefined) {
    deps.memories.delete(key);
    return undefined;
  }
  if (object.metadata.deletionTimestamp !== undefined) {
    await finalize(deps, writer, object);
    return undefined;
  }
  const held = await ensureFinalizer(writer.client, deps.kustomizations, object, FINALIZER, writer.signal);
  if (held.spec.suspend === true) {
    await report(deps, writer, held, {});
    return undefined;
  }
  waitForSource(deps, held);
  const memory = deps.memories.get(key) ?? { build: undefined, verdicts: new Map() };
  deps.memories.set(key, memory);
  const client = clientOf(deps, writer, held);
  const { outcome, retryAfterMs } = await attemptReconcile(deps, { client, memory, object: held }, writer.signal);
  writer.signal.throwIfAborted();
  await report(deps, writer, held, outcome);
  if (outcome.stalled === true) return undefined;
  return { requeueAfterMs: retryAfterMs ?? jittered(deps, parseDuration(held.spec.interval)) };
}

/** Archives do not outlive the process: right after a start nothing is wrong if one is not back yet. */
function waitForSource({ lookedAt, repositories }: KustomizationDeps, { metadata, spec }: Kustomization): void {
  const { kind, name, namespace = metadata.namespace } = spec.sourceRef;
  const key = renderKey({ namespace, name });
  if (kind !== 'GitRepository' || lookedAt.has(key) || repositories.get(key) === undefined) return;
  throw new WaitingError(`GitRepository ${key} was not looked at yet`, { retryAfterMs: SOURCE_POLL_MS });
}

const SOURCE_POLL_MS = 100;

async function report(
  deps: KustomizationDeps,
  writer: Writer,
  object: Kustomization,
  outcome: KustomizationOutcome,
): Promise<void> {
  const status = computeKustomizationStatus(object, outcome, renderTime(deps.clock.now()));
  await applyStatus(writer, deps.kustomizations, object, status, MANAGER);
}

/** Deletes what was applied, as the policy says and the account still may, and lets the object go. */
async function finalize(deps: KustomizationDeps, writer: Writer, object: Kustomization): Promise<void> {
  const { name, namespace = '' } = object.metadata;
  const entries = object.status?.inventory?.entries ?? [];
  if (deletesObjects(object) && entries.length > 0 && (await mayAct(deps, writer, object))) {
    const client = clientOf(deps, writer, object);
    const { error } = await pruneObjects({ ...deps, client }, entries, { name, namespace }, writer.signal);
    if (error !== undefined) throw new Error(error);
  }
  await removeFinalizer(writer.client, KUSTOMIZATIONS, object, FINALIZER, writer.signal);
}

function deletesObjects({ spec }: Kustomization): boolean {
  if (spec.suspend === true || spec.deletionPolicy === 'Orphan') return false;
  return spec.deletionPolicy === undefined || spec.deletionPolicy === 'MirrorPrune' ? spec.prune : true;
}

async function mayAct(deps: KustomizationDeps, { client, signal }: Writer, object: Kustomization): Promise<boolean> {
  const account = accountOf(deps, object);
  if (account === undefined) return true;
  try {
    await client.get(SERVICEACCOUNTS, account, { signal });
    return true;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    deps.log.warn({ ...account, kustomization: object.metadata.name }, 'the account is gone: its objects stay');
    return false;
  }
}

function clientOf(deps: KustomizationDeps, { client }: Writer, object: Kustomization): Client {
  const account = accountOf(deps, object);
  return account === undefined ? client : deps.clientFor(account);
}

function accountOf({ settings }: KustomizationDeps, { metadata, spec }: Kustomization): ServiceAccountKey | undefined {
  const named =
    spec.serviceAccountName === undefined || spec.serviceAccountName === ''
      ? settings.defaultServiceAccount
      : spec.serviceAccountName;
  return named === null ? undefined : { namespace: metadata.namespace ?? '', name: named };
}
