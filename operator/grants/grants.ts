import { CONFIGMAPS } from '../../kube/builtin.ts';
import { isAlreadyExists, isConflict, isNotFound, TerminalError, TransientError } from '../../kube/errors.ts';
import { FIELD_MANAGER, ownerLabels } from '../../model/labels.ts';
import type { Amounts, Limits, Shortfall } from '../../model/limits.ts';
import { addAmounts, computeShortfall } from '../../model/limits.ts';
import type { ConfigMap, Informers, OperatorDeps } from '../context.ts';
import { GRANTS_NAME } from '../informers.ts';
import type { TenantTree } from '../tree.ts';
import type { Grant } from './ledger.ts';
import { computeTotals, parseLedger, renderField, renderGrant } from './ledger.ts';

const MAX_TRIES = 8;

export type Ask = {
  readonly namespace: string;
  /** `desktops/<name>` or `tenants/<name>`. */
  readonly key: string;
  readonly used: Amounts;
  /** Shares passed on to a sub-tenant. */
  readonly allotted?: Amounts;
};

export type Answer =
  | { readonly granted: true }
  /** `held`: an earlier, smaller or different grant of the same key is still recorded. */
  | { readonly granted: false; readonly shortfall: readonly Shortfall[]; readonly held: boolean };

/**
 * The exact grant: nothing that costs is created before its share is recorded in the one ConfigMap of its namespace, by
 * compare-and-swap. Asks that arrive while a write is under way are decided together in the next one, in order of arrival.
 */
export type Grants = {
  ensure(ask: Ask, signal: AbortSignal): Promise<Answer>;
  /** Reads the record of a namespace anew, where one was seen. Throws `TransientError` when it is gone. */
  refresh(namespace: string, signal: AbortSignal): Promise<void>;
  /** Gives a share back; no call when there is none. */
  release(grant: { readonly namespace: string; readonly key: string }, signal: AbortSignal): Promise<void>;
  /** Resolves once every ask that is under way in a namespace was answered; then {@link Grants.totals} counts it. */
  settled(namespace: string, signal: AbortSignal): Promise<void>;
  /** What is recorded in a namespace, without the grant named `except`. */
  totals(namespace: string, except?: string): Grant;
  recorded(namespace: string, key: string): Grant | undefined;
};

/** The limits that hold in a namespace; an absent name is unlimited. */
export type LimitsOf = (namespace: string) => Limits;

