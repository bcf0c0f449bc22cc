import { z } from 'zod';
import { type Place, PROVIDER } from '../place.ts';
import { notFound, Problem } from '../problem.ts';
import { type Answer, defineRoute, type Route } from '../route.ts';
import { renderBody, TEST_EVENT } from '../webhooks/events.ts';
import { type Attempt, DELIVERY_STATES, type Delivery } from '../webhooks/outbox.ts';
import type { RoutesDeps } from './deps.ts';
import { Page, pageSchema } from './shapes.ts';
import { findWebhook, managesTenants, WebhookInPlace } from './webhookplace.ts';

const EVENT_BYTES = 16;

const DeliveryState = z
  .enum(DELIVERY_STATES)
  .describe('`Pending` is on its way, `Delivered` was answered by 2xx, `Dead` was given up and can be replayed.');

const DeliverySchema = z.strictObject({
  id: z.string().describe('`webhook-id` of the message: of the event, and so the same at each attempt.'),
  type: z.string(),
  state: DeliveryState,
  attempts: z.int().describe('Since it was made or replayed.'),
  occurredAt: z.string(),
  nextAt: z.string().optional().describe('When it is tried next.'),
  endedAt: z.string().optional(),
});
const AttemptSchema = z.strictObject({
  at: z.string(),
  durationMs: z.int(),
  status: z.int().optional().describe('Of the answer; absent when none came.'),
  problem: z.string().optional().describe('Why it was not delivered.'),
});
const WholeDelivery = DeliverySchema.extend({
  body: z.string().describe('What is signed and sent, byte by byte.'),
  tries: z.array(AttemptSchema).describe('Newest first, at most a hundred.'),
});

const DeliveryInPlace = WebhookInPlace.extend({
  event: z
    .string()
    .regex(/^msg_[0-9a-f]{32}$/)
    .describe('Id of the message.'),
});
const Replay = z.strictObject({
  since: z.iso.datetime({ offset: true }).max(40).describe('Of events since then.'),
});

/** What was sent to a webhook, and sending it again. */
export function buildDeliveryRoutes(deps: RoutesDeps): readonly Route[] {
  const common = { tag: 'webhooks', access: managesTenants, purpose: 'work with webhooks' } as const;
  return [
    defineRoute({
      ...common,
      method: 'POST',
      url: '/v1/tenants/{path}/webhooks/{id}/test',
      operationId: 'test-webhook',
      summary: `Send a message of the type ${TEST_EVENT}`,
      params: WebhookInPlace,
      answers: { 202: { description: 'The message, which is on its way.', schema: DeliverySchema } },
      handle: ({ place, params }) => sendTest(deps, place, params.id),
    }),
    defineRoute({
      ...common,
      method: 'POST',
      url: '/v1/tenants/{path}/webhooks/{id}/replay',
      operationId: 'replay-webhook',
      summary: 'Send again what was given up, from the oldest; at most ten thousand messages a call',
      params: WebhookInPlace,
      body: { kind: 'json', schema: Replay },
      answers: {
        202: { description: 'How many are on their way again.', schema: z.strictObject({ replayed: z.int() }) },
      },
      handle: async ({ place, params, body }) => {
        const { id } = await findWebhook(deps, place, params.id);
        const replayed = await deps.outbox.replayDead(id, Date.parse(body.since), deps.clock.now());
        return { status: 202, body: { replayed } };
      },
    }),
    defineRoute({
      ...common,
      method: 'GET',
      url: '/v1/tenants/{path}/webhooks/{id}/deliveries',
      operationId: 'list-webhook-deliveries',
      summary: 'List what was sent to a webhook in the last thirty days, newest first',
      params: WebhookInPlace,
      query: Page.extend({ state: DeliveryState.optional() }),
      answers: { 200: { description: 'One page.', schema: pageSchema(DeliverySchema) } },
      handle: ({ place, params, query }) => listDeliveries(deps, place, params.id, query),
    }),
    defineRoute({
      ...common,
      method: 'GET',
      url: '/v1/tenants/{path}/webhooks/{id}/deliveries/{event}',
      operationId: 'get-webhook-delivery',
      summary: 'Get what was sent, and what came of each attempt',
      params: DeliveryInPlace,
      answers: { 200: { description: 'The message with its attempts.', schema: WholeDelivery } },
      handle: async ({ place, params }) => {
        const { id } = await findWebhook(deps, place, params.id);
        const found = await deps.outbox.find(id, params.event);
        if (found === undefined) throw notFound();
        const tries = (await deps.outbox.attempts(found.sequence)).map(renderAttempt);
        return { status: 200, body: { ...renderDelivery(found), body: found.body, tries } };
      },
    }),
    defineRoute({
      ...common,
      method: 'POST',
      url: '/v1/tenants/{path}/webhooks/{id}/deliveries/{event}/replay',
      operationId: 'replay-webhook-delivery',
      summary: 'Send a message again, whatever became of it, with its id',
      params: DeliveryInPlace,
      answers: { 202: { description: 'The message, which is on its way again.', schema: DeliverySchema } },
      handle: async ({ place, params }) => {
        const { id } = await findWebhook(deps, place, params.id);
        const replayed = await deps.outbox.replay(id, params.event, deps.clock.now());
        if (replayed === undefined) throw notFound();
        return { status: 202, body: renderDelivery(replayed) };
      },
    }),
  ];
}

