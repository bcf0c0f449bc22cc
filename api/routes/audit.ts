import { z } from 'zod';
import { type ClusterWrite, observeClusterWrites, observeCommits } from '../aroundtheapi.ts';
import { ChangeSchema } from '../change.ts';
import type { FolderCommit } from '../commits.ts';
import { isOfPresentTenant } from '../lifetime.ts';
import type { Place } from '../place.ts';
import { type Answer, defineRoute, type Route } from '../route.ts';
import type { RoutesDeps } from './deps.ts';
import { InPlace, Page, pageSchema } from './shapes.ts';

const Entry = z.strictObject({
  at: z.string(),
  type: z
    .enum([
      'Change',
      'Commit',
      'ClusterWrite',
      'PasswordShown',
      'KeyMade',
      'KeyRevoked',
      'WebhookMade',
      'WebhookRemoved',
    ])
    .describe('`Commit` and `ClusterWrite` went around the API.'),
  who: z
    .string()
    .describe(
      'The user as the API server names it; of a password, whoever made the link; of a commit, whom it names as its author; of a write past Git, what the program calls itself.',
    ),
  target: z.strictObject({ kind: z.string(), name: z.string() }).describe('What it was done to.'),
  action: z.enum(['Create', 'Edit', 'Delete']).optional(),
  change: z.string().optional(),
  state: ChangeSchema.shape.state.optional(),
  commit: z.string().optional(),
  subject: z.string().optional().describe('First line of a commit that touches nothing else.'),
  files: z.array(z.string()).optional().describe("What a commit touches of the tenant's folder, the first 20."),
  requestId: z.string().optional(),
  from: z.string().optional().describe('The address from which a password was seen.'),
});
type Entry = z.output<typeof Entry>;

const AuditPage = z.strictObject({
  ...pageSchema(Entry).shape,
  missing: z.array(z.string()).optional().describe('What could not be read, so that there may be more.'),
});

/** Who did what: changes with their commits, passwords that were shown, keys and webhooks; and what went around the API, as Git and the API server remember it. */
export function buildAuditRoutes(deps: RoutesDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/v1/tenants/{path}/audit',
      operationId: 'list-audit',
      summary: "List who did what to what lives in a tenant's namespace, through the API and around it, newest first",
      tag: 'audit',
      access: ({ namespace }: Place) => ({ verb: 'list', resource: 'events', namespace }) as const,
      params: InPlace,
      query: Page,
      answers: { 200: { description: 'One page; entries of one moment stay together.', schema: AuditPage } },
      handle: ({ place, query, signal }) => listAudit(deps, place, query, signal()),
    }),
  ];
}

/** Of each kind; more than a page, so that what happened at one moment is never cut in two. */
const MOST = 1_000;

/** Where a page begins: what is older than this. */
type Before = { readonly ms: number; readonly sequence: bigint | undefined };

async function listAudit(
  deps: RoutesDeps,
  place: Place,
  { limit, cursor }: z.output<typeof Page>,
  signal: AbortSignal,
): Promise<Answer> {
  const query = `audit ${place.namespace}`;
  const before = cursor === undefined ? NOTHING_YET : parseBefore(deps.cursors.parse(query, cursor));
  const { found, missing } = await gather(deps, place, before, signal);
  const sorted = found
    .filter(({ ms }) => isOfPresentTenant(deps.caches, place.namespace, ms))
    .sort((a, b) => b.ms - a.ms || compareSequences(a, b));
  const cut = sorted[limit - 1]?.ms;
  const page = cut === undefined ? sorted : sorted.filter(({ ms }) => ms >= cut);
  const items = page.map(({ ms, entry }) => ({ at: new Date(ms).toISOString(), ...entry }));
  const last = page.at(-1);
  if (last === undefined || page.length === sorted.length) return { status: 200, body: { items, ...missing } };
  const sequence = page.findLast((one) => one.sequence !== undefined)?.sequence ?? before.sequence;
  return { status: 200, body: { items, ...missing, next: deps.cursors.render(query, `${last.ms} ${sequence ?? ''}`) } };
}

