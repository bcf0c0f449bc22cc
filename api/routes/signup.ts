import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DnsLabel } from '../../crds/v1alpha1/common.ts';
import type { TenantSpec } from '../../crds/v1alpha1/tenant.ts';
import type { ChangeState } from '../../gitops/journal.ts';
import { authorize, type Question, renderPrincipal } from '../authorize.ts';
import { renderChange } from '../change.ts';
import { TENANTS } from '../collections.ts';
import type { RequestKey } from '../idempotency.ts';
import { computeBegin, isOfPresentTenant } from '../lifetime.ts';
import { PathParam, type Place, PROVIDER, parsePlace } from '../place.ts';
import { notFound, Problem } from '../problem.ts';
import type { Invitation, InvitationUse } from '../records/invitations.ts';
import { type Answer, type Call, defineRoute, type Route } from '../route.ts';
import type { RoutesDeps } from './deps.ts';
import { createOne } from './resources.ts';
import { ACCEPTED, InPlace } from './shapes.ts';
import { addIdentity } from './tenants.ts';

const DAY_MS = 86_400_000;
const ID_BYTES = 10;
const CODE_BYTES = 24;

const InvitationSchema = z.strictObject({
  id: z.string(),
  tenant: z.string().describe('Whose customer one becomes.'),
  plan: z.string(),
  maker: z.string(),
  uses: z.int(),
  maxUses: z.int(),
  admits: z.int(),
  windowHours: z.int(),
  createdAt: z.string(),
  expiresAt: z.string(),
});

const NewInvitation = z.strictObject({
  plan: DnsLabel.describe('The plan of whoever signs up: one of the price list that offers Tenant.'),
  maxUses: z.int().min(1).max(10_000).default(1).describe('How many may sign up with it.'),
  admits: z
    .int()
    .min(1)
    .max(10_000)
    .default(20)
    .describe(
      'How many become customers of the seller within `windowHours`, by whichever invitation; others are told to come later.',
    ),
  windowHours: z.int().min(1).max(720).default(24),
  expiresInDays: z.int().min(1).max(365).default(14),
});

const SignUp = z.strictObject({
  invitation: z.string().min(1).max(128).describe('The code of the invitation.'),
  name: z.string().min(1).max(253).describe('Name of the new tenant.'),
  displayName: z.string().min(1).max(240).optional(),
});

/** Whoever may sell may invite. */
const asksSeller = ({ namespace }: Place): Question => ({ verb: 'create', resource: 'tenants', namespace });

/** Invitations of sellers, and the sign-up with one. */
export function buildSignupRoutes(deps: RoutesDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/v1/tenants/{path}/invitations',
      operationId: 'list-invitations',
      summary: 'List invitations',
      tag: 'signup',
      access: asksSeller,
      params: InPlace,
      answers: {
        200: {
          description: 'All that were not revoked.',
          schema: z.strictObject({ items: z.array(InvitationSchema) }),
        },
      },
      handle: async ({ place }) => {
        const all = await deps.invitations.list(place.namespace);
        const own = all.filter(({ createdAtMs }) => isOfPresentTenant(deps.caches, place.namespace, createdAtMs));
        return { status: 200, body: { items: own.map(renderInvitation) } };
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/v1/tenants/{path}/invitations',
      operationId: 'create-invitation',
      summary: 'Invite people to become customers. The code is shown in this answer and never again',
      tag: 'signup',
      access: asksSeller,
      params: InPlace,
      body: { kind: 'json', schema: NewInvitation },
      answers: {
        201: { description: 'The invitation and its code.', schema: InvitationSchema.extend({ code: z.string() }) },
      },
      handle: (call) => invite(deps, call, call.body),
    }),
    defineRoute({
      method: 'DELETE',
      url: '/v1/tenants/{path}/invitations/{id}',
      operationId: 'revoke-invitation',
      summary: 'Revoke an invitation, at once',
      tag: 'signup',
      access: asksSeller,
      params: z.strictObject({ path: PathParam, id: z.string().regex(/^[0-9a-f]{20}$/) }),
      answers: { 204: { description: 'Nobody signs up with it any more.' } },
      handle: async ({ place, params, principal }) => {
        const by = renderPrincipal(principal);
        if (!(await deps.invitations.revoke(place.namespace, params.id, { atMs: deps.clock.now(), by })))
          throw notFound();
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/v1/signup',
      operationId: 'sign-up',
      summary: 'Become a tenant with an invitation, and its Owner',
      tag: 'signup',
      access: 'SignedIn',
      body: { kind: 'json', schema: SignUp },
      answers: ACCEPTED,
      handle: (call) => signUp(deps, call, call.body),
    }),
  ];
}

async function invite(deps: RoutesDeps, call: Call, order: z.output<typeof NewInvitation>): Promise<Answer> {
  const { place, principal } = call;
  if (principal.key !== undefined)
    throw new Problem(403, 'forbidden', 'a key makes no invitations; sign in with an ID token');
  if (!maySell(deps, principal.username, place.namespace)) {
    const detail =
      `an invitation acts by what is granted to ${principal.username} by name in ${place.path ?? 'the provider'}, ` +
      'which is not enough to sell; ask to be made a member by name';
    throw new Problem(403, 'forbidden', detail);
  }
  const { plan, maxUses, admits, windowHours, expiresInDays } = order;
  if (deps.caches.plans.get(`${place.namespace}/${plan}`)?.spec.offers !== 'Tenant') {
    const detail = `there is no Plan ${plan} in ${place.namespace} that offers Tenant; create it or name another`;
    throw new Problem(422, 'invalid', `/plan ${detail}`, { errors: [{ pointer: '/plan', detail }] });
  }
  const code = Buffer.from(deps.random.bytes(CODE_BYTES)).toString('base64url');
  const nowMs = deps.clock.now();
  const invitation: Invitation = {
    id: Buffer.from(deps.random.bytes(ID_BYTES)).toString('hex'),
    hash: hashCode(code),
    namespace: place.namespace,
    path: place.path,
    plan,
    maker: principal.username,
    maxUses,
    admits,
    windowHours,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + expiresInDays * DAY_MS,
  };
  await deps.invitations.add(invitation);
  return { status: 201, body: { ...renderInvitation({ ...invitation, uses: 0 }), code } };
}

