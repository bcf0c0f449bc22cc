import type { Clock } from '../../../kube/clock.ts';
import {
  type Accepted,
  type Change,
  type ChangeState,
  type Journal,
  type Lease,
  LeaseLost,
  type Move,
  type NewChange,
  type Outcome,
} from '../../journal.ts';
import { isSameTarget } from '../overlap.ts';
import { checkChange, checkKey, clampMost, fitOutcome, isFinal, isOpen, KEY_LIFE_MS } from './bounds.ts';

/** A journal that lives as long as its process, for the simulator and for tests. Everything happens at once, so nothing can be in between. */
export function createMemoryJournal(deps: { readonly clock: Clock }): Journal {
  return new MemoryJournal(deps.clock);
}

type RequestKey = { readonly key: string; readonly digest: string };
type KnownKey = { readonly digest: string; readonly changeId: string; readonly expiresAtMs: number };
type Listener = (repository: string | undefined) => void;

class MemoryJournal implements Journal {
  readonly #clock: Clock;
  readonly #changes = new Map<string, Change>();
  readonly #openByRepository = new Map<string, Map<string, Change>>();
  readonly #keys = new Map<string, KnownKey>();
  readonly #leases = new Map<string, Lease>();
  readonly #listeners = new Set<Listener>();
  #sequence = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async accept(change: NewChange, key?: RequestKey): Promise<Accepted> {
    checkChange(change);
    const { subject } = change.author;
    const earlier = key === undefined ? undefined : this.#recall(subject, key);
    if (earlier !== undefined) return earlier;
    const now = this.#clock.now();
    if (key !== undefined) {
      const known = { digest: key.digest, changeId: change.id, expiresAtMs: now + KEY_LIFE_MS };
      this.#keys.set(renderKey(subject, key.key), known);
    }
    const same = this.#changes.get(change.id);
    if (same !== undefined) return { type: 'replayed', change: same };
    this.#sequence += 1n;
    const times = { acceptedAtMs: now, updatedAtMs: now };
    const accepted: Change = { ...change, ...times, sequence: this.#sequence, state: 'Accepted' };
    this.#put(accepted);
    this.#tell(change.repository);
    return { type: 'accepted', change: accepted };
  }

  async recall(subject: string, key: RequestKey): Promise<Accepted | undefined> {
    return this.#recall(subject, key);
  }

  async lease(repository: string, holder: string, ttlMs: number): Promise<Lease | undefined> {
    const now = this.#clock.now();
    const known = this.#leases.get(repository);
    if (known !== undefined && known.holder !== holder && known.untilMs > now) return undefined;
    const epoch = known?.holder === holder ? known.epoch : (known?.epoch ?? 0n) + 1n;
    const lease: Lease = { repository, holder, epoch, untilMs: now + ttlMs, settled: known?.settled };
    this.#leases.set(repository, lease);
    return lease;
  }

  async release(lease: Lease): Promise<void> {
    const known = this.#leases.get(lease.repository);
    if (known !== undefined && isSameLease(known, lease)) this.#leases.set(lease.repository, { ...known, untilMs: 0 });
  }

  async pending(
    repository: string,
    states: readonly ChangeState[],
    most: number,
    after = -1n,
  ): Promise<readonly Change[]> {
    return this.#openOf(repository)
      .filter((change) => states.includes(change.state) && change.sequence > after)
      .slice(0, clampMost(most));
  }

  async record(lease: Lease, outcomes: ReadonlyMap<string, Outcome>, settled?: string): Promise<Lease> {
    const { repository } = lease;
    const known = this.#leases.get(repository);
    if (known === undefined || !isSameLease(known, lease))
      throw new LeaseLost(`the lease of ${repository} went to another holder`);
    const next = { ...known, settled: settled ?? known.settled };
    this.#leases.set(repository, next);
    for (const [id, outcome] of outcomes) {
      const change = this.#changes.get(id);
      if (change?.repository === repository) this.#move(change, outcome);
    }
    return { ...lease, settled: next.settled };
  }

