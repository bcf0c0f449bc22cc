import { z } from 'zod';
import { renderPrincipal } from '../authorize.ts';
import { notFound, Problem } from '../problem.ts';
import { type Answer, type Call, defineRoute, type Route } from '../route.ts';
import { parseDestination } from '../webhooks/destination.ts';
import { type Endpoint, MOST_ENDPOINTS } from '../webhooks/endpoints.ts';
import { EVENT_TYPES } from '../webhooks/events.ts';
import { mintSecret } from '../webhooks/signature.ts';
import type { RoutesDeps } from './deps.ts';
import { InPlace } from './shapes.ts';
import { buildDeliveryRoutes } from './webhookdeliveries.ts';
import { findTenantId, findWebhook, managesTenants, WebhookInPlace } from './webhookplace.ts';

const HOUR_MS = 3_600_000;
const ID_BYTES = 10;

const Events = z
  .array(z.enum(EVENT_TYPES))
  .min(1)
  .max(EVENT_TYPES.length)
  .describe("What it hears of, of the tenant's own and of everything below it.");
const Description = z
  .string()
  .max(256)
  .refine((text) => /^\P{Cc}*$/u.test(text), 'must not hold control characters')
  .describe('For people.');

const WebhookSchema = z.strictObject({
  id: z.string(),
  url: z.string(),
  description: z.string(),
  events: Events,
  enabled: z.boolean(),
  disabledReason: z.string().optional().describe('Why nothing is sent: a member said so, or its receiver.'),
  maker: z.string(),
  createdAt: z.string(),
  lastSuccessAt: z.string().optional(),
  previousSecretUntil: z
    .string()
    .optional()
    .describe('Until then messages carry a signature by the secret before, too.'),
});
const Secret = z.string().describe('Signs what is sent. It is in this answer and never again.');

const NewWebhook = z.strictObject({
  url: z.string().min(1).max(2_048).describe('An https URL on the internet. It is judged again at each attempt.'),
  events: Events.default([...EVENT_TYPES]),
  description: Description.default(''),
});
const WebhookPatch = z.strictObject({
  events: Events.optional(),
  description: Description.optional(),
  enabled: z.boolean().optional().describe('Enabled again, it is sent what waits for it.'),
});
const Rotation = z.strictObject({
  overlapHours: z.int().min(0).max(168).default(24).describe('How long the secret so far is good, too.'),
});