async function signUp(
  deps: RoutesDeps,
  call: Call,
  { invitation: code, name, displayName }: z.output<typeof SignUp>,
): Promise<Answer> {
  const { principal } = call;
  if (principal.key !== undefined)
    throw new Problem(403, 'forbidden', 'a key does not sign up; sign in with an ID token');
  const nowMs = deps.clock.now();
  const invitation = await deps.invitations.find(hashCode(code), nowMs);
  if (invitation === undefined || !isStillGood(deps, invitation)) throw notGood();
  const madeSinceMs = computeBegin(deps.caches, invitation.namespace);
  const reservation = await deps.invitations.reserve(invitation, principal.username, { nowMs, madeSinceMs });
  if (reservation.type === 'used-up') throw notGood();
  if (reservation.type === 'later') throw tooMany(reservation.retryAtMs, nowMs);
  const earlier = reservation.changeId === undefined ? undefined : await deps.journal.find(reservation.changeId);
  if (earlier !== undefined && !CAME_TO_NOTHING.has(earlier.state)) {
    return { status: 202, headers: { location: `/v1/changes/${earlier.id}` }, body: renderChange(earlier, deps.tree) };
  }
  return createReserved(deps, call, invitation, { name, displayName, after: earlier?.id });
}

/** Nothing of such a sign-up is in Git, so its place is still there for another try. */
const CAME_TO_NOTHING: ReadonlySet<ChangeState> = new Set(['Conflict', 'Rejected']);

async function createReserved(
  deps: RoutesDeps,
  call: Call,
  { id, path, plan }: Invitation,
  order: { readonly name: string; readonly displayName: string | undefined; readonly after: string | undefined },
): Promise<Answer> {
  const { name, displayName, after } = order;
  const { username } = call.principal;
  const place = parsePlace(path ?? PROVIDER, deps.config.rootNamespace);
  const spec = {
    ...(displayName === undefined ? {} : { displayName }),
    plan,
    members: [{ kind: 'User', name: username, role: 'Owner' }],
    source: { type: 'Fleet' },
  } satisfies Partial<z.input<typeof TenantSpec>>;
  try {
    const answer = await createOne(
      deps,
      TENANTS,
      { place, name, spec: addIdentity(spec, name, deps.random) },
      { ...call, place },
      keyOfPlace(id, after),
    );
    const changeId = z.object({ id: z.string() }).parse(answer.body).id;
    await deps.invitations.settle(id, username, { changeId, atMs: deps.clock.now() });
    return answer;
  } catch (error) {
    if (error instanceof Problem) await deps.invitations.release(id, username);
    throw error;
  }
}

/**
 * One place makes one tenant: whoever asks twice at once, or again after a crash, gets the change of the first. No key of a caller's is written with spaces. `after`: the
 * sign-up before, of which nothing came.
 */
function keyOfPlace(invitation: string, after = 'nothing'): RequestKey {
  return { key: `sign-up ${invitation} after ${after}`, digest: 'sign-up' };
}

/** An invitation carries the right of who made it, as it is now, and dies with the seller that it was made for. */
function isStillGood(deps: RoutesDeps, { maker, namespace, createdAtMs }: Invitation): boolean {
  return isOfPresentTenant(deps.caches, namespace, createdAtMs) && maySell(deps, maker, namespace);
}

/** By name alone: whether a maker is still in a group that he was in, his tokens say and nobody else. */
function maySell({ tree }: RoutesDeps, username: string, namespace: string): boolean {
  const memberships = tree.memberships({ username, groups: [] });
  return authorize({}, memberships, { verb: 'create', resource: 'tenants', namespace });
}

function notGood(): Problem {
  const detail = 'is not known, was revoked or used up, or is over; ask for another';
  return new Problem(422, 'invalid', `/invitation ${detail}`, { errors: [{ pointer: '/invitation', detail }] });
}

function tooMany(retryAtMs: number, nowMs: number): Problem {
  const seconds = Math.max(1, Math.ceil((retryAtMs - nowMs) / 1_000));
  const detail = `so many signed up lately that the next is taken in ${seconds} s; come again then`;
  return new Problem(429, 'rate-limited', detail, { headers: { 'retry-after': String(seconds) } });
}

function hashCode(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}

function renderInvitation(invitation: InvitationUse): z.output<typeof InvitationSchema> {
  const { id, path, plan, maker, uses, maxUses, admits, windowHours, createdAtMs, expiresAtMs } = invitation;
  return {
    id,
    tenant: path ?? PROVIDER,
    plan,
    maker,
    uses,
    maxUses,
    admits,
    windowHours,
    createdAt: new Date(createdAtMs).toISOString(),
    expiresAt: new Date(expiresAtMs).toISOString(),
  };
}
