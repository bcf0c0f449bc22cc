import type { Logger } from 'pino';
import type { RDPInstance } from '../../crds/v1alpha1/rdpinstance.ts';
import type { Tenant } from '../../crds/v1alpha1/tenant.ts';
import type { Journal } from '../../gitops/journal.ts';
import type { Clock, Timer } from '../../kube/clock.ts';
import { renderError } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/object.ts';
import { computeTenantId } from '../../model/identity.ts';
import { tenantPath } from '../../model/names.ts';
import type { RunningCaches } from '../caches.ts';
import { PROVIDER } from '../place.ts';
import type { Owner, Tree } from '../tree.ts';
import {
  computeEventId,
  describeChange,
  describeDesktop,
  describeTenant,
  FAILED_STATES,
  type Happening,
  renderBody,
} from './events.ts';
import type { Outbox, OutboxEvent } from './outbox.ts';

export type ObserverDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly caches: Pick<RunningCaches, 'desktops' | 'tenants' | 'lack' | 'watch'>;
  readonly tree: Tree;
  readonly journal: Pick<Journal, 'ended' | 'onChange'>;
  readonly outbox: Pick<Outbox, 'put'>;
};

export type Observer = {
  /** Writes down nothing more. */
  stop(): Promise<void>;
};

/** What a process that starts still tells of what came before. Rows are kept far longer, so what was told is known to have been. */
export const LOOK_BACK_MS = 3 * 86_400_000;
/** A change may be seen this much after the time that stands on it. */
const OVERLAP_MS = 60_000;
const SETTLE_MS = 100;
const RETRY_MS = 5_000;
const PAGE = 500;
const MOST_PENDING = 20_000;
/** A namespace whose owner is not known yet is waited for this long. */
const PATIENCE_MS = 600_000;

/**
 * Puts what happens into the outbox: what becomes of desktops and Tenants from the caches, changes that failed from the journal. Every replica does so: an event's id
 * is drawn from what happened, so it is there once. What failed to be written is tried again, and what a process forgot as it was killed is still to be seen for the
 * next one.
 */
export function startObserver(deps: ObserverDeps): Observer {
  return new RunningObserver(deps);
}

type Pending = { readonly happening: Happening; readonly untilMs: number };

