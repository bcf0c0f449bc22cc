import type { Clock } from '../../../kube/clock.ts';
import { type Accepted, type Change, type Journal, type Lease, LeaseLost, type Outcome } from '../../journal.ts';
import { checkChange, checkKey, clampMost, fitOutcome, isFinal, isOpen, KEY_LIFE_MS } from './bounds.ts';

type Key = { readonly digest: string; readonly changeId: string; readonly expiresAtMs: number };

/** A journal that lives as long as its process, for the simulator and for tests. Everything happens at once, so nothing can be in between. */
export function createMemoryJournal({ clock }: { readonly clock: Clock }): Journal {
  const changes = new Map<string, Change>();
  const open = new Map<string, Map<string, Change>>();
  const keys = new Map<string, Key>();
  const leases = new Map<string, Lease>();
  const listeners = new Set<(repository: string | undefined) => void>();
  let sequence = 0n;

  const tell = (repository: string): void => {
    for (const listener of listeners) queueMicrotask(() => listeners.has(listener) && listener(repository));
  };
  const put = (change: Change): void => {
    changes.set(change.id, change);
    const ofRepository = open.get(change.repository) ?? new Map<string, Change>();
    open.set(change.repository, ofRepository);
    if (isOpen(change.state)) ofRepository.set(change.id, change);
    else ofRepository.delete(change.id);
  };
  const move = (id: string, outcome: Outcome): void => {
    const change = changes.get(id);
    if (change === undefined || isFinal(change.state)) return;
    put(moveChange(change, fitOutcome(outcome), clock.now()));
    tell(change.repository);
  };
  const recall = (subject: string, { key, digest }: { readonly key: string; readonly digest: string }) => {
    checkKey(subject, { key, digest });
    const known = keys.get(JSON.stringify([subject, key]));
    if (known === undefined || known.expiresAtMs <= clock.now()) return undefined;
    const change = changes.get(known.changeId);
    if (known.digest !== digest || change === undefined)
      return { type: 'key-reused', changeId: known.changeId } satisfies Accepted;
    return { type: 'replayed', change } satisfies Accepted;
  };
  const openOf = (repository: string): Change[] =>
    [...(open.get(repository)?.values() ?? [])].sort((a, b) => (a.sequence < b.sequence ? -1 : 1));

  return {
    accept: async (change, key) => {
      checkChange(change);
      const earlier = key === undefined ? undefined : recall(change.author.subject, key);
      if (earlier !== undefined) return earlier;
      const same = changes.get(change.id);
      if (key !== undefined) {
        const { digest } = key;
        const expiresAtMs = clock.now() + KEY_LIFE_MS;
        keys.set(JSON.stringify([change.author.subject, key.key]), { digest, changeId: change.id, expiresAtMs });
      }
      if (same !== undefined) return { type: 'replayed', change: same };
      sequence += 1n;
      const now = clock.now();
      const accepted: Change = { ...change, sequence, state: 'Accepted', acceptedAtMs: now, updatedAtMs: now };
      put(accepted);
      tell(change.repository);
      return { type: 'accepted', change: accepted };
    },
    recall: async (subject, key) => recall(subject, key),
    lease: async (repository, holder, ttlMs) => {
      const now = clock.now();
      const known = leases.get(repository);
      if (known !== undefined && known.holder !== holder && known.untilMs > now) return undefined;
      const goesOn = known?.holder === holder && known.untilMs > now;
      const epoch = known === undefined ? 1n : goesOn ? known.epoch : known.epoch + 1n;
      const lease: Lease = { repository, holder, epoch, untilMs: now + ttlMs, settled: known?.settled };
      leases.set(repository, lease);
      return lease;
    },
    release: async (lease) => {
      const known = leases.get(lease.repository);
      if (known?.epoch === lease.epoch && known.holder === lease.holder)
        leases.set(lease.repository, { ...known, untilMs: 0 });
    },
    pending: async (repository, states, most, after = -1n) =>
      openOf(repository)
        .filter((change) => states.includes(change.state) && change.sequence > after)
        .slice(0, clampMost(most)),
    record: async (lease, outcomes, settled) => {
      const known = leases.get(lease.repository);
      if (known === undefined || known.epoch !== lease.epoch || known.holder !== lease.holder)
        throw new LeaseLost(`the lease of ${lease.repository} went to another holder`);
      const next = { ...known, settled: settled ?? known.settled };
      leases.set(lease.repository, next);
      for (const [id, outcome] of outcomes) if (changes.get(id)?.repository === lease.repository) move(id, outcome);
      return { ...lease, settled: next.settled };
    },
    advance: async (moves) => {
      const moved = new Set<string>();
      for (const [id, { from, outcome }] of moves) {
        if (changes.get(id)?.state !== from || isFinal(from)) continue;
        move(id, outcome);
        moved.add(id);
      }
      return moved;
    },
    find: async (id) => changes.get(id),
    open: async ({ kind, namespace, name }) =>
      [...open.keys()]
        .flatMap(openOf)
        .filter(
          ({ intent: { target } }) => target.kind === kind && target.namespace === namespace && target.name === name,
        )
        .sort((a, b) => (a.sequence < b.sequence ? -1 : 1)),
    list: async ({ namespaces, states, before, most }) =>
      [...changes.values()]
        .filter(
          (change) =>
            (namespaces === undefined || namespaces.includes(change.intent.target.namespace)) &&
            (states === undefined || states.includes(change.state)) &&
            (before === undefined || change.sequence < before),
        )
        .sort((a, b) => (a.sequence > b.sequence ? -1 : 1))
        .slice(0, clampMost(most)),
    waiting: async (states = ['Accepted']) =>
      [...open].filter(([, of]) => [...of.values()].some(({ state }) => states.includes(state))).map(([name]) => name),
    onChange: (listener) => {
      const own = (repository: string | undefined): void => listener(repository);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    prune: async ({ keepMs, most }) => {
      const now = clock.now();
      const expired = [...keys].filter(([, { expiresAtMs }]) => expiresAtMs <= now).slice(0, most);
      for (const [key] of expired) keys.delete(key);
      const ended = [...changes.values()]
        .filter(({ state, updatedAtMs }) => isFinal(state) && updatedAtMs <= now - Math.max(keepMs, KEY_LIFE_MS))
        .slice(0, most);
      for (const { id } of ended) changes.delete(id);
      return expired.length + ended.length;
    },
  };
}

/** The change after an outcome: what the outcome does not name stays, but reason, message and differences, which belong to a state. */
function moveChange(change: Change, outcome: Outcome, nowMs: number): Change {
  const { state, reason, message, differences } = outcome;
  const commit = state === 'Accepted' ? undefined : (outcome.commit ?? change.commit);
  const pullRequest = outcome.pullRequest ?? change.pullRequest;
  return { ...change, state, reason, message, differences, commit, pullRequest, updatedAtMs: nowMs };
}
