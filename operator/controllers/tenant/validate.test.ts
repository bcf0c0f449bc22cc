import { describe, expect, it } from 'vitest';
import { TerminalError } from '../../../kube/errors.ts';
import type { KubeObject } from '../../../kube/object.ts';
import {
  ANNOTATION_PARENT_ID,
  ANNOTATION_PATH,
  ANNOTATION_REMOVED_AT,
  ANNOTATION_SWEEP_AT,
  ANNOTATION_TENANT_ID,
} from '../../../model/labels.ts';
import { tenant, tenantPlan } from '../../testing/harness.ts';
import { type TenantObservation, validateTenant } from './validate.ts';

const bob = tenant('t-acme', 'bob', { plan: 'small' });
const small = { ok: true, plan: tenantPlan('t-acme', 'small'), desktop: undefined } as const;

function observe(over: Partial<TenantObservation> = {}): TenantObservation {
  return {
    tenant: { ...bob, metadata: { ...bob.metadata, uid: 'uid-1' } },
    seller: { namespace: 't-acme', tenantId: 'acme-1', type: 'Reseller' },
    path: 'acme--bob',
    namespace: 't-acme--bob',
    tenantId: 'bob-1',
    live: undefined,
    duplicateOf: undefined,
    plan: small,
    repository: undefined,
    ...over,
  };
}

function namespace(annotations?: Readonly<Record<string, string>>): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 't-acme--bob', ...(annotations && { annotations }) },
  };
}

const OWN = { [ANNOTATION_TENANT_ID]: 'bob-1', [ANNOTATION_PARENT_ID]: 'acme-1', [ANNOTATION_PATH]: 'acme--bob' };

describe('validateTenant', () => {
  it('narrows a Tenant to what its children depend on', () => {
    const member = { kind: 'Group', name: 'oidc:studio', role: 'Developer' } as const;
    const one = tenant('t-acme', 'bob', {
      plan: 'small',
      members: [member],
      source: { type: 'Fleet' },
      type: 'Reseller',
    });
    expect(validateTenant(observe({ tenant: { ...one, metadata: { ...one.metadata, uid: 'uid-1' } } }))).toEqual({
      name: 'bob',
      uid: 'uid-1',
      sellerNamespace: 't-acme',
      namespace: 't-acme--bob',
      path: 'acme--bob',
      tenantId: 'bob-1',
      parentId: 'acme-1',
      type: 'Reseller',
      members: [member],
      source: 'Fleet',
    });
  });

  it.each([
    ['no namespace yet', undefined],
    ['its own', namespace(OWN)],
    ['its own, removed and coming back', namespace({ ...OWN, [ANNOTATION_REMOVED_AT]: '2026-11-20T00:00:00Z' })],
  ])('accepts %s', (_, live) => {
    expect(validateTenant(observe({ live })).namespace).toBe('t-acme--bob');
  });

  it.each<[string, Partial<TenantObservation>, string, string]>([
    [
      'a namespace of nobody',
      { seller: undefined, plan: undefined },
      'NoSeller',
      "namespace t-acme belongs to no seller; move the Tenant to its seller's namespace",
    ],
    [
      'a Customer as seller',
      { seller: { namespace: 't-acme', tenantId: 'acme-1', type: 'Customer' } },
      'NoSeller',
      'the owner of namespace t-acme is a Customer and may not sell; its seller can set spec.type: Reseller',
    ],
    [
      'a seller whose Tenant is not there',
      { seller: { namespace: 't-acme', tenantId: 'acme-1', type: 'Missing' } },
      'TenantNotFound',
      'the Tenant of namespace t-acme, which sold this one, is not there; everything stays as it is until it is back',
    ],
    [
      'an identity that is taken',
      { duplicateOf: 'rob' },
      'DuplicateIdentity',
      'spec.id bob-id is taken by Tenant rob; use an id of its own',
    ],
    [
      'a namespace without annotations',
      { live: namespace() },
      'NameConflict',
      "namespace t-acme--bob exists and is not a tenant's; delete it or choose another name",
    ],
    [
      'a namespace of another identity',
      { live: namespace({ ...OWN, [ANNOTATION_TENANT_ID]: 'bob-2' }) },
      'NameConflict',
      'namespace t-acme--bob belongs to another identity; choose another name',
    ],
    [
      'a namespace below another seller',
      { live: namespace({ ...OWN, [ANNOTATION_PARENT_ID]: 'acme-2' }) },
      'NameConflict',
      'namespace t-acme--bob belongs to another identity; choose another name',
    ],
    [
      'the tombstone of another identity',
      { live: namespace({ ...OWN, [ANNOTATION_TENANT_ID]: 'bob-2', [ANNOTATION_SWEEP_AT]: '2026-11-28T09:00:00Z' }) },
      'NameConflict',
      "namespace t-acme--bob belongs to a removed tenant of the same name until 2026-11-28T09:00:00Z; wait, choose another name, or use that tenant's id",
    ],
    [
      'a Plan that is not there',
      {
        plan: {
          ok: false,
          problem: {
            reason: 'PlanNotFound',
            path: [],
            message: 'no Plan small in namespace t-acme; create it or name another',
          },
        },
      },
      'PlanNotFound',
      'spec.plan small: no Plan small in namespace t-acme; create it or name another',
    ],
    [
      'a Plan that is not in order',
      {
        plan: {
          ok: false,
          problem: { reason: 'CurrencyMismatch', path: ['spec', 'currency'], message: 'spec.currency: EUR, but USD' },
        },
      },
      'PlanNotReady',
      'spec.plan small: spec.currency: EUR, but USD',
    ],
    [
      'a Plan that sells something else',
      { plan: { ...small, plan: { ...small.plan, spec: { ...small.plan.spec, offers: 'Desktop' } } } },
      'PlanNotFound',
      'spec.plan: Plan small offers Desktop, a Tenant needs one that offers Tenant',
    ],
  ])('refuses %s', (_, over, reason, message) => {
    expect.assertions(2);
    try {
      validateTenant(observe(over));
    } catch (error) {
      expect(error).toBeInstanceOf(TerminalError);
      expect(error).toMatchObject({ reason, message });
    }
  });

  it('names the seller first: what lies in a foreign namespace is not told', () => {
    const live = namespace({ ...OWN, [ANNOTATION_TENANT_ID]: 'bob-2', [ANNOTATION_SWEEP_AT]: '2026-11-28T09:00:00Z' });
    expect(() => validateTenant(observe({ seller: undefined, live }))).toThrow('belongs to no seller');
  });
});
