import { z } from 'zod';
import { Member } from '../../crds/v1alpha1/tenant.ts';
import { mintKey } from '../authenticate/apikey.ts';
import { covers, type Question, renderPrincipal } from '../authorize.ts';
import { isOfPresentTenant } from '../lifetime.ts';
import { PathParam, type Place, PROVIDER } from '../place.ts';
import { notFound, Problem } from '../problem.ts';
import type { KeyRecord } from '../records/keys.ts';
import { type Answer, type Call, defineRoute, type Route } from '../route.ts';
import type { RoutesDeps } from './deps.ts';
import { InPlace } from './shapes.ts';

const DAY_MS = 86_400_000;
const MOST_KEYS = 50;

const KeySchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  maker: z.string().describe('The user in whose name it acts.'),
  scope: z.string().describe('It acts for this tenant and those below; `-`: for all.'),
  role: Member.shape.role,
  createdAt: z.string(),
  expiresAt: z.string(),
  lastUsedAt: z.string().optional().describe('To the minute.'),
});

const NewKey = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(64)
    .refine((name) => /^\P{Cc}*$/u.test(name), 'must not hold control characters')
    .describe('For people.'),
  role: Member.shape.role.describe('What it may do at most.'),
  expiresInDays: z.int().min(1).max(365).default(90),
});

/** Any member's right. */
const asksMember = ({ namespace }: Place): Question => ({ verb: 'list', resource: 'rdpinstances', namespace });

/** API keys: each acts in its maker's name, within a tenant's subtree and a role, and never beyond what its maker may do at that moment. */
export function buildKeyRoutes(deps: RoutesDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/v1/tenants/{path}/keys',
      operationId: 'list-keys',
      summary: 'List API keys: your own; an Owner or Admin sees all',
      tag: 'keys',
      access: asksMember,
      params: InPlace,
      answers: {
        200: { description: 'All that were not revoked.', schema: z.strictObject({ items: z.array(KeySchema) }) },
      },
      handle: async (call) => {
        const keys = await deps.keys.list(call.place.path);
        return { status: 200, body: { items: keys.filter((key) => maySee(deps, call, key)).map(renderKey) } };
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/v1/tenants/{path}/keys',
      operationId: 'create-key',
      summary: 'Make an API key. The token is shown in this answer and never again',
      tag: 'keys',
      access: asksMember,
      params: InPlace,
      body: { kind: 'json', schema: NewKey },
      answers: { 201: { description: 'The key and its token.', schema: KeySchema.extend({ token: z.string() }) } },
      handle: (call) => createKey(deps, call, call.body),
    }),
    defineRoute({
      method: 'DELETE',
      url: '/v1/tenants/{path}/keys/{id}',
      operationId: 'revoke-key',
      summary: 'Revoke an API key, at once',
      tag: 'keys',
      access: asksMember,
      params: z.strictObject({ path: PathParam, id: z.string().regex(/^[0-9a-f]{20}$/) }),
      answers: { 204: { description: 'Nobody gets in with it any more.' } },
      handle: async (call) => {
        const key = await deps.keys.find(call.params.id);
        if (key === undefined || key.revokedAtMs !== undefined || key.scope !== call.place.path) throw notFound();
        if (!maySee(deps, call, key)) throw notFound();
        if (!mayRevoke(call, key))
          throw new Problem(403, 'forbidden', 'a key may revoke itself and, as Owner or Admin, others');
        const by = renderPrincipal(call.principal);
        await deps.keys.revoke(key.id, { atMs: deps.clock.now(), by });
        return { status: 204 };
      },
    }),
  ];
}

async function createKey(
  deps: RoutesDeps,
  call: Call,
  { name, role, expiresInDays }: z.output<typeof NewKey>,
): Promise<Answer> {
  const { principal, place } = call;
  if (principal.key !== undefined) throw new Problem(403, 'forbidden', 'a key makes no keys; sign in with an ID token');
  const byName = deps.tree.memberships({ username: principal.username, groups: [] });
  const roles = byName.filter(({ namespace }) => namespace === place.namespace).map((membership) => membership.role);
  if (!covers(roles, role)) {
    const detail =
      `a key acts by what is granted to ${principal.username} by name in ${place.path ?? 'the provider'}, ` +
      `which is ${roles.join(', ') || 'nothing'}; that is less than ${role}. Ask to be made a member by name, or choose a lesser role`;
    throw new Problem(403, 'forbidden', detail);
  }
  const nowMs = deps.clock.now();
  const count = await deps.keys.count(principal.username, nowMs);
  if (count >= MOST_KEYS)
    throw new Problem(409, 'conflict', `you have ${count} keys, of at most ${MOST_KEYS}; revoke one first`);
  const { token, id, salt, hash } = mintKey(deps.random);
  const record: KeyRecord = {
    id,
    name,
    salt,
    hash,
    maker: principal.username,
    scope: place.path,
    role,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + expiresInDays * DAY_MS,
    lastUsedAtMs: undefined,
    revokedAtMs: undefined,
  };
  await deps.keys.add(record);
  return { status: 201, body: { ...renderKey(record), token } };
}

/** Those of who had the name before are nobody's to see. */
function maySee(deps: RoutesDeps, call: Call, key: KeyRecord): boolean {
  if (!isOfPresentTenant(deps.caches, call.place.namespace, key.createdAtMs)) return false;
  return key.maker === call.principal.username || isManager(call);
}

function mayRevoke(call: Call, key: KeyRecord): boolean {
  const own = call.principal.key;
  return own === undefined || own.id === key.id || isManager(call);
}

function isManager(call: Call): boolean {
  return call.may({ verb: 'create', resource: 'tenants', namespace: call.place.namespace });
}

function renderKey(key: KeyRecord): z.output<typeof KeySchema> {
  const { id, name, maker, scope, role, createdAtMs, expiresAtMs, lastUsedAtMs } = key;
  return {
    id,
    name,
    maker,
    scope: scope ?? PROVIDER,
    role,
    createdAt: new Date(createdAtMs).toISOString(),
    expiresAt: new Date(expiresAtMs).toISOString(),
    ...(lastUsedAtMs === undefined ? {} : { lastUsedAt: new Date(lastUsedAtMs).toISOString() }),
  };
}
