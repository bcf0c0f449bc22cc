import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { LEASES } from './builtin.ts';
import type { Client } from './client.ts';
import { type Clock, type Random, sleep, type Timer } from './clock.ts';
import { isAlreadyExists, isConflict, isNotFound, renderError } from './errors.ts';
import type { Metrics } from './metrics.ts';
import type { KubeObject } from './object.ts';

/** Who may lead is decided by one Lease. Defaults are client-go's: 15 s, 10 s, 2 s. */
export type LeaderElectionOptions = {
  readonly namespace: string;
  readonly name: string;
  /** Unique a process. Default: host name and random bytes. */
  readonly identity?: string | undefined;
  /** How long others wait after the last renewal that they saw. */
  readonly leaseDurationMs?: number | undefined;
  /** How long the leader goes on without a successful renewal before it stops. Less than the lease's duration. */
  readonly renewDeadlineMs?: number | undefined;
  readonly retryPeriodMs?: number | undefined;
};

export type LeaderElectionDeps = {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
};

export type LeaderElector = {
  readonly identity: string;
  /** Resolves once this process leads; false when the signal aborted first. */
  acquire(signal: AbortSignal): Promise<boolean>;
  /** Renews until the lease is lost (rejects with `LeadershipLostError`) or the signal aborts (resolves). */
  hold(signal: AbortSignal): Promise<void>;
  /** Gives the lease up, so that another process need not wait for it to run out. Never throws. */
  release(): Promise<void>;
  /**
   * Whether the last successful renewal is recent enough to act on. False at once in a process that was stopped and goes on later, before
   * its renewal noticed.
   */
  isLeader(): boolean;
};

export class LeadershipLostError extends Error {
  override readonly name = 'LeadershipLostError';
}

export type Lease = KubeObject & {
  readonly spec?: {
    readonly holderIdentity?: string | undefined;
    readonly leaseDurationSeconds?: number | undefined;
    /** RFC 3339 with microseconds. */
    readonly acquireTime?: string | undefined;
    readonly renewTime?: string | undefined;
    readonly leaseTransitions?: number | undefined;
  };
};

/**
 * Elects by optimistic updates of one Lease, as client-go does: another process's lease counts as run out when it did not change for its
 * duration by our own clock, so clocks need not agree. Candidates also watch the Lease, so a release is
 * followed within milliseconds.
 */
export function createLeaderElector(deps: LeaderElectionDeps, options: LeaderElectionOptions): LeaderElector {
  const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = options;
  if (renewDeadlineMs >= leaseDurationMs)
    throw new Error(`renewDeadlineMs ${renewDeadlineMs} must be below leaseDurationMs ${leaseDurationMs}`);
  if (retryPeriodMs * 1.2 >= renewDeadlineMs)
    throw new Error(`retryPeriodMs ${retryPeriodMs} must be well below renewDeadlineMs ${renewDeadlineMs}`);
  const identity = options.identity ?? `${hostname()}_${Buffer.from(deps.random.bytes(8)).toString('hex')}`;
  const elector = new Elector(deps, { ...options, identity, leaseDurationMs, renewDeadlineMs, retryPeriodMs });
  return {
    identity,
    acquire: (signal) => elector.acquire(signal),
    hold: (signal) => elector.hold(signal),
    release: () => elector.release(),
    isLeader: () => elector.isLeader(),
  };
}

type Settings = Required<{ [K in keyof LeaderElectionOptions]: NonNullable<LeaderElectionOptions[K]> }>;

class Elector {
  readonly #deps: LeaderElectionDeps;
  readonly #settings: Settings;
  readonly #log: Logger;
  readonly #master: { set(value: number): void } | undefined;
  /** The lease as last seen, and when, by our own clock. */
  #seen: { readonly lease: Lease; readonly atMs: number } | undefined;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #leads = false;

