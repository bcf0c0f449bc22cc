import { z } from 'zod';
import { type Change, type ChangeState, FINAL_STATES, OPEN_STATES } from '../gitops/journal.ts';
import { PROVIDER } from './place.ts';
import type { Tree } from './tree.ts';

const State = z.enum([...OPEN_STATES, ...FINAL_STATES]);

export const ChangeId = z.string().regex(/^I[0-9a-f]{40}$/, 'must be I and 40 hexadecimal digits');

/** A change as the API shows it. */
export const ChangeSchema = z.strictObject({
  id: z.string().describe('The Change-Id of the commit.'),
  state: State,
  done: z.boolean().describe('Whether the state is an end.'),
  reason: z.string().optional(),
  message: z.string().optional().describe('What happened, and what to do.'),
  differences: z
    .array(
      z.strictObject({
        path: z.string(),
        seen: z.unknown().optional().describe('What the author saw.'),
        wanted: z.unknown().optional(),
        found: z.unknown().optional().describe('What is there instead.'),
      }),
    )
    .optional(),
  type: z.enum(['Create', 'Edit', 'Delete']),
  target: z.strictObject({ kind: z.string(), tenant: z.string().optional(), namespace: z.string(), name: z.string() }),
  mode: z.enum(['Commit', 'PullRequest']),
  commit: z.string().optional(),
  pullRequest: z.strictObject({ number: z.int(), url: z.string() }).optional(),
  author: z.string(),
  requestId: z.string(),
  acceptedAt: z.string(),
  updatedAt: z.string(),
});

export function renderChange(change: Change, tree: Tree): z.input<typeof ChangeSchema> {
  const { id, state, reason, message, differences, intent, mode, commit, pullRequest, author, requestId } = change;
  const { kind, namespace, name } = intent.target;
  const owner = tree.owner(namespace);
  return {
    id,
    state,
    done: isDone(state),
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    ...(differences === undefined ? {} : { differences: [...differences] }),
    type: intent.type,
    target: { kind, ...(owner === undefined ? {} : { tenant: owner.path ?? PROVIDER }), namespace, name },
    mode,
    ...(commit === undefined ? {} : { commit }),
    ...(pullRequest === undefined ? {} : { pullRequest }),
    author: author.subject,
    requestId,
    acceptedAt: new Date(change.acceptedAtMs).toISOString(),
    updatedAt: new Date(change.updatedAtMs).toISOString(),
  };
}

export function isDone(state: ChangeState): boolean {
  return FINAL_STATES.some((final) => final === state);
}

/** Whether someone who waits for `goal` has nothing more to wait for: it is reached, will not be, or needs a person first. */
export function isSettled(state: ChangeState, goal: 'Applied' | 'Ready'): boolean {
  return isDone(state) || state === 'Held' || (goal === 'Applied' && state === 'Applied');
}
