import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { Member } from '../crds/v1alpha1/tenant.ts';
import { authorize, covers, isWithin, type Membership, type Plural, type Question, type Verb } from './authorize.ts';

const ROLES = Member.shape.role.options;
const VERBS: readonly Verb[] = ['get', 'list', 'create', 'patch', 'delete'];
const RESOURCES: readonly Plural[] = ['tenants', 'plans', 'quotas', 'rdpinstances', 'events', 'secrets'];

const bob = (role: Membership['role']): Membership => ({
  role,
  namespace: 't-acme--bob',
  tenant: { path: 'acme--bob', name: 'bob', sellerNamespace: 't-acme' },
});

const ClusterRole = z.object({
  metadata: z.object({ name: z.string() }),
  rules: z.array(
    z.object({ apiGroups: z.array(z.string()), resources: z.array(z.string()), verbs: z.array(z.string()) }),
  ),
});
const MEMBERS = path.join(import.meta.dirname, '..', 'deploy', 'prerequisites', 'members.yaml');
const clusterRoles = new Map(
  parseAllDocuments(readFileSync(MEMBERS, 'utf8')).map((document) => {
    const { metadata, rules } = ClusterRole.parse(document.toJS());
    return [metadata.name, rules];
  }),
);

describe('authorize', () => {
  const cases = ROLES.flatMap((role) =>
    RESOURCES.flatMap((resource) => VERBS.map((verb) => ({ role, resource, verb }))),
  );

  it.each(cases)(
    'lets $role $verb $resource in its namespace exactly if the ClusterRole does',
    ({ role, resource, verb }) => {
      const rules = clusterRoles.get(`sublet-${role.toLowerCase()}`) ?? [];
      const isGranted = rules.some(({ resources, verbs }) => resources.includes(resource) && verbs.includes(verb));
      const question: Question = { verb, resource, namespace: 't-acme--bob', name: 'x' };
      expect(authorize({}, [bob(role)], question)).toBe(isGranted);
      expect(authorize({}, [bob(role)], { ...question, namespace: 't-acme--eve' })).toBe(false);
      expect(authorize({}, [], question)).toBe(false);
    },
  );

  it.each(ROLES)(
    'lets %s read the Secret of a desktop, and no other, exactly if the role works with desktops',
    (role) => {
      const question = { verb: 'get', resource: 'secrets', namespace: 't-acme--bob' } as const;
      expect(authorize({}, [bob(role)], { ...question, name: 'rdp-anna' })).toBe(
        ['Owner', 'Admin', 'Developer'].includes(role),
      );
      expect(authorize({}, [bob(role)], { ...question, name: 'flux' })).toBe(false);
      expect(authorize({}, [bob(role)], question)).toBe(false);
    },
  );

  it('lets every member read its own Tenant and Quota, and the price list, at the seller', () => {
    const at = { namespace: 't-acme' } as const;
    for (const role of ROLES) {
      const may = (question: Omit<Question, 'namespace'>) => authorize({}, [bob(role)], { ...question, ...at });
      expect(may({ verb: 'get', resource: 'tenants', name: 'bob' })).toBe(true);
      expect(may({ verb: 'get', resource: 'quotas', name: 'bob' })).toBe(true);
      expect(may({ verb: 'list', resource: 'plans' })).toBe(true);
      expect(may({ verb: 'get', resource: 'plans', name: 'any' })).toBe(true);
      expect(may({ verb: 'get', resource: 'tenants', name: 'eve' })).toBe(false);
      expect(may({ verb: 'get', resource: 'tenants' })).toBe(false);
      expect(may({ verb: 'list', resource: 'tenants' })).toBe(false);
      expect(may({ verb: 'patch', resource: 'tenants', name: 'bob' })).toBe(false);
      expect(may({ verb: 'create', resource: 'plans' })).toBe(false);
      expect(may({ verb: 'list', resource: 'rdpinstances' })).toBe(false);
    }
  });

  describe('of a key', () => {
    const acme: Membership = {
      role: 'Owner',
      namespace: 't-acme',
      tenant: { path: 'acme', name: 'acme', sellerNamespace: 'sublet-root' },
    };
    const order: Question = { verb: 'create', resource: 'rdpinstances', namespace: 't-acme--bob' };

    it('is what its maker may and its role may', () => {
      const key = { id: 'k', scope: 'acme--bob', role: 'Viewer' } as const;
      expect(authorize({ key }, [bob('Owner')], order)).toBe(false);
      expect(authorize({ key }, [bob('Owner')], { ...order, verb: 'list' })).toBe(true);
      expect(authorize({ key: { ...key, role: 'Owner' } }, [bob('Developer')], order)).toBe(true);
      expect(authorize({ key: { ...key, role: 'Owner' } }, [bob('Viewer')], order)).toBe(false);
      expect(authorize({ key: { ...key, role: 'Owner' } }, [], order)).toBe(false);
    });

    it('ends at its subtree', () => {
      const key = { id: 'k', scope: 'acme--bob', role: 'Owner' } as const;
      const sell: Question = { verb: 'create', resource: 'tenants', namespace: 't-acme' };
      expect(authorize({ key }, [acme, bob('Owner')], sell)).toBe(false);
      expect(authorize({ key: { ...key, scope: 'acme' } }, [acme, bob('Owner')], sell)).toBe(true);
      expect(authorize({ key: { ...key, scope: 'acme' } }, [acme, bob('Owner')], order)).toBe(true);
      expect(authorize({ key: { ...key, scope: 'acme--bo' } }, [acme, bob('Owner')], order)).toBe(false);
      expect(authorize({ key: { ...key, scope: undefined } }, [acme, bob('Owner')], order)).toBe(true);
    });

    it('gives no sight of the seller beyond what its subtree has', () => {
      const key = { id: 'k', scope: 'acme--bob', role: 'Owner' } as const;
      const prices: Question = { verb: 'list', resource: 'plans', namespace: 't-acme' };
      expect(authorize({ key }, [bob('Viewer')], prices)).toBe(true);
      expect(authorize({ key }, [acme], prices)).toBe(false);
    });
  });
});

describe('covers', () => {
  it.each([
    [['Owner'], 'Billing', true],
    [['Owner'], 'Owner', true],
    [['Admin'], 'Developer', true],
    [['Admin'], 'Billing', false],
    [['Billing'], 'Viewer', true],
    [['Viewer'], 'Developer', false],
    [['Admin', 'Billing'], 'Owner', true],
    [[], 'Viewer', false],
  ] as const)('%j passes on %s: %s', (roles, wanted, expected) => {
    expect(covers(roles, wanted)).toBe(expected);
  });
});

describe('isWithin', () => {
  it.each([
    ['acme', 'acme', true],
    ['acme--bob', 'acme', true],
    ['acme-two', 'acme', false],
    ['acme', 'acme--bob', false],
    [undefined, 'acme', false],
    [undefined, undefined, true],
  ] as const)('%s in %s: %s', (path, scope, expected) => {
    expect(isWithin(path, scope)).toBe(expected);
  });
});