const NOTHING_YET: Before = { ms: Date.UTC(9999, 0, 1), sequence: undefined };

function parseBefore(text: string): Before {
  const [ms = '', sequence = ''] = text.split(' ');
  return { ms: Number(ms), sequence: sequence === '' ? undefined : BigInt(sequence) };
}

type Found = { readonly ms: number; readonly sequence?: bigint; readonly entry: Omit<Entry, 'at'> };

/** All of it that is older than `before`, in no order. */
async function gather(
  deps: RoutesDeps,
  place: Place,
  before: Before,
  signal: AbortSignal,
): Promise<{ readonly found: readonly Found[]; readonly missing: { readonly missing?: readonly string[] } }> {
  const { namespace, path } = place;
  const { sequence } = before;
  const tenantId = deps.tree.owner(namespace)?.tenantId;
  const [changes, reveals, keys, webhooks, writes] = await Promise.all([
    deps.journal.list({ namespaces: [namespace], ...(sequence === undefined ? {} : { before: sequence }), most: MOST }),
    deps.links.listReveals(namespace, { beforeMs: before.ms, most: MOST }),
    deps.keys.listAll(path),
    tenantId === undefined ? [] : deps.endpoints.listTraces(tenantId),
    observeClusterWrites(deps, namespace, signal),
  ]);
  const commits = await observeCommits(deps, namespace, changes);
  const ofChanges = changes.map(({ id, intent, state, commit, requestId, author, acceptedAtMs, sequence: own }) => ({
    ms: acceptedAtMs,
    sequence: own,
    entry: {
      type: 'Change' as const,
      who: author.name,
      target: { kind: intent.target.kind, name: intent.target.name },
      action: intent.type,
      change: id,
      state,
      requestId,
      ...(commit === undefined ? {} : { commit }),
    },
  }));
  const ofReveals = reveals.map(({ atMs, maker, desktop, from }) => ({
    ms: atMs,
    entry: {
      type: 'PasswordShown' as const,
      who: maker.username,
      target: { kind: 'RDPInstance', name: desktop },
      from,
    },
  }));
  const ofKeys = keys.flatMap(({ maker, name, createdAtMs, revokedAtMs }) => {
    const target = { kind: 'Key', name };
    const made = { ms: createdAtMs, entry: { type: 'KeyMade' as const, who: maker, target } };
    return revokedAtMs === undefined
      ? [made]
      : [made, { ms: revokedAtMs, entry: { type: 'KeyRevoked' as const, who: maker, target } }];
  });
  const ofWebhooks = webhooks.flatMap(({ url, maker, createdAtMs, removed }) => {
    // What follows the host may be a secret of the receiver's.
    const target = { kind: 'Webhook', name: new URL(url).origin };
    const made = { ms: createdAtMs, entry: { type: 'WebhookMade' as const, who: maker, target } };
    return removed === undefined
      ? [made]
      : [made, { ms: removed.atMs, entry: { type: 'WebhookRemoved' as const, who: removed.by, target } }];
  });
  const whole = [...ofKeys, ...ofWebhooks, ...commits.found.map(renderCommit), ...writes.map(renderWrite)];
  const found = [...ofChanges, ...ofReveals, ...whole.filter(({ ms }) => ms < before.ms)];
  return { found, missing: commits.missing === undefined ? {} : { missing: [commits.missing] } };
}

/** Of one moment the later change comes first; the rest stays as it was found. */
function compareSequences({ sequence: a }: Found, { sequence: b }: Found): number {
  return a === undefined || b === undefined ? 0 : Number(b - a);
}

/** The text of a commit that also touches what others have may be about them, and is left out. */
function renderCommit({ commit, who, atMs, message, files, isAlone }: FolderCommit): Found {
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

function renderWrite({ atMs, manager, subresource, kind, name }: ClusterWrite): Found {
  const target = { kind, name: subresource === undefined ? name : `${name}/${subresource}` };
  return { ms: atMs, entry: { type: 'ClusterWrite', who: manager, target } };
}
