import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Change } from '../../gitops/journal.ts';
import { FINAL_STATES, OPEN_STATES } from '../../gitops/journal.ts';
import { authorize, type Principal } from '../authorize.ts';
import { ChangeId, ChangeSchema, isDone, isSettled, renderChange } from '../change.ts';
import { collectionOfKind } from '../collections.ts';
import { createHeldAnswers, type HeldAnswers, MOST_OF_A_TENANT, MOST_OF_A_USER } from '../heldanswers.ts';
import { isOfPresentTenant } from '../lifetime.ts';
import type { Place } from '../place.ts';
import { notFound } from '../problem.ts';
import { isGoodKey } from '../records/keys.ts';
import { type Answer, type Call, defineRoute, type Route } from '../route.ts';
import { watchChange } from '../watchchange.ts';
import type { RoutesDeps } from './deps.ts';
import { InPlace, Page, pageSchema } from './shapes.ts';

const OneChange = z.strictObject({ id: ChangeId });
const Waiting = z.strictObject({
  wait: z.enum(['Applied', 'Ready']).optional().describe('Answer when the change got there, ended, or is held.'),
  timeout: z.coerce
    .number()
    .int()
    .min(1)
    .max(60)
    .default(30)
    .describe('Seconds; the change as it is then is answered.'),
});
const Listing = Page.extend({
  state: z
    .enum([...OPEN_STATES, ...FINAL_STATES])
    .optional()
    .describe('Only changes in this state.'),
});

const EVENT_STREAM = 'text/event-stream';

/** What became of writes. */
export function buildChangeRoutes(deps: RoutesDeps): readonly Route[] {
  const held = createHeldAnswers();
  return [
    defineRoute({
      method: 'GET',
      url: '/v1/changes/{id}',
      operationId: 'get-change',
      summary: 'Get a change, wait for it, or hear of each of its states as server-sent events',
      tag: 'changes',
      access: 'SignedIn',
      params: OneChange,
      query: Waiting,
      headers: {
        Accept: z.string().describe('`text/event-stream` gives events named `change`, until the change ends.'),
        'Last-Event-ID': z.string().describe('The last event that was heard; it is not sent again.'),
      },
      answers: {
        200: {
          description: `The change. A user and its keys may have ${MOST_OF_A_USER} answers held open at once that wait or are streams; of one tenant of the provider, with all below it, there are at most ${MOST_OF_A_TENANT}. One more is refused (429).`,
          schema: ChangeSchema,
        },
      },
      handle: (call) => getChange(deps, held, call, { id: call.params.id, ...call.query }),
    }),
    defineRoute({
      method: 'GET',
      url: '/v1/tenants/{path}/changes',
      operationId: 'list-changes',
      summary: "List the changes of what lives in a tenant's namespace, newest first",
      tag: 'changes',
      access: ({ namespace }: Place) => ({ verb: 'list', resource: 'rdpinstances', namespace }) as const,
      params: InPlace,
      query: Listing,
      answers: { 200: { description: 'One page.', schema: pageSchema(ChangeSchema) } },
      handle: (call) => listChanges(deps, call.place, call.query),
    }),
  ];
}

async function getChange(
  deps: RoutesDeps,
  held: HeldAnswers,
  call: Call,
  { id, wait, timeout }: z.output<typeof Waiting> & { readonly id: string },
): Promise<Answer> {
  const change = await deps.journal.find(id);
  if (change === undefined || !maySee(deps, call.principal, change)) throw notFound();
  // A change that has ended is told at once, to whoever has no place left too.
  const { username } = call.principal;
  const tenant = deps.tree.owner(change.intent.target.namespace)?.path;
  const hold = (): AbortSignal =>
    isDone(change.state) ? call.signal() : held.hold({ username, tenant }, call.signal());
  if (call.header('accept')?.includes(EVENT_STREAM) === true) {
    const body = Readable.from(renderEvents(deps, call, change, hold()));
    return { status: 200, type: EVENT_STREAM, headers: { 'x-accel-buffering': 'no' }, body };
  }
  const isOver = wait === undefined || isSettled(change.state, wait);
  const last = isOver ? change : await waitFor(deps, change, wait, timeout * 1_000, hold());
  if (!isOver && !(await mayStillSee(deps, call.principal, last))) throw notFound();
  return { status: 200, body: renderChange(last, deps.tree) };
}

/** Whoever may read the resource may see what is done to it. */
function maySee({ caches, tree }: RoutesDeps, principal: Principal, change: Change): boolean {
  const { kind, namespace, name } = change.intent.target;
  const collection = collectionOfKind(kind);
  if (collection === undefined || !isOfPresentTenant(caches, namespace, change.acceptedAtMs)) return false;
  return authorize(principal, tree.memberships(principal), {
    verb: 'get',
    resource: collection.plural,
    namespace,
    name,
  });
}

/** Rights end and keys are revoked while somebody waits or listens: what comes then is not told any more. */
async function mayStillSee(deps: RoutesDeps, principal: Principal, change: Change): Promise<boolean> {
  const { keys, clock } = deps;
  const isIn = principal.key === undefined || isGoodKey(await keys.find(principal.key.id), clock.now());
  return isIn && maySee(deps, principal, change);
}

async function waitFor(
  deps: RoutesDeps,
  change: Change,
  goal: 'Applied' | 'Ready',
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Change> {
  let last = change;
  for await (const seen of watchChange(deps, change, { timeoutMs, signal })) {
    if (seen !== undefined) last = seen;
    if (isSettled(last.state, goal)) break;
  }
  return last;
}

const STREAM_MS = 10 * 60_000;
const RECONNECT_MS = 1_000;

/** One event a state. A stream ends after ten minutes, and with the right to see the change; clients come again with `Last-Event-ID`. */
async function* renderEvents(
  deps: RoutesDeps,
  { principal, header }: Pick<Call, 'principal' | 'header'>,
  change: Change,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const lastEventId = header('last-event-id');
  yield `retry: ${RECONNECT_MS}\n\n`;
  for await (const seen of watchChange(deps, change, { timeoutMs: STREAM_MS, signal })) {
    if (!(await mayStillSee(deps, principal, change))) return;
    if (seen === undefined) {
      yield ': still here\n\n';
      continue;
    }
    const id = `${seen.state}-${seen.updatedAtMs}`;
    if (id !== lastEventId)
      yield `id: ${id}\nevent: change\ndata: ${JSON.stringify(renderChange(seen, deps.tree))}\n\n`;
    if (isDone(seen.state)) return;
  }
}

async function listChanges(deps: RoutesDeps, place: Place, listing: z.output<typeof Listing>): Promise<Answer> {
  const { limit, cursor, state } = listing;
  const query = `changes ${place.namespace} ${state ?? ''}`;
  const found = await deps.journal.list({
    namespaces: [place.namespace],
    ...(state === undefined ? {} : { states: [state] }),
    ...(cursor === undefined ? {} : { before: BigInt(deps.cursors.parse(query, cursor)) }),
    most: limit + 1,
  });
  const page = found
    .slice(0, limit)
    .filter(({ acceptedAtMs }) => isOfPresentTenant(deps.caches, place.namespace, acceptedAtMs));
  const last = page.at(-1);
  const items = page.map((change) => renderChange(change, deps.tree));
  const more = found.length > limit && page.length === limit && last !== undefined;
  return { status: 200, body: more ? { items, next: deps.cursors.render(query, String(last.sequence)) } : { items } };
}