  constructor(deps: LeaderElectionDeps, settings: Settings) {
    this.#deps = deps;
    this.#settings = settings;
    this.#log = deps.log.child({ lease: `${settings.namespace}/${settings.name}`, identity: settings.identity });
    this.#master = deps.metrics
      ?.gauge('leader_election_master_status', 'Whether this process leads.', ['name'])
      .labels(settings.name);
    this.#master?.set(0);
  }

  isLeader(): boolean {
    return this.#leads && this.#deps.clock.monotonic() - this.#renewedAtMs < this.#settings.renewDeadlineMs;
  }

  async acquire(signal: AbortSignal): Promise<boolean> {
    const watching = new AbortController();
    let wake: (() => void) | undefined;
    const watch = this.#watchRelease(watching.signal, () => wake?.());
    try {
      while (!signal.aborted) {
        // Before the try: a release that is seen while the try is on its way may be younger than what the try reads.
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        if (await this.#tryOnce(signal)) {
          this.#log.info('leading');
          return true;
        }
        if (!signal.aborted) await this.#pause(woken, signal);
      }
      return false;
    } finally {
      watching.abort();
      await watch;
    }
  }

  async hold(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    const { retryPeriodMs, renewDeadlineMs } = this.#settings;
    let spentMs = 0;
    while (!signal.aborted) {
      try {
        await sleep(clock, Math.max(0, retryPeriodMs * (1 + 0.2 * random.next()) - spentMs), signal);
      } catch {
        return;
      }
      const startMs = clock.monotonic();
      const renewed = this.isLeader() && (await this.#tryOnce(signal));
      if (signal.aborted) return;
      if (!renewed && (!this.isLeader() || this.#takenByOther())) {
        this.#leads = false;
        this.#master?.set(0);
        throw new LeadershipLostError(
          this.#takenByOther() ? 'another process holds the lease' : `no renewal succeeded for ${renewDeadlineMs} ms`,
        );
      }
      // A slow server leaves little of the deadline: after a try that failed the time that it took is not waited for again.
      spentMs = renewed ? 0 : clock.monotonic() - startMs;
    }
  }

  async release(): Promise<void> {
    const lease = this.#seen?.lease;
    if (!this.#leads || lease === undefined) return;
    this.#leads = false;
    this.#master?.set(0);
    const now = microTime(this.#deps.clock.now());
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    try {
      await this.#deps.client.update<Lease>(LEASES, { ...lease, spec }, { timeoutMs: RELEASE_TIMEOUT_MS });
      this.#log.info('lease released');
    } catch (error) {
      this.#log.warn({ error: renderError(error) }, 'the lease could not be released, others wait until it runs out');
    }
  }

  #takenByOther(): boolean {
    const holder = this.#seen?.lease.spec?.holderIdentity ?? '';
    return holder !== '' && holder !== this.#settings.identity;
  }

  /** One attempt to take or renew. False when somebody else holds the lease or the API server cannot be asked. */
  async #tryOnce(signal: AbortSignal): Promise<boolean> {
    const startMs = this.#deps.clock.monotonic();
    try {
      const taken = await this.#takeOrRenew(signal);
      if (!taken) return false;
      this.#leads = true;
      this.#renewedAtMs = startMs;
      this.#master?.set(1);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const expected = isConflict(error) || isAlreadyExists(error);
      this.#log[expected ? 'debug' : 'warn']({ error: renderError(error) }, 'the lease could not be taken or renewed');
      if (expected) this.#seen = undefined;
      return false;
    }
  }

  async #takeOrRenew(signal: AbortSignal): Promise<boolean> {
    const { client, clock } = this.#deps;
    const { identity, namespace, name, leaseDurationMs, renewDeadlineMs } = this.#settings;
    const call = { signal, timeoutMs: renewDeadlineMs / 2 };
    const now = microTime(clock.now());
    const leaseDurationSeconds = Math.ceil(leaseDurationMs / 1000);
    const fresh = { holderIdentity: identity, leaseDurationSeconds, acquireTime: now, renewTime: now };

    const own = this.#seen?.lease;
    if (this.#leads && own?.spec?.holderIdentity === identity) {
      const spec = { ...own.spec, ...fresh, acquireTime: own.spec.acquireTime ?? now };
      try {
        this.#see(await client.update<Lease>(LEASES, { ...own, spec }, call));
        return true;
      } catch (error) {
        // An earlier renewal may have been carried out without an answer, or the lease is gone: what is there now decides, in this same try.
        if (!isConflict(error) && !isNotFound(error)) throw error;
      }
    }
    const lease = await this.#read(call);
    if (lease === undefined) {
      const object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name } };
      this.#see(await client.create<Lease>(LEASES, { ...object, spec: { ...fresh, leaseTransitions: 0 } }, call));
      return true;
    }
    this.#see(lease);
    const holder = lease.spec?.holderIdentity ?? '';
    if (holder !== '' && holder !== identity && !this.#ranOut()) return false;
    const leaseTransitions = (lease.spec?.leaseTransitions ?? 0) + (holder === identity ? 0 : 1);
    this.#see(
      await client.update<Lease>(LEASES, { ...lease, spec: { ...lease.spec, ...fresh, leaseTransitions } }, call),
    );
    return true;
  }

  async #read(call: { readonly signal: AbortSignal; readonly timeoutMs: number }): Promise<Lease | undefined> {
    const { namespace, name } = this.#settings;
    try {
      return await this.#deps.client.get<Lease>(LEASES, { namespace, name }, call);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** A lease that looks as before keeps the moment at which it was first seen so. */
  #see(lease: Lease): void {
    if (this.#seen?.lease.metadata.resourceVersion === lease.metadata.resourceVersion) return;
    this.#seen = { lease, atMs: this.#deps.clock.monotonic() };
  }

  #ranOut(): boolean {
    const seen = this.#seen;
    if (seen === undefined) return false;
    const durationMs = (seen.lease.spec?.leaseDurationSeconds ?? 0) * 1000 || this.#settings.leaseDurationMs;
    return this.#deps.clock.monotonic() - seen.atMs >= durationMs;
  }

  /** Until the next try: the retry period, or earlier when the lease was seen released. */
  async #pause(woken: Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    let timer: Timer | undefined;
    let stop: (() => void) | undefined;
    const waited = new Promise<void>((resolve) => {
      stop = resolve;
      timer = clock.setTimeout(resolve, this.#settings.retryPeriodMs * (1 + 0.2 * random.next()));
    });
    const onAbort = (): void => stop?.();
    signal.addEventListener('abort', onAbort, { once: true });
    await Promise.race([waited, woken]);
    signal.removeEventListener('abort', onAbort);
    clock.clearTimeout(timer);
  }

  /** Calls `wake` when the lease is seen without a holder, or deleted. Polling goes on beside it, so failures matter little. */
  async #watchRelease(signal: AbortSignal, wake: () => void): Promise<void> {
    const { client, clock, random } = this.#deps;
    const { namespace, name, retryPeriodMs } = this.#settings;
    while (!signal.aborted) {
      try {
        const timeoutSeconds = 25;
        const options = { namespace, fieldSelector: `metadata.name=${name}`, timeoutSeconds, signal };
        for await (const line of client.watch(LEASES, options)) {
          const spec = 'spec' in line.object ? (line.object as Lease).spec : undefined;
          if (line.type === 'DELETED' || (spec?.holderIdentity ?? '') === '') wake();
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#log.debug({ error: renderError(error) }, 'watching the lease failed');
      }
      await sleep(clock, retryPeriodMs * (1 + random.next()), signal).catch(() => undefined);
    }
  }
}

const RELEASE_TIMEOUT_MS = 2_000;

function microTime(nowMs: number): string {
  return new Date(nowMs).toISOString().replace('Z', '000Z');
}
