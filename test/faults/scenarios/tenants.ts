import { QUOTAS, RDPINSTANCES, TENANTS } from '../../../crds/v1alpha1/resources.ts';
import { NAMESPACES, ROLEBINDINGS, ROLES } from '../../../kube/builtin.ts';
import { KUSTOMIZATIONS } from '../../../model/flux.ts';
import { FINALIZER } from '../../../model/labels.ts';
import {
  claim,
  desktop,
  edit,
  exists,
  givenDesktop,
  givenPlans,
  givenTenant,
  guestRuns,
  isGone,
  isReady,
  isWaiting,
  order,
  orderBelowReseller,
  type Place,
  peek,
  quota,
  remove,
  type Scenario,
  tenant,
} from '../story.ts';

const MEMBERS = [
  { kind: 'User', name: 'oidc:bob', role: 'Owner' },
  { kind: 'Group', name: 'oidc:helpers', role: 'Viewer' },
];

export const tenantCreated: Scenario<Place> = {
  name: 'tenant',
  title: 'a customer with members and a folder is created',
  given: givenPlans,
  steps: [
    {
      does: 'the provider orders the tenant',
      act: ({ world }) => order(world, tenant('sublet-root', 'bob', { members: MEMBERS, source: { type: 'Fleet' } })),
      claims: (world) => [
        isReady(world, TENANTS, 'sublet-root/bob'),
        claim(
          'the Tenant carries our finalizer',
          peek(world, TENANTS, 'sublet-root/bob')?.metadata.finalizers?.includes(FINALIZER) === true,
        ),
        exists(world, KUSTOMIZATIONS, 'sublet-fleet/t-bob'),
        exists(world, ROLEBINDINGS, 't-bob/sublet-owner'),
        exists(world, ROLES, 'sublet-root/sublet-tenant-bob'),
      ],
    },
  ],
};

/** All at once, as one commit does, but for what needs a namespace that is not there yet: Flux brings it a moment later. */
export const tree: Scenario<Place> = {
  name: 'tree',
  title: 'a reseller, its price list, its customer and a desktop are ordered in one go',
  given: givenPlans,
  steps: [
    {
      does: 'a reseller is ordered and, as soon as there is a place for it, everything below',
      async act({ world }) {
        await order(world, tenant('sublet-root', 'acme', { type: 'Reseller', members: MEMBERS }));
        await world.runUntil(() => peek(world, NAMESPACES, 't-acme') !== undefined, { what: 'the namespace t-acme' });
        await orderBelowReseller(world);
        await world.runUntil(() => peek(world, NAMESPACES, 't-acme--eve') !== undefined, {
          what: 'the namespace t-acme--eve',
        });
        await order(world, desktop('t-acme--eve', 'desk', { plan: 'pro' }));
      },
      claims: (world) => [
        isReady(world, TENANTS, 'sublet-root/acme'),
        isReady(world, TENANTS, 't-acme/eve'),
        isReady(world, RDPINSTANCES, 't-acme--eve/desk'),
        guestRuns(world, 't-acme--eve/desk'),
      ],
    },
  ],
};

export const members: Scenario<Place> = {
  name: 'members',
  title: "a tenant's members change, to none and back",
  given: givenDesktop,
  steps: [
    {
      does: 'another owner, and a developer, take over',
      act: ({ world }) =>
        edit(world, TENANTS, 'sublet-root/bob', {
          members: [
            { kind: 'User', name: 'oidc:carl', role: 'Owner' },
            { kind: 'User', name: 'oidc:dora', role: 'Developer' },
          ],
        }),
      claims: (world) => [
        isReady(world, TENANTS, 'sublet-root/bob'),
        exists(world, ROLEBINDINGS, 't-bob/sublet-developer'),
        claim(
          'only the new ones are bound',
          subjectsOf(world, 't-bob/sublet-owner') === 'oidc:carl',
          subjectsOf(world, 't-bob/sublet-owner'),
        ),
        claim(
          'both may read the password',
          subjectsOf(world, 't-bob/rdp-desk') === 'oidc:carl oidc:dora',
          subjectsOf(world, 't-bob/rdp-desk'),
        ),
      ],
    },
    {
      does: 'everybody leaves',
      act: ({ world }) => edit(world, TENANTS, 'sublet-root/bob', { members: [] }),
      claims: (world) => [
        isGone(world, ROLEBINDINGS, 't-bob/sublet-owner'),
        isGone(world, ROLEBINDINGS, 't-bob/rdp-desk'),
        isGone(world, ROLES, 'sublet-root/sublet-tenant-bob'),
        guestRuns(world, 't-bob/desk'),
      ],
    },
  ],
};

function subjectsOf(world: Parameters<typeof peek>[0], key: string): string {
  const binding = peek(world, ROLEBINDINGS, key) as
    | { readonly subjects?: readonly { readonly name: string }[] }
    | undefined;
  return (binding?.subjects ?? [])
    .map(({ name }) => name)
    .toSorted()
    .join(' ');
}

export const quotaRaised: Scenario<Place> = {
  name: 'quota',
  title: 'a desktop that does not fit is refused, and made when the quota is raised',
  async given(world) {
    await givenTenant(world);
    await order(
      world,
      quota('sublet-root', 'bob', { vcpu: 1, memory: '4Gi', storage: '20Gi', desktops: 1, addresses: 1 }),
    );
  },
  steps: [
    {
      does: 'a desktop is ordered that is too large',
      act: ({ world }) => order(world, desktop('t-bob', 'desk')),
      claims: (world) => [
        isWaiting(world, RDPINSTANCES, 't-bob/desk', 'QuotaExceeded'),
        isGone(world, NAMESPACES, 't-none'),
      ],
    },
    {
      does: 'the quota is raised',
      act: ({ world }) => edit(world, QUOTAS, 'sublet-root/bob', { hard: { vcpu: 2 } }),
      claims: (world) => [isReady(world, RDPINSTANCES, 't-bob/desk'), isReady(world, QUOTAS, 'sublet-root/bob')],
    },
  ],
};

export const nameConflict: Scenario<Place> = {
  name: 'nameconflict',
  title: "a tenant's namespace exists and is somebody else's, until that one goes",
  async given(world) {
    await givenPlans(world);
    await world.admin.create(NAMESPACES, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 't-bob', labels: { team: 'theirs' } },
    });
  },
  steps: [
    {
      does: 'the tenant is ordered',
      act: ({ world }) => order(world, tenant('sublet-root', 'bob')),
      claims: (world) => [
        isWaiting(world, TENANTS, 'sublet-root/bob', 'NameConflict'),
        claim(
          'the namespace is as it was',
          Object.keys(peek(world, NAMESPACES, 't-bob')?.metadata.annotations ?? {}).length === 0,
        ),
      ],
    },
    {
      does: 'the other one gives the name up',
      act: ({ world }) => remove(world, NAMESPACES, 't-bob'),
      claims: (world) => [isReady(world, TENANTS, 'sublet-root/bob'), exists(world, NAMESPACES, 't-bob')],
    },
  ],
};
