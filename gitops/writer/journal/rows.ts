import type { Selectable } from 'kysely';
import type { ChangesTable } from '../../../store/tables.ts';
import type { Difference, Intent } from '../../intent.ts';
import type { Change, ChangeState, NewChange, Outcome } from '../../journal.ts';

/** A row as the database gives it. */
export type ChangeRow = Selectable<ChangesTable>;

/** What we wrote, read back: the tables' checks and `checkChange` hold its shape. */
export function toChange(row: ChangeRow): Change {
  const pullRequest =
    row.pull_request_number === null ? undefined : { number: row.pull_request_number, url: row.pull_request_url ?? '' };
  return {
    sequence: row.sequence,
    id: row.id,
    repository: row.repository,
    intent: row.intent as Intent,
    mode: row.mode as NewChange['mode'],
    author: { subject: row.author_subject, name: row.author_name, email: row.author_email },
    requestId: row.request_id,
    traceparent: row.traceparent ?? undefined,
    state: row.state as ChangeState,
    reason: row.reason ?? undefined,
    message: row.message ?? undefined,
    differences: (row.differences as readonly Difference[] | null) ?? undefined,
    commit: row.commit_id ?? undefined,
    pullRequest,
    acceptedAtMs: row.accepted_at.getTime(),
    updatedAtMs: row.updated_at.getTime(),
  };
}

/** An outcome as a row of the statement that writes many. */
export function toOutcomeRow(id: string, outcome: Outcome) {
  return {
    id,
    state: outcome.state,
    reason: outcome.reason,
    message: outcome.message,
    differences: outcome.differences,
    commit_id: outcome.commit,
    pull_request_number: outcome.pullRequest?.number,
    pull_request_url: outcome.pullRequest?.url,
  };
}
