import { CONFIGMAPS } from '../kube/builtin.ts';
import { isAlreadyExists, isConflict, TransientError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/object.ts';
import { GROUP } from '../model/group.ts';
import { ANNOTATION_REMOVED_AT, FIELD_MANAGER, LABEL_OWNER_NAME } from '../model/labels.ts';
import type { OperatorConfig } from './config.ts';
import { confirmSight } from './confirm.ts';
import type { ConfigMap, Informers, OperatorDeps } from './context.ts';
import { createDefinitions } from './definitions.ts';
import { BREAKER_NAME } from './informers.ts';

const HOUR_MS = 3_600_000;

/** A person confirms held removals by setting this annotation on the breaker's ConfigMap to the id that it shows. */
export const ANNOTATION_CONFIRM = `${GROUP}/confirm`;

/** `key`: the namespace that a Tenant leaves behind, or a desktop's `namespace/name`. */
export type Removal = { readonly kind: 'Tenant' | 'RDPInstance'; readonly key: string };

/**
 * Stops mass deletion. More than max(minimum, percent of all tenants and desktops) removals within an hour, or one of our CRDs
 * being deleted, trips it: what is removed from then on keeps running, marked held, until a person confirms.
 */
export type Breaker = {
  /** Counts one removal and says whether it may stop what it removes. Asking again for the same removal counts once. */
  admit(removal: Removal, signal: AbortSignal): Promise<'stop' | 'hold'>;
  /** The id to confirm while tripped. Throws `TransientError` while its record has not been read: then nobody knows. */
  tripped(): string | undefined;
  /** Asks the API server for its record, before what is destroyed for good. Throws `ChangedError` when it is not as it was seen. */
  refresh(signal: AbortSignal): Promise<void>;
  /** Whether a person confirmed the last trip. Not so when its record was deleted: absence releases nothing. */
  confirmed(): boolean;
  /** Ends a trip whose id was confirmed; returns whether one was. */
  settle(signal: AbortSignal): Promise<boolean>;
  /** Holds what is removed from now on. Throws `TransientError` when somebody else wrote the record in between. */
  trip(message: string, signal: AbortSignal): Promise<void>;
};

type BreakerInformers = Pick<
  Informers,
  'tenants' | 'desktops' | 'namespaces' | 'virtualMachines' | 'definitions' | 'breaker'
>;

export function createBreaker(
  deps: Pick<OperatorDeps, 'client' | 'clock' | 'log'>,
  informers: BreakerInformers,
  config: Pick<OperatorConfig, 'breaker' | 'systemNamespace'>,
): Breaker {
  const recent = new Map<string, number>();
  const definitions = createDefinitions(deps, informers);
  const key = `${config.systemNamespace}/${BREAKER_NAME}`;
  const state = (): ConfigMap | undefined => informers.breaker.get(key);
  const tripped = (): string | undefined => {
    if (informers.breaker.state() === 'syncing')
      throw new TransientError('whether removals are held is known once the record of the breaker has been read');
    const data = state()?.data;
    return data?.confirmedAt === undefined ? data?.id : undefined;
  };

  const trip = async (message: string, signal: AbortSignal): Promise<void> => {
    const at = new Date(deps.clock.now()).toISOString();
    const previous = state();
    const next: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: BREAKER_NAME,
        namespace: config.systemNamespace,
        ...(previous === undefined ? {} : { resourceVersion: previous.metadata.resourceVersion }),
      },
      data: { id: at.replaceAll(/[^0-9]/g, ''), trippedAt: at, message },
    };
    deps.log.error({ reason: message }, 'breaker tripped: removals are held until a person confirms');
    try {
      const options = { fieldManager: FIELD_MANAGER, signal };
      const answer =
        previous === undefined
          ? await deps.client.create(CONFIGMAPS, next, options)
          : await deps.client.update(CONFIGMAPS, next, options);
      informers.breaker.observeWrite(answer);
    } catch (error) {
      if (!isAlreadyExists(error) && !isConflict(error)) throw error;
      throw new TransientError(`ConfigMap ${key} changed while the breaker tripped`, { cause: error });
    }
  };

  return {
    tripped,
    trip,
    refresh: (signal) => {
      const where = { name: BREAKER_NAME, namespace: config.systemNamespace };
      const view = (record: ConfigMap | undefined) => record && [record.metadata.uid, record.data];
      return confirmSight(deps, { informer: informers.breaker, key: where, seen: state(), view }, signal);
    },
    confirmed: () => state()?.data?.confirmedAt !== undefined,
    async admit(removal, signal) {
      refuseUnsynced(informers);
      if (tripped() !== undefined) return 'hold';
      const lost = await definitions.lost(removal.kind, signal);
      if (tripped() !== undefined) return 'hold';
      const id = `${removal.kind}/${removal.key}`;
      const now = deps.clock.now();
      if (!recent.has(id)) recent.set(id, now);
      const removed = countRemovals(informers, recent, now, Date.parse(state()?.data?.confirmedAt ?? ''));
      const population = informers.tenants.size() + informers.desktops.size();
      const allowed = Math.max(config.breaker.minimum, Math.floor((population * config.breaker.percent) / 100));
      if (lost.length > 0) {
        // The log names them: the record would name those that happened to be seen by now, and stay so.
        deps.log.error({ definitions: lost }, 'definitions of ours are being deleted or gone');
        await trip(`CustomResourceDefinitions of ${GROUP} are being deleted or gone`, signal);
        return 'hold';
      }
      if (removed.size <= allowed) return 'stop';
      await trip(`${removed.size} removals within an hour, allowed ${allowed} of ${population}`, signal);
      return 'hold';
    },
    async settle(signal) {
      const current = state();
      const id = tripped();
      if (current === undefined || id === undefined) return false;
      if (current.metadata.annotations?.[ANNOTATION_CONFIRM] !== id) return false;
      const confirmedAt = new Date(deps.clock.now()).toISOString();
      const next: ConfigMap = { ...current, data: { ...current.data, confirmedAt } };
      informers.breaker.observeWrite(
        await deps.client.update(CONFIGMAPS, next, { fieldManager: FIELD_MANAGER, signal }),
      );
      recent.clear();
      deps.log.warn({ id }, 'breaker confirmed: held removals are carried out');
      return true;
    },
  };
}