async function sendTest(deps: RoutesDeps, place: Place, webhook: string): Promise<Answer> {
  const { id, disabledAtMs, disabledReason } = await findWebhook(deps, place, webhook);
  if (disabledAtMs !== undefined) {
    throw new Problem(409, 'conflict', `the webhook is disabled (${disabledReason ?? 'by a member'}); enable it first`);
  }
  const nowMs = deps.clock.now();
  const event = `msg_${Buffer.from(deps.random.bytes(EVENT_BYTES)).toString('hex')}`;
  const body = renderBody({ type: TEST_EVENT, occurredAtMs: nowMs, data: { webhook: id } }, place.path ?? PROVIDER);
  const sent = await deps.outbox.putOne(id, { id: event, type: TEST_EVENT, body, occurredAtMs: nowMs }, nowMs);
  return { status: 202, body: renderDelivery(sent) };
}

async function listDeliveries(
  deps: RoutesDeps,
  place: Place,
  webhook: string,
  {
    limit,
    cursor,
    state,
  }: { readonly limit: number; readonly cursor?: string | undefined; readonly state?: Delivery['state'] | undefined },
): Promise<Answer> {
  const { id } = await findWebhook(deps, place, webhook);
  const query = `webhook ${id} ${state ?? ''}`;
  const before = cursor === undefined ? undefined : BigInt(deps.cursors.parse(query, cursor));
  const found = await deps.outbox.list(id, { state, before, most: limit + 1 });
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const next =
    found.length > limit && last !== undefined ? deps.cursors.render(query, String(last.sequence)) : undefined;
  return { status: 200, body: { items: items.map(renderDelivery), ...(next === undefined ? {} : { next }) } };
}

function renderDelivery(delivery: Delivery): z.output<typeof DeliverySchema> {
  const { event, type, state, attempts, occurredAtMs, nextAtMs, endedAtMs } = delivery;
  return {
    id: event,
    type,
    state,
    attempts,
    occurredAt: new Date(occurredAtMs).toISOString(),
    ...(state === 'Pending' ? { nextAt: new Date(nextAtMs).toISOString() } : {}),
    ...(endedAtMs === undefined ? {} : { endedAt: new Date(endedAtMs).toISOString() }),
  };
}

function renderAttempt({ atMs, durationMs, status, problem }: Attempt): z.output<typeof AttemptSchema> {
  return {
    at: new Date(atMs).toISOString(),
    durationMs,
    ...(status === undefined ? {} : { status }),
    ...(problem === undefined ? {} : { problem }),
  };
}