class RunningObserver implements Observer {
  readonly #deps: ObserverDeps;
  readonly #pending = new Map<string, Pending>();
  /** Ids of changes that were told, until they are older than anything that is read again. */
  readonly #told = new Map<string, number>();
  readonly #stopListening: readonly (() => void)[];
  #endedSinceMs: number;
  #hasNewEnded = true;
  #hasNewSeen = false;
  #isOverfull = false;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(deps: ObserverDeps) {
    this.#deps = deps;
    this.#endedSinceMs = deps.clock.now() - LOOK_BACK_MS;
    this.#stopListening = [
      deps.caches.watch({
        desktops: (desktop, old) => this.#see(describeDesktop(desktop), old && describeDesktop(old)),
        tenants: (tenant, old) => this.#see(describeTenant(tenant), old && describeTenant(old)),
      }),
      deps.journal.onChange(() => {
        this.#hasNewEnded = true;
        this.#arm(SETTLE_MS);
      }),
    ];
    this.#arm(SETTLE_MS);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const stop of this.#stopListening) stop();
    this.#deps.clock.clearTimeout(this.#timer);
    await this.#running;
  }

  #see(now: Happening | undefined, before: Happening | undefined): void {
    if (now === undefined || (now.type === before?.type && now.key === before.key)) return;
    this.#hasNewSeen = true;
    this.#note(now);
    this.#arm(SETTLE_MS);
  }

  #note(happening: Happening): void {
    const nowMs = this.#deps.clock.now();
    if (!(happening.occurredAtMs >= nowMs - LOOK_BACK_MS)) return;
    if (this.#pending.size >= MOST_PENDING) this.#isOverfull = true;
    else this.#pending.set(computeEventId(happening), { happening, untilMs: nowMs + PATIENCE_MS });
  }

  /** The first to ask says when; what is asked while it runs comes after. */
  #arm(ms: number): void {
    if (this.#isStopped || this.#timer !== undefined) return;
    const { clock } = this.#deps;
    this.#timer = clock.setTimeout(() => {
      this.#running = this.#run().then((nextMs) => {
        this.#running = undefined;
        this.#timer = undefined;
        if (nextMs !== undefined) this.#arm(nextMs);
      });
    }, ms);
  }

  /** Gives when to run again, if something is left. */
  async #run(): Promise<number | undefined> {
    const { caches, log } = this.#deps;
    if (caches.lack() !== undefined) return RETRY_MS;
    try {
      if (this.#hasNewEnded) await this.#readEnded();
      this.#hasNewSeen = false;
      await this.#flush();
    } catch (error) {
      log.warn({ err: renderError(error) }, 'writing down webhook events failed and is tried again');
      return RETRY_MS;
    }
    if (this.#hasNewEnded || this.#hasNewSeen) return SETTLE_MS;
    if (this.#isOverfull && this.#pending.size === 0) this.#lookAgain();
    return this.#pending.size === 0 ? undefined : RETRY_MS;
  }

  async #readEnded(): Promise<void> {
    const { journal } = this.#deps;
    this.#hasNewEnded = false;
    let sinceMs = this.#endedSinceMs;
    try {
      for (;;) {
        const page = await journal.ended({ states: FAILED_STATES, sinceMs, most: PAGE });
        for (const change of page) {
          if (this.#told.has(change.id)) continue;
          this.#told.set(change.id, change.updatedAtMs);
          this.#note(describeChange(change));
        }
        const lastMs = page.at(-1)?.updatedAtMs ?? sinceMs;
        this.#endedSinceMs = Math.max(this.#endedSinceMs, lastMs - OVERLAP_MS);
        if (page.length < PAGE || this.#pending.size >= MOST_PENDING) break;
        // More of one moment than a page holds: the next moment.
        sinceMs = lastMs > sinceMs ? lastMs : sinceMs + 1;
      }
    } catch (error) {
      this.#hasNewEnded = true;
      throw error;
    }
    for (const [id, atMs] of this.#told) if (atMs < this.#endedSinceMs) this.#told.delete(id);
  }

  async #flush(): Promise<void> {
    const { clock, outbox, tree } = this.#deps;
    const nowMs = clock.now();
    let batch: OutboxEvent[] = [];
    const put = async (): Promise<void> => {
      await outbox.put(batch, nowMs);
      for (const { id } of batch) this.#pending.delete(id);
      batch = [];
    };
    for (const [id, { happening, untilMs }] of [...this.#pending]) {
      const whose = findWhose(tree, happening.about);
      if (whose === undefined) {
        if (untilMs <= nowMs) this.#pending.delete(id);
        continue;
      }
      const { type, occurredAtMs } = happening;
      batch.push({ id, type, tenantIds: whose.tenantIds, body: renderBody(happening, whose.path), occurredAtMs });
      if (batch.length >= PAGE) await put();
    }
    if (batch.length > 0) await put();
  }

  /** More came than there was room for: all of it is still to be seen. */
  #lookAgain(): void {
    const { caches, clock } = this.#deps;
    this.#isOverfull = false;
    this.#told.clear();
    this.#endedSinceMs = clock.now() - LOOK_BACK_MS;
    this.#hasNewEnded = true;
    const seen = [
      ...caches.desktops.list().map((desktop: RDPInstance & KubeObject) => describeDesktop(desktop)),
      ...caches.tenants.list().map((tenant: Tenant & KubeObject) => describeTenant(tenant)),
    ];
    for (const happening of seen) if (happening !== undefined) this.#note(happening);
  }
}

/** Who may hear of it: whose it is and everybody above, by identity. Undefined while the tree does not know. */
function findWhose(
  tree: Tree,
  about: Happening['about'],
): { readonly tenantIds: readonly string[]; readonly path: string } | undefined {
  if ('namespace' in about) {
    const owner = tree.owner(about.namespace);
    return owner && { tenantIds: listUpwards(owner), path: owner.path ?? PROVIDER };
  }
  const seller = tree.owner(about.sellerNamespace);
  if (seller === undefined) return undefined;
  const { name, id } = about.tenant;
  const own = computeTenantId(seller.tenantId, id);
  return { tenantIds: [own, ...listUpwards(seller)], path: tenantPath(seller.path, name) };
}

function listUpwards({ tenantId, seller }: Owner): readonly string[] {
  return seller === undefined ? [tenantId] : [tenantId, ...listUpwards(seller)];
}
