import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { parse } from 'yaml';
import { openHands } from '../../../git/testing/gitremote.ts';
import type { Intent } from '../../../gitops/intent.ts';
import { type ChangeState, FINAL_STATES } from '../../../gitops/journal.ts';
import { listChangeIds } from '../../../gitops/message.ts';

export type Verdict = {
  readonly accepted: number;
  readonly committed: number;
  readonly conflicts: number;
  /** Ids that were accepted and never ended, each with its state, or are not in the journal. */
  readonly unfinished: readonly string[];
  /** Changes that are on a branch more than once. */
  readonly duplicates: readonly string[];
  /** Where a branch, the journal and the files do not agree: a committed change that is not there, a value that was overwritten unseen. */
  readonly lost: readonly string[];
};

/** Nobody follows a commit to a cluster here, so `Committed` is as far as a change gets that does not end before. */
const ENDS: readonly ChangeState[] = ['Committed', ...FINAL_STATES];

export function hasEnded(state: ChangeState): boolean {
  return ENDS.includes(state);
}

type Row = {
  readonly id: string;
  readonly repository: string;
  readonly state: ChangeState;
  readonly reason: string | null;
  readonly intent: Intent;
};

/** Waits until nothing is on its way, then compares the journal, the history of each branch, and the files at its head. */
export async function judge(
  databaseUrl: string,
  remotes: ReadonlyMap<string, string>,
  accepted: readonly string[],
  settleMs: number,
): Promise<Verdict> {
  const rows = await readSettled(databaseUrl, settleMs);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const unfinished = accepted.flatMap((id) => {
    const state = byId.get(id)?.state;
    return state !== undefined && hasEnded(state) ? [] : [`${id} is ${state ?? 'not in the journal'}`];
  });
  const known = new Set(accepted);
  // Every request was repeated until it was answered, so there is no change that nobody was told of.
  const untold = rows.filter(({ id }) => !known.has(id)).map(({ id }) => `${id} was never answered for`);
  const judged = await Promise.all(
    [...remotes].map(([name, path]) =>
      judgeRepository(
        path,
        rows.filter(({ repository }) => repository === name),
      ),
    ),
  );
  return {
    accepted: accepted.length,
    committed: rows.filter(({ state }) => state === 'Committed').length,
    conflicts: rows.filter(({ state }) => state === 'Conflict').length,
    unfinished,
    duplicates: judged.flatMap(({ duplicates }) => duplicates),
    lost: [...untold, ...judged.flatMap(({ lost }) => lost)],
  };
}

async function readSettled(databaseUrl: string, settleMs: number): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const deadlineMs = performance.now() + settleMs;
    for (;;) {
      const { rows } = await client.query<{ readonly waiting: string }>(
        'SELECT count(*) AS waiting FROM changes WHERE NOT (state = ANY($1))',
        [ENDS],
      );
      if (rows[0]?.waiting === '0' || performance.now() > deadlineMs) break;
      await sleep(200);
    }
    return (await client.query<Row>('SELECT id, repository, state, reason, intent FROM changes ORDER BY sequence'))
      .rows;
  } finally {
    await client.end();
  }
}

async function judgeRepository(path: string, rows: readonly Row[]): Promise<Pick<Verdict, 'duplicates' | 'lost'>> {
  const hands = openHands(path);
  const log = await hands.git('log', '--reverse', '--format=%B%x00', 'main');
  const order = log.split('\0').flatMap((message) => listChangeIds(message));
  const counts = new Map<string, number>();
  for (const id of order) counts.set(id, (counts.get(id) ?? 0) + 1);
  const duplicates = [...counts].filter(([, count]) => count > 1).map(([id]) => id);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const lost: string[] = [];
  for (const { id, state, reason } of rows) {
    if (state === 'Committed' && reason !== 'Unchanged' && !counts.has(id))
      lost.push(`${id} is Committed and not on the branch`);
    if ((state !== 'Committed' || reason === 'Unchanged') && counts.has(id))
      lost.push(`${id} is ${reason ?? state} and on the branch`);
  }
  const values = new Map<string, unknown>();
  for (const id of order) {
    const row = byId.get(id);
    if (row === undefined) lost.push(`${id} is on the branch and not in the journal`);
    else lost.push(...replay(values, row));
  }
  return { duplicates, lost: [...lost, ...(await compareFiles(hands, values))] };
}

/** Each value is built on the one before it, or somebody's was overwritten unseen. */
function replay(values: Map<string, unknown>, { id, intent }: Row): readonly string[] {
  if (intent.type !== 'Edit') return [];
  return intent.edits.flatMap(({ path, from, to }) => {
    const cell = `${intent.target.namespace}/${intent.target.name} ${path.join('.')}`;
    const before = values.has(cell) ? values.get(cell) : path.at(-1) === 'title' ? 'begin' : undefined;
    values.set(cell, to);
    return before === from
      ? []
      : [`${id} made ${cell} ${String(to)} of ${String(before)} and its author saw ${String(from)}`];
  });
}

async function compareFiles(
  hands: ReturnType<typeof openHands>,
  values: ReadonlyMap<string, unknown>,
): Promise<readonly string[]> {
  const lost: string[] = [];
  const objects = new Map<
    string,
    { readonly metadata?: { readonly labels?: Record<string, unknown> }; readonly spec?: Record<string, unknown> }
  >();
  for (const [cell, value] of values) {
    const [object = '', path] = cell.split(' ');
    const [namespace = '', name = ''] = object.split('/');
    let found = objects.get(object);
    if (found === undefined) {
      found = parse(
        (await hands.text('main', `tenants/production/${namespace}/plan-${name}.yaml`)) ?? '{}',
      ) as NonNullable<typeof found>;
      objects.set(object, found);
    }
    const present = path === 'spec.title' ? found.spec?.title : found.metadata?.labels?.mark;
    if (present !== value) lost.push(`${cell} is ${String(present)} and was last made ${String(value)}`);
  }
  return lost;
}