  async advance(moves: ReadonlyMap<string, Move>): Promise<ReadonlySet<string>> {
    const moved = new Set<string>();
    for (const [id, { from, outcome }] of moves) {
      const change = this.#changes.get(id);
      if (change?.state === from && this.#move(change, outcome)) moved.add(id);
    }
    return moved;
  }

  async find(id: string): Promise<Change | undefined> {
    return this.#changes.get(id);
  }

  async open(target: Parameters<Journal['open']>[0]): Promise<readonly Change[]> {
    return [...this.#openByRepository.keys()]
      .flatMap((repository) => this.#openOf(repository))
      .filter(({ intent }) => isSameTarget(intent.target, target))
      .sort(bySequence);
  }

  async list({ namespaces, kind, states, before, most }: Parameters<Journal['list']>[0]): Promise<readonly Change[]> {
    const isWanted = ({ intent, state, sequence }: Change): boolean =>
      (namespaces === undefined || namespaces.includes(intent.target.namespace)) &&
      (kind === undefined || kind === intent.target.kind) &&
      (states === undefined || states.includes(state)) &&
      (before === undefined || sequence < before);
    return [...this.#changes.values()].filter(isWanted).sort(bySequence).reverse().slice(0, clampMost(most));
  }

  async ended({ states, sinceMs, most }: Parameters<Journal['ended']>[0]): Promise<readonly Change[]> {
    return [...this.#changes.values()]
      .filter(({ state, updatedAtMs }) => updatedAtMs >= sinceMs && states.some((one) => one === state))
      .sort((a, b) => a.updatedAtMs - b.updatedAtMs || bySequence(a, b))
      .slice(0, clampMost(most));
  }

  async load(namespace: string): ReturnType<Journal['load']> {
    const open = [...this.#openByRepository.values()].flatMap((changes) => [...changes.values()]);
    const intents = open.filter(({ intent }) => intent.target.namespace === namespace).map(({ intent }) => intent);
    const bytes = intents.reduce((sum, intent) => sum + Buffer.byteLength(JSON.stringify(intent)), 0);
    return { changes: intents.length, bytes };
  }

  async commits(ids: readonly string[]): ReturnType<Journal['commits']> {
    return new Map(
      ids.flatMap((id) => {
        const commit = this.#changes.get(id)?.commit;
        return commit === undefined ? [] : [[id, commit] as const];
      }),
    );
  }

  async backlog(): ReturnType<Journal['backlog']> {
    const open = [...this.#openByRepository.values()].flatMap((changes) => [...changes.values()]);
    const byState = Map.groupBy(open, ({ state }) => state);
    return new Map(
      [...byState].map(([state, changes]) => {
        const oldestAtMs = Math.min(...changes.map(({ acceptedAtMs }) => acceptedAtMs));
        return [state, { changes: changes.length, oldestAtMs }];
      }),
    );
  }

  async waiting(states: readonly ChangeState[] = ['Accepted']): Promise<readonly string[]> {
    return [...this.#openByRepository].flatMap(([repository, changes]) =>
      [...changes.values()].some(({ state }) => states.includes(state)) ? [repository] : [],
    );
  }

  onChange(listener: Listener): () => void {
    const own: Listener = (repository) => listener(repository);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  async prune({ keepMs, most }: { readonly keepMs: number; readonly most: number }): Promise<number> {
    const now = this.#clock.now();
    const expired = [...this.#keys].filter(([, { expiresAtMs }]) => expiresAtMs <= now).slice(0, clampMost(most));
    for (const [key] of expired) this.#keys.delete(key);
    const before = now - Math.max(keepMs, KEY_LIFE_MS);
    const ended = [...this.#changes.values()]
      .filter(({ state, updatedAtMs }) => isFinal(state) && updatedAtMs <= before)
      .slice(0, clampMost(most));
    for (const { id } of ended) this.#changes.delete(id);
    return expired.length + ended.length;
  }

  #recall(subject: string, { key, digest }: RequestKey): Accepted | undefined {
    checkKey(subject, { key, digest });
    const known = this.#keys.get(renderKey(subject, key));
    if (known === undefined || known.expiresAtMs <= this.#clock.now()) return undefined;
    const change = this.#changes.get(known.changeId);
    if (known.digest !== digest || change === undefined) return { type: 'key-reused', changeId: known.changeId };
    return { type: 'replayed', change };
  }

  #openOf(repository: string): readonly Change[] {
    return [...(this.#openByRepository.get(repository)?.values() ?? [])].sort(bySequence);
  }

  #move(change: Change, outcome: Outcome): boolean {
    if (isFinal(change.state)) return false;
    this.#put(moveChange(change, fitOutcome(outcome), this.#clock.now()));
    this.#tell(change.repository);
    return true;
  }

  #put(change: Change): void {
    this.#changes.set(change.id, change);
    const open = this.#openByRepository.get(change.repository) ?? new Map<string, Change>();
    this.#openByRepository.set(change.repository, open);
    if (isOpen(change.state)) open.set(change.id, change);
    else open.delete(change.id);
  }

  #tell(repository: string): void {
    for (const listener of this.#listeners) {
      queueMicrotask(() => this.#listeners.has(listener) && listener(repository));
    }
  }
}

/** The change after an outcome: what the outcome does not name stays, but reason, message and differences, which belong to a state. */
function moveChange(change: Change, outcome: Outcome, nowMs: number): Change {
  const { state, reason, message, differences } = outcome;
  const commit = state === 'Accepted' ? undefined : (outcome.commit ?? change.commit);
  const pullRequest = outcome.pullRequest ?? change.pullRequest;
  return { ...change, state, reason, message, differences, commit, pullRequest, updatedAtMs: nowMs };
}

function isSameLease(a: Lease, b: Lease): boolean {
  return a.epoch === b.epoch && a.holder === b.holder;
}

function renderKey(subject: string, key: string): string {
  return JSON.stringify([subject, key]);
}

function bySequence(a: Change, b: Change): number {
  return a.sequence < b.sequence ? -1 : 1;
}