type Job = {
  readonly key: string;
  readonly ask: Ask | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

export function createGrants(
  deps: Pick<OperatorDeps, 'client'>,
  informers: Pick<Informers, 'grants'>,
  tree: TenantTree,
  limitsOf: LimitsOf,
): Grants {
  const queues = new Map<string, Job[]>();
  const read = (namespace: string): ConfigMap | undefined => informers.grants.get(`${namespace}/${GRANTS_NAME}`);
  const ledgerOf = (namespace: string) => parseOrThrow(namespace, read(namespace));

  const submit = (namespace: string, key: string, ask: Ask | undefined, signal: AbortSignal): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const queue = queues.get(namespace);
      const job = { key, ask, resolve, reject };
      if (queue !== undefined) return void queue.push(job);
      queues.set(namespace, [job]);
      void drain(namespace, signal);
    });

  const drain = async (namespace: string, signal: AbortSignal): Promise<void> => {
    for (let jobs = queues.get(namespace); jobs !== undefined; jobs = queues.get(namespace)) {
      if (jobs.length === 0) return void queues.delete(namespace);
      queues.set(namespace, []);
      try {
        const answers = await decide(namespace, jobs, signal);
        jobs.forEach((job, at) => {
          const answer = answers[at];
          if (answer !== undefined) job.resolve(answer);
        });
      } catch (error) {
        for (const job of jobs) job.reject(error);
      }
    }
  };

  /** Decides all jobs on one state of the record and writes it at most once; starts over when somebody else wrote. */
  const decide = async (namespace: string, jobs: readonly Job[], signal: AbortSignal): Promise<readonly Answer[]> => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const live = read(namespace);
      const grants = new Map(parseOrThrow(namespace, live));
      let changed = false;
      const answers = jobs.map(({ key, ask }): Answer => {
        const old = grants.get(key);
        if (ask === undefined) {
          changed = grants.delete(key) || changed;
          return { granted: true };
        }
        const grant: Grant = { used: ask.used, allotted: ask.allotted ?? {} };
        if (old !== undefined && renderGrant(old) === renderGrant(grant)) return { granted: true };
        const shortfall = computeShortfall({
          hard: limitsOf(namespace),
          ...computeTotals(grants, key),
          ask: addAmounts(grant.used, grant.allotted),
          held: old && addAmounts(old.used, old.allotted),
        });
        if (shortfall.length > 0) return { granted: false, shortfall, held: old !== undefined };
        grants.set(key, grant);
        changed = true;
        return { granted: true };
      });
      if (!changed) return answers;
      if (await write(namespace, live, grants, signal)) return answers;
    }
    throw new TransientError(`${namespace}/${GRANTS_NAME} changed ${MAX_TRIES} times while a share was to be recorded`);
  };

  const write = async (
    namespace: string,
    live: ConfigMap | undefined,
    grants: ReadonlyMap<string, Grant>,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const data = Object.fromEntries([...grants].map(([key, grant]) => [renderField(key), renderGrant(grant)]));
    const options = { fieldManager: FIELD_MANAGER, signal };
    try {
      const answer =
        live === undefined
          ? await deps.client.create<ConfigMap>(CONFIGMAPS, buildRecord(tree, namespace, data), options)
          : await deps.client.update<ConfigMap>(CONFIGMAPS, { ...live, data }, options);
      informers.grants.observeWrite(answer);
      return true;
    } catch (error) {
      if (!isConflict(error) && !isAlreadyExists(error) && !isNotFound(error)) throw error;
      await refresh(namespace, signal);
      return false;
    }
  };

  const refresh = async (namespace: string, signal: AbortSignal): Promise<void> => {
    try {
      informers.grants.observeWrite(
        await deps.client.get<ConfigMap>(CONFIGMAPS, { namespace, name: GRANTS_NAME }, { signal }),
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
      throw new TransientError(`${namespace}/${GRANTS_NAME} is gone; waiting for the cache to show it`);
    }
  };

  return {
    async refresh(namespace, signal) {
      if (read(namespace) !== undefined) await refresh(namespace, signal);
    },
    ensure: (ask, signal) => submit(ask.namespace, ask.key, ask, signal),
    async release({ namespace, key }, signal) {
      if (ledgerOf(namespace).has(key)) await submit(namespace, key, undefined, signal);
    },
    async settled(namespace, signal) {
      if (queues.has(namespace)) await submit(namespace, '', undefined, signal);
    },
    totals: (namespace, except) => computeTotals(ledgerOf(namespace), except),
    recorded: (namespace, key) => ledgerOf(namespace).get(key),
  };
}

function parseOrThrow(namespace: string, record: ConfigMap | undefined): ReadonlyMap<string, Grant> {
  const { ledger, unreadable } = parseLedger(record?.data);
  if (unreadable.length === 0) return ledger;
  throw new TerminalError(
    'GrantsUnreadable',
    `ConfigMap ${namespace}/${GRANTS_NAME}: ${unreadable.join(', ')} cannot be read; nothing is granted until it is mended`,
  );
}

function buildRecord(tree: TenantTree, namespace: string, data: Readonly<Record<string, string>>): ConfigMap {
  const owner = tree.owner(namespace);
  const name = owner?.tenant?.metadata.name ?? '';
  if (owner === undefined || name === '')
    throw new TransientError(`namespace ${namespace} has no tenant to record grants for`);
  const labels = ownerLabels({ tenantId: owner.tenantId, kind: 'Tenant', name });
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: GRANTS_NAME, namespace, labels }, data };
}
