import { z } from 'zod';
import type { Change } from '../gitops/journal.ts';
import type { ClusterWrite } from './aroundtheapi.ts';
import { renderAsker } from './authorize.ts';
import { ChangeSchema } from './change.ts';
import type { FolderCommit } from './commits.ts';
import type { InvitationTraces } from './records/invitations.ts';
import type { KeyRecord, KeyTraces } from './records/keys.ts';
import type { Reveal } from './records/links.ts';
import type { EndpointTrace } from './webhooks/endpoints.ts';

/** One thing that somebody did. */
export const Entry = z.strictObject({
  at: z.string(),
  type: z
    .enum([
      'Change',
      'Commit',
      'ClusterWrite',
      'PasswordShown',
      'KeyMade',
      'KeyUsed',
      'KeyRevoked',
      'InvitationMade',
      'InvitationRevoked',
      'SignedUp',
      'WebhookMade',
      'WebhookRemoved',
    ])
    .describe(
      '`Commit` and `ClusterWrite` went around the API. `KeyUsed` is one for each day (UTC) and address: `at` is the first use, `until` the last.',
    ),
  who: z
    .string()
    .describe(
      'The user as the API server names it, with `(key <id>)` where a key acted in its name; of a password, whoever made the link; of a commit, whom it names as its author; of a write past Git, what the program calls itself.',
    ),
  target: z.strictObject({ kind: z.string(), name: z.string() }).describe('What it was done to.'),
  action: z.enum(['Create', 'Edit', 'Delete']).optional(),
  change: z.string().optional(),
  state: ChangeSchema.shape.state.optional(),
  commit: z.string().optional(),
  subject: z.string().optional().describe('First line of a commit that touches nothing else.'),
  files: z.array(z.string()).optional().describe("What a commit touches of the tenant's folder, the first 20."),
  requestId: z.string().optional(),
  key: z.string().optional().describe('Id of the key that was made, used or revoked, or that made the link.'),
  from: z
    .string()
    .optional()
    .describe(
      'The address from which a password was seen or a key used; absent where a key was used from more than are kept apart.',
    ),
  until: z.string().optional().describe('When a key was used last on that day, to the minute.'),
});
export type Entry = z.output<typeof Entry>;

/** An entry and when it was; `sequence` tells changes of one moment apart. */
export type Found = { readonly ms: number; readonly sequence?: bigint; readonly entry: Omit<Entry, 'at'> };

export function renderChangeEntry(change: Change): Found {
  const { id, intent, state, commit, requestId, author, acceptedAtMs, sequence } = change;
  return {
    ms: acceptedAtMs,
    sequence,
    entry: {
      type: 'Change',
      who: author.name,
      target: { kind: intent.target.kind, name: intent.target.name },
      action: intent.type,
      change: id,
      state,
      requestId,
      ...(commit === undefined ? {} : { commit }),
    },
  };
}

export function renderReveal({ atMs, maker, desktop, from }: Reveal): Found {
  const who = renderAsker(maker.username, maker.keyId);
  const target = { kind: 'RDPInstance', name: desktop };
  const key = maker.keyId === undefined ? {} : { key: maker.keyId };
  return { ms: atMs, entry: { type: 'PasswordShown', who, target, ...key, from } };
}

export function renderKeys({ made, revoked, used }: KeyTraces): Found[] {
  const about = ({ id, name }: KeyRecord) => ({ target: { kind: 'Key', name }, key: id });
  return [
    ...made.map((key) => ({
      ms: key.createdAtMs,
      entry: { type: 'KeyMade' as const, who: key.maker, ...about(key) },
    })),
    ...revoked.map(({ key, atMs, by = NOT_KNOWN }) => ({
      ms: atMs,
      entry: { type: 'KeyRevoked' as const, who: by, ...about(key) },
    })),
    ...used.map(({ key, firstAtMs, lastAtMs, from }) => ({
      ms: firstAtMs,
      entry: {
        type: 'KeyUsed' as const,
        who: renderAsker(key.maker, key.id),
        ...about(key),
        ...(from === undefined ? {} : { from }),
        until: new Date(lastAtMs).toISOString(),
      },
    })),
  ];
}

export function renderInvitations({ made, revoked, used }: InvitationTraces): Found[] {
  const target = ({ id }: { readonly id: string }) => ({ kind: 'Invitation', name: id });
  return [
    ...made.map((invitation) => ({
      ms: invitation.createdAtMs,
      entry: { type: 'InvitationMade' as const, who: invitation.maker, target: target(invitation) },
    })),
    ...revoked.map(({ invitation, atMs, by = NOT_KNOWN }) => ({
      ms: atMs,
      entry: { type: 'InvitationRevoked' as const, who: by, target: target(invitation) },
    })),
    ...used.map(({ invitation, subject, atMs, changeId }) => ({
      ms: atMs,
      entry: {
        type: 'SignedUp' as const,
        who: subject,
        target: target(invitation),
        ...(changeId === undefined ? {} : { change: changeId }),
      },
    })),
  ];
}

/** Written before it was written down who revokes. */
const NOT_KNOWN = 'not known';

export function renderWebhook({ url, maker, createdAtMs, removed }: EndpointTrace): Found[] {
  // What follows the host may be a secret of the receiver's.
  const target = { kind: 'Webhook', name: new URL(url).origin };
  const made = { ms: createdAtMs, entry: { type: 'WebhookMade' as const, who: maker, target } };
  return removed === undefined
    ? [made]
    : [made, { ms: removed.atMs, entry: { type: 'WebhookRemoved' as const, who: removed.by, target } }];
}

/** The text of a commit that also touches what others have may be about them, and is left out. */
export function renderCommit({ commit, who, atMs, message, files, isAlone }: FolderCommit): Found {
  const subject = message.split('\n', 1)[0]?.slice(0, 200) ?? '';
  return {
    ms: atMs,
    entry: {
      type: 'Commit',
      who,
      target: { kind: 'Commit', name: commit.slice(0, 12) },
      commit,
      files: [...files],
      ...(isAlone ? { subject } : {}),
    },
  };
}

export function renderWrite({ atMs, manager, subresource, kind, name }: ClusterWrite): Found {
  const target = { kind, name: subresource === undefined ? name : `${name}/${subresource}` };
  return { ms: atMs, entry: { type: 'ClusterWrite', who: manager, target } };
}
