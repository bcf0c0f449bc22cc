import { z } from 'zod';
import { observeClusterWrites, observeCommits } from '../aroundtheapi.ts';
import {
  Entry,
  type Found,
  renderChangeEntry,
  renderCommit,
  renderInvitations,
  renderKeys,
  renderReveal,
  renderWebhook,
  renderWrite,
} from '../auditentries.ts';
import { computeBegin, isOfPresentTenant } from '../lifetime.ts';
import type { Place } from '../place.ts';
import { type Answer, defineRoute, type Route } from '../route.ts';
import type { RoutesDeps } from './deps.ts';
import { InPlace, Page, pageSchema } from './shapes.ts';

const AuditPage = z.strictObject({
  ...pageSchema(Entry).shape,
  missing: z.array(z.string()).optional().describe('What could not be read, so that there may be more.'),
});

/**
 * Who did what: changes with their commits, passwords that were shown, keys and their use, invitations and who signed up, webhooks; and what went around the API,
 * as Git and the API server remember it.
 */
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

/** All of it that is older than `before`, in no order. */
async function gather(
  deps: RoutesDeps,
  place: Place,
  before: Before,
  signal: AbortSignal,
): Promise<{ readonly found: readonly Found[]; readonly missing: { readonly missing?: readonly string[] } }> {
  const { namespace, path } = place;
  const { sequence } = before;
  // A name goes to others: what was made by who had it before is not theirs to see, whenever it was used.
  const page = { madeSinceMs: computeBegin(deps.caches, namespace), beforeMs: before.ms, most: MOST };
  const tenantId = deps.tree.owner(namespace)?.tenantId;
  const [changes, reveals, keys, invitations, webhooks, writes] = await Promise.all([
    deps.journal.list({ namespaces: [namespace], ...(sequence === undefined ? {} : { before: sequence }), most: MOST }),
    deps.links.listReveals(namespace, page),
    deps.keys.listTraces(path, page),
    deps.invitations.listTraces(namespace, page),
    tenantId === undefined ? [] : deps.endpoints.listTraces(tenantId),
    observeClusterWrites(deps, namespace, signal),
  ]);
  const commits = await observeCommits(deps, namespace, changes);
  const whole = [
    ...webhooks.flatMap(renderWebhook),
    ...commits.found.map(renderCommit),
    ...writes.found.map(renderWrite),
  ].filter(({ ms }) => ms < before.ms);
  const found = [
    ...changes.map(renderChangeEntry),
    ...reveals.map(renderReveal),
    ...renderKeys(keys),
    ...renderInvitations(invitations),
    ...whole,
  ];
  const missing = [commits, writes].flatMap((part) => part.missing ?? []);
  return { found, missing: missing.length === 0 ? {} : { missing } };
}

/** Of one moment the later change comes first; the rest stays as it was found. */
function compareSequences({ sequence: a }: Found, { sequence: b }: Found): number {
  return a === undefined || b === undefined ? 0 : Number(b - a);
}