/** Webhooks: where a tenant is told what happens in its subtree. */
export function buildWebhookRoutes(deps: RoutesDeps): readonly Route[] {
  const common = { tag: 'webhooks', access: managesTenants, purpose: 'work with webhooks' } as const;
  return [
    defineRoute({
      ...common,
      method: 'GET',
      url: '/v1/tenants/{path}/webhooks',
      operationId: 'list-webhooks',
      summary: 'List webhooks',
      params: InPlace,
      answers: { 200: { description: 'All of them.', schema: z.strictObject({ items: z.array(WebhookSchema) }) } },
      handle: async ({ place }) => {
        const items = await deps.endpoints.list(findTenantId(deps, place));
        return { status: 200, body: { items: items.map(renderWebhook) } };
      },
    }),
    defineRoute({
      ...common,
      method: 'POST',
      url: '/v1/tenants/{path}/webhooks',
      operationId: 'create-webhook',
      summary: 'Make a webhook. Its secret is shown in this answer and never again',
      params: InPlace,
      body: { kind: 'json', schema: NewWebhook },
      answers: { 201: { description: 'The webhook.', schema: WebhookSchema.extend({ secret: Secret }) } },
      handle: (call) => createWebhook(deps, call, call.body),
    }),
    defineRoute({
      ...common,
      method: 'GET',
      url: '/v1/tenants/{path}/webhooks/{id}',
      operationId: 'get-webhook',
      summary: 'Get a webhook',
      params: WebhookInPlace,
      answers: { 200: { description: 'The webhook.', schema: WebhookSchema } },
      handle: async ({ place, params }) => ({
        status: 200,
        body: renderWebhook(await findWebhook(deps, place, params.id)),
      }),
    }),
    defineRoute({
      ...common,
      method: 'PATCH',
      url: '/v1/tenants/{path}/webhooks/{id}',
      operationId: 'change-webhook',
      summary: 'Change what a webhook hears of, or stop and resume it. For another URL, make another webhook',
      params: WebhookInPlace,
      body: { kind: 'merge-patch', schema: WebhookPatch },
      answers: { 200: { description: 'The webhook as it is now.', schema: WebhookSchema } },
      handle: async ({ place, params, body }) => {
        const isEmpty = Object.keys(body).length === 0;
        const tenantId = findTenantId(deps, place);
        const changed = isEmpty
          ? await findWebhook(deps, place, params.id)
          : await deps.endpoints.edit(tenantId, params.id, body, deps.clock.now());
        if (changed === undefined) throw notFound();
        return { status: 200, body: renderWebhook(changed) };
      },
    }),
    defineRoute({
      ...common,
      method: 'DELETE',
      url: '/v1/tenants/{path}/webhooks/{id}',
      operationId: 'delete-webhook',
      summary: 'Remove a webhook, with what is on its way to it',
      params: WebhookInPlace,
      answers: { 204: { description: 'Nothing more is sent to it, but what is being sent at this moment.' } },
      handle: async ({ place, params, principal }) => {
        const removal = { by: renderPrincipal(principal), atMs: deps.clock.now() };
        if (!(await deps.endpoints.remove(findTenantId(deps, place), params.id, removal))) throw notFound();
        return { status: 204 };
      },
    }),
    defineRoute({
      ...common,
      method: 'POST',
      url: '/v1/tenants/{path}/webhooks/{id}/rotate',
      operationId: 'rotate-webhook',
      summary: 'Make a new secret. For a while messages are signed with both',
      params: WebhookInPlace,
      body: { kind: 'json', schema: Rotation, optional: true },
      answers: {
        200: { description: 'The webhook and its new secret.', schema: WebhookSchema.extend({ secret: Secret }) },
      },
      handle: async ({ place, params, body }) => {
        const secret = mintSecret(deps.random);
        const previousUntilMs = deps.clock.now() + body.overlapHours * HOUR_MS;
        const rotation = { secret, previousUntilMs };
        const rotated = await deps.endpoints.rotate(findTenantId(deps, place), params.id, rotation);
        if (rotated === undefined) throw notFound();
        return { status: 200, body: { ...renderWebhook(rotated), secret } };
      },
    }),
    ...buildDeliveryRoutes(deps),
  ];
}

async function createWebhook(
  deps: RoutesDeps,
  { place, principal }: Call,
  { url, events, description }: z.output<typeof NewWebhook>,
): Promise<Answer> {
  const parsed = parseDestination(url, deps.config.webhooks);
  if (parsed.type === 'refused') {
    const detail = parsed.message;
    throw new Problem(422, 'invalid', `/url ${detail}`, { errors: [{ pointer: '/url', detail }] });
  }
  const secret = mintSecret(deps.random);
  const id = Buffer.from(deps.random.bytes(ID_BYTES)).toString('hex');
  const tenantId = findTenantId(deps, place);
  const atMs = deps.clock.now();
  const href = parsed.destination.url.href;
  const maker = renderPrincipal(principal);
  const made = { id, tenantId, url: href, description, events, secret, maker, atMs };
  if (!(await deps.endpoints.add(made))) {
    throw new Problem(409, 'conflict', `there are ${MOST_ENDPOINTS} webhooks, which is the most; remove one first`);
  }
  return { status: 201, body: { ...renderWebhook(await findWebhook(deps, place, id)), secret } };
}

function renderWebhook(endpoint: Endpoint): z.output<typeof WebhookSchema> {
  const { id, url, description, events, maker, createdAtMs, lastSuccessAtMs, disabledReason } = endpoint;
  const { disabledAtMs, previousUntilMs } = endpoint;
  const render = (ms: number): string => new Date(ms).toISOString();
  return {
    id,
    url,
    description,
    events: [...events],
    enabled: disabledAtMs === undefined,
    ...(disabledReason === undefined ? {} : { disabledReason }),
    maker,
    createdAt: render(createdAtMs),
    ...(lastSuccessAtMs === undefined ? {} : { lastSuccessAt: render(lastSuccessAtMs) }),
    ...(previousUntilMs === undefined ? {} : { previousSecretUntil: render(previousUntilMs) }),
  };
}
