import type { Journal, Lease, Outcome } from '../journal.ts';

/** Says beside changes that wait what they wait for. Says it once: a change that says so already is not written again. */
export async function explain(journal: Journal, lease: Lease, why: string): Promise<void> {
  const waiting = await journal.pending(lease.repository, ['Accepted'], MOST_TOLD);
  const outcomes = new Map(
    waiting
      .filter(({ message }) => message !== why)
      .map(({ id }) => [id, { state: 'Accepted', reason: 'Waiting', message: why } satisfies Outcome] as const),
  );
  if (outcomes.size > 0) await journal.record(lease, outcomes);
}

const MOST_TOLD = 200;
