import { z } from 'zod';
import { Member } from '../../crds/v1alpha1/tenant.ts';
import type { JsonMap } from '../../gitops/intent.ts';
import type { Question, Verb } from '../authorize.ts';
import { TENANTS } from '../collections.ts';
import type { Place } from '../place.ts';
import { notFound } from '../problem.ts';
import { representationSchema } from '../represent.ts';
import { defineRoute, type Route } from '../route.ts';
import type { RoutesDeps } from './deps.ts';
import { editOne, requireOne } from './resources.ts';
import { ACCEPTED, IDEMPOTENCY, MATCH, TenantInPlace } from './shapes.ts';
import { itemOf } from './tenants.ts';

const MemberInTenant = TenantInPlace.extend({
  kind: Member.shape.kind,
  member: z.string().min(1).max(253).describe('The user or group exactly as the API server names it, percent-encoded.'),
});

const asks =
  (verb: Verb) =>
  ({ tenant }: Place): Question | undefined =>
    tenant === undefined ? undefined : { verb, resource: 'tenants', ...tenant };

/** Members are a list in the Tenant, which its seller declares: the rights are those on the Tenant. */
export function buildMemberRoutes(deps: RoutesDeps): readonly Route[] {
  const unchanged = {
    200: { description: 'Nothing is different: the tenant as it is.', schema: representationSchema(TENANTS) },
  };
  const one = {
    url: '/v1/tenants/{path}/members/{kind}/{member}',
    tag: 'members',
    params: MemberInTenant,
    headers: { ...IDEMPOTENCY, ...MATCH },
  };
  return [
    defineRoute({
      method: 'GET',
      url: '/v1/tenants/{path}/members',
      operationId: 'list-members',
      summary: 'List the members of a tenant',
      tag: 'members',
      access: asks('get'),
      params: TenantInPlace,
      answers: { 200: { description: 'All of them.', schema: z.strictObject({ items: z.array(Member) }) } },
      handle: async ({ place }) => {
        const { declared } = await requireOne(deps, TENANTS, itemOf(deps, place));
        return { status: 200, body: { items: listMembers(declared.spec) } };
      },
    }),
    defineRoute({
      ...one,
      method: 'PUT',
      operationId: 'put-member',
      summary: 'Make somebody a member, or give a member another role',
      access: asks('patch'),
      body: { kind: 'json', schema: z.strictObject({ role: Member.shape.role }) },
      answers: { ...unchanged, ...ACCEPTED },
      handle: (call) => {
        const { kind, member: name } = call.params;
        const member = { kind, name, role: call.body.role };
        return editOne(deps, TENANTS, itemOf(deps, call.place), call, {
          operation: 'put-member',
          needsMatch: false,
          compute: (spec) => ({
            ...spec,
            members: [...listMembers(spec).filter((other) => !isSame(other, member)), member],
          }),
        });
      },
    }),
    defineRoute({
      ...one,
      method: 'DELETE',
      operationId: 'delete-member',
      summary: 'Take a member out',
      access: asks('patch'),
      answers: ACCEPTED,
      handle: (call) => {
        const { kind, member: name } = call.params;
        return editOne(deps, TENANTS, itemOf(deps, call.place), call, {
          operation: 'delete-member',
          needsMatch: false,
          compute: (spec) => {
            const members = listMembers(spec);
            const left = members.filter((other) => !isSame(other, { kind, name }));
            if (left.length === members.length) throw notFound();
            return { ...spec, members: left };
          },
        });
      },
    }),
  ];
}

function listMembers(spec: JsonMap): readonly Member[] {
  const members = z.array(Member).safeParse(spec.members ?? []);
  return members.success ? members.data : [];
}

function isSame(a: Pick<Member, 'kind' | 'name'>, b: Pick<Member, 'kind' | 'name'>): boolean {
  return a.kind === b.kind && a.name === b.name;
}
