import type { Logger } from 'pino';
import type { Clock, Random, Timer } from '../../kube/clock.ts';
import { renderError } from '../../kube/errors.ts';
import type { Metrics } from '../../kube/metrics.ts';
import { computeDelay, parseRetryAfter } from './backoff.ts';
import type { Claimed, Ending, Outbox } from './outbox.ts';
import type { Post, PostResult } from './post.ts';
import { renderHeaders } from './signature.ts';

export type SenderDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
  readonly outbox: Outbox;
  readonly post: Post;
};

export type SenderOptions = {
  /** At once, in this process. Default 32. */
  readonly most?: number | undefined;
  /** At once for one tenant. Default 4. */
  readonly perTenant?: number | undefined;
};

export type Sender = {
  /** Takes no more, waits a moment for answers, and gives back what has none: another sends it again. */
  stop(): Promise<void>;
};

/** How long a claim holds: longer than any attempt takes, and the longest that a message waits when its sender was killed. */
export const CLAIM_MS = 60_000;
const LOOK_MS = 15_000;
/** What is due and cannot be taken now is for tenants that have their share on its way. */
const BUSY_MS = 1_000;
const HOUR_MS = 3_600_000;
const KEPT_MS = 30 * 24 * HOUR_MS;
/** For answers, once it is to stop. */
const GRACE_MS = 2_000;
const MOST_PRUNED = 1_000;
const MOST_WAITING = 50_000;
const GONE = 410;
const ASKS_FOR_TIME = new Set([429, 503]);

/** Sends what is due. Any number of processes may: what one claimed no other takes while the claim holds. */
export function startSender(deps: SenderDeps, options: SenderOptions = {}): Sender {
  return new RunningSender(deps, options);
}

class RunningSender implements Sender {
  readonly #deps: SenderDeps;
  readonly #most: number;
  readonly #perTenant: number;
  readonly #sending = new Set<Promise<void>>();
  readonly #busy = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #stopListening: () => void;
  #timer: Timer | undefined;
  #pass: Promise<void> | undefined;
  #isDirty = false;
  #isStopped = false;
  #prunedAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: SenderDeps, { most = 32, perTenant = 4 }: SenderOptions) {
    this.#deps = deps;
    this.#most = most;
    this.#perTenant = perTenant;
    this.#stopListening = deps.outbox.onPut(() => this.#wake());
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopListening();
    this.#deps.clock.clearTimeout(this.#timer);
    const grace = this.#deps.clock.setTimeout(() => this.#stopping.abort(), GRACE_MS);
    await this.#pass;
    await Promise.all(this.#sending);
    this.#deps.clock.clearTimeout(grace);
  }

  #wake(): void {
    if (this.#isStopped) return;
    this.#isDirty = true;
    this.#deps.clock.clearTimeout(this.#timer);
    this.#pass ??= this.#run().finally(() => {
      this.#pass = undefined;
      if (this.#isDirty) this.#wake();
    });
  }

  /** Until nothing is due that could be taken; then asks to be woken. */
  async #run(): Promise<void> {
    const { clock, log } = this.#deps;
    let waitMs = LOOK_MS;
    try {
      while (this.#isDirty && !this.#isStopped) {
        this.#isDirty = false;
        await this.#prune();
        if (await this.#take()) this.#isDirty = true;
      }
      const nextAtMs = this.#isStopped ? undefined : await this.#deps.outbox.nextAtMs();
      if (nextAtMs !== undefined) waitMs = Math.min(LOOK_MS, Math.max(BUSY_MS, nextAtMs - clock.now()));
    } catch (error) {
      log.warn({ err: renderError(error) }, 'looking for webhook messages failed and is tried again');
    }
    if (!this.#isStopped) this.#timer = clock.setTimeout(() => this.#wake(), waitMs);
  }

  /** Whether there may be more. */
  async #take(): Promise<boolean> {
    const { clock, random, outbox } = this.#deps;
    const most = this.#most - this.#sending.size;
    if (most <= 0) return false;
    const nowMs = clock.now();
    const claim = Buffer.from(random.bytes(16)).toString('hex');
    const claimed = await outbox.claim({
      nowMs,
      untilMs: nowMs + CLAIM_MS,
      claim,
      most,
      perTenant: this.#perTenant,
      busy: this.#busy,
    });
    for (const one of claimed) this.#start(one);
    return claimed.length > 0;
  }

  #start(claimed: Claimed): void {
    const { tenantId } = claimed;
    this.#busy.set(tenantId, (this.#busy.get(tenantId) ?? 0) + 1);
    const sending = sendOnce(this.#deps, claimed, this.#stopping.signal).finally(() => {
      this.#sending.delete(sending);
      const left = (this.#busy.get(tenantId) ?? 1) - 1;
      if (left === 0) this.#busy.delete(tenantId);
      else this.#busy.set(tenantId, left);
      this.#wake();
    });
    this.#sending.add(sending);
  }

  async #prune(): Promise<void> {
    const { clock, outbox } = this.#deps;
    if (clock.monotonic() - this.#prunedAtMs < HOUR_MS) return;
    const nowMs = clock.now();
    const options = { beforeMs: nowMs - KEPT_MS, most: MOST_PRUNED, mostWaiting: MOST_WAITING, nowMs };
    if ((await outbox.prune(options)) < MOST_PRUNED) this.#prunedAtMs = clock.monotonic();
    else this.#isDirty = true;
  }
}

/** One attempt, from the signature to the row. Never rejects: what is not written down is sent again when the claim ran out. */
async function sendOnce(deps: SenderDeps, claimed: Claimed, signal: AbortSignal): Promise<void> {
  const { clock, random, log, metrics, outbox, post } = deps;
  const { event: id, endpoint, url, body, secrets, attempts } = claimed;
  const atMs = clock.now();
  const startMs = clock.monotonic();
  const headers = renderHeaders({ id, timestampSeconds: Math.floor(atMs / 1_000), body }, secrets);
  try {
    const result = await post(url, { headers, body }, signal);
    if (signal.aborted && result.problem !== undefined && result.status === undefined) {
      await outbox.release(claimed, clock.now());
      return;
    }
    const durationMs = clock.monotonic() - startMs;
    const askedMs = ASKS_FOR_TIME.has(result.status ?? 0) ? parseRetryAfter(result.retryAfter, atMs) : undefined;
    const delayMs = computeDelay(attempts, askedMs, random);
    const ending = computeEnding(result, delayMs === undefined ? undefined : clock.now() + delayMs);
    const { status, problem } = result;
    await outbox.finish(claimed, { atMs, durationMs, status, problem }, ending);
    metrics
      ?.counter('sublet_webhook_attempts_total', 'Attempts to send a webhook message.', ['state'])
      .labels(ending.state)
      .inc();
    log.debug({ endpoint, event: id, attempts, status, state: ending.state }, 'sent a webhook message');
  } catch (error) {
    log.warn({ endpoint, event: id, err: renderError(error) }, 'what came of a webhook message was not written down');
  }
}

function computeEnding({ status, problem }: PostResult, nextAtMs: number | undefined): Ending {
  if (problem === undefined) return { state: 'Delivered' };
  if (status === GONE) {
    return { state: 'Dead', disable: { when: 'Always', reason: 'it answered 410: it wants no more' } };
  }
  if (nextAtMs !== undefined) return { state: 'Pending', nextAtMs };
  const reason = `nothing got through for more than three days; last: ${problem}`.slice(0, 500);
  return { state: 'Dead', disable: { when: 'IfSilent', reason } };
}
