import { z } from 'zod';
import { ChangeSchema } from '../change.ts';
import { isOfPresentTenant } from '../lifetime.ts';
import type { Place } from '../place.ts';
import { type Answer, defineRoute, type Route } from '../route.ts';
import type { RoutesDeps } from './index.ts';
import { InPlace, Page, pageSchema } from './shapes.ts';

const Entry = z.strictObject({
  at: z.string(),
  type: z.enum(['Change', 'PasswordShown', 'KeyMade', 'KeyRevoked', 'WebhookMade', 'WebhookRemoved']),
  who: z.string().describe('The user as the API server names it; of a password, whoever made the link.'),
  target: z.strictObject({ kind: z.string(), name: z.string() }).describe('What it was done to.'),
  action: z.enum(['Create', 'Edit', 'Delete']).optional(),
  change: z.string().optional(),
  state: ChangeSchema.shape.state.optional(),
  commit: z.string().optional(),
  requestId: z.string().optional(),
  from: z.string().optional().describe('The address from which a password was seen.'),
});
type Entry = z.output<typeof Entry>;

/** Who did what: changes with their commits, passwords that were shown, keys and webhooks. Commits that people make themselves are in Git's own history. */
export function buildAuditRoutes(deps: RoutesDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/v1/tenants/{path}/audit',
      operationId: 'list-audit',
      summary: "List who did what to what lives in a tenant's namespace through the API, newest first",
      tag: 'audit',
      access: ({ namespace }: Place) => ({ verb: 'list', resource: 'events', namespace }) as const,
      params: InPlace,
      query: Page,
      answers: { 200: { description: 'One page; entries of one moment stay together.', schema: pageSchema(Entry) } },
      handle: ({ place, query }) => listAudit(deps, place, query),
    }),
  ];
}

/** Of each kind; more than a page, so that what happened at one moment is never cut in two. */
const MOST = 1_000;

/** Where a page begins: what is older than this. */
type Before = { readonly ms: number; readonly sequence: bigint | undefined };

async function listAudit(deps: RoutesDeps, place: Place, { limit, cursor }: z.output<typeof Page>): Promise<Answer> {
  const query = `audit ${place.namespace}`;
  const before = cursor === undefined ? NOTHING_YET : parseBefore(deps.cursors.parse(query, cursor));
  const found = await gather(deps, place, before);
  const sorted = found
    .filter(({ ms }) => isOfPresentTenant(deps.caches, place.namespace, ms))
    .sort(
      (a, b) =>
        b.ms - a.ms || (a.sequence === undefined || b.sequence === undefined || a.sequence > b.sequence ? -1 : 1),
    );
  const cut = sorted[limit - 1]?.ms;
  const page = cut === undefined ? sorted : sorted.filter(({ ms }) => ms >= cut);
  const items = page.map(({ ms, entry }) => ({ at: new Date(ms).toISOString(), ...entry }));
  const last = page.at(-1);
  if (last === undefined || page.length === sorted.length) return { status: 200, body: { items } };
  const sequence = page.findLast((one) => one.sequence !== undefined)?.sequence ?? before.sequence;
  return { status: 200, body: { items, next: deps.cursors.render(query, `${last.ms} ${sequence ?? ''}`) } };
}

const NOTHING_YET: Before = { ms: Date.UTC(9999, 0, 1), sequence: undefined };

function parseBefore(text: string): Before {
  const [ms = '', sequence = ''] = text.split(' ');
  return { ms: Number(ms), sequence: sequence === '' ? undefined : BigInt(sequence) };
}

type Found = { readonly ms: number; readonly sequence?: bigint; readonly entry: Omit<Entry, 'at'> };

async function gather(deps: RoutesDeps, { namespace, path }: Place, before: Before): Promise<readonly Found[]> {
  const { sequence } = before;
  const tenantId = deps.tree.owner(namespace)?.tenantId;
  const [changes, reveals, keys, webhooks] = await Promise.all([
    deps.journal.list({ namespaces: [namespace], ...(sequence === undefined ? {} : { before: sequence }), most: MOST }),
    deps.links.listReveals(namespace, { beforeMs: before.ms, most: MOST }),
    deps.keys.listAll(path),
    tenantId === undefined ? [] : deps.endpoints.listTraces(tenantId),
  ]);
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
  return [...ofChanges, ...ofReveals, ...[...ofKeys, ...ofWebhooks].filter(({ ms }) => ms < before.ms)];
}