/**
 * Removals within the last hour and after the last confirmation. Tombstones say it across restarts; what was swept meanwhile is
 * remembered.
 */
function countRemovals(
  informers: BreakerInformers,
  recent: Map<string, number>,
  now: number,
  confirmedAt: number,
): ReadonlySet<string> {
  for (const [id, at] of recent) if (now - at > HOUR_MS) recent.delete(id);
  const found = new Set(recent.keys());
  const since = Number.isNaN(confirmedAt) ? now - HOUR_MS : Math.max(confirmedAt, now - HOUR_MS);
  const add = (tombstone: KubeObject, id: string): void => {
    const at = Date.parse(tombstone.metadata.annotations?.[ANNOTATION_REMOVED_AT] ?? '');
    if (at >= since) found.add(id);
  };
  for (const object of informers.namespaces.list()) add(object, `Tenant/${object.metadata.name}`);
  for (const object of informers.virtualMachines.list()) {
    add(object, `RDPInstance/${object.metadata.namespace}/${object.metadata.labels?.[LABEL_OWNER_NAME]}`);
  }
  return found;
}

/** Counting on caches that are not filled yet would find too little. A kind that is not served has nothing to count. */
function refuseUnsynced(informers: BreakerInformers): void {
  const { tenants, desktops, namespaces, virtualMachines, definitions, breaker } = informers;
  const behind = [tenants, desktops, namespaces, virtualMachines, definitions, breaker].find(
    (informer) => informer.state() === 'syncing',
  );
  if (behind === undefined) return;
  throw new TransientError(`removals are judged once ${behind.resource.plural} have been read`);
}
