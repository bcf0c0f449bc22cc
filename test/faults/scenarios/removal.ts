import { RDPINSTANCES, TENANTS } from '../../../crds/v1alpha1/resources.ts';
import { CONFIGMAPS, NAMESPACES, SECRETS, SERVICES } from '../../../kube/builtin.ts';
import { DATAVOLUMES, VIRTUALMACHINES } from '../../../kubevirt/index.ts';
import { ANNOTATION_HELD, ANNOTATION_REMOVED_AT } from '../../../model/labels.ts';
import {
  annotate,
  claim,
  DAY_MS,
  desktop,
  edit,
  exists,
  givenDesktop,
  givenReseller,
  givenTenant,
  guestRuns,
  hasAnnotation,
  isDown,
  isGone,
  isReady,
  isWaiting,
  order,
  type Place,
  peek,
  remove,
  type Scenario,
  tenant,
} from '../story.ts';

const DESK = 't-bob/desk';
const CHILD = 't-bob/rdp-desk';

/** What is left for the grace: stopped, stamped, without a way in. */
const isTombstone = (world: Place) => [
  isGone(world, RDPINSTANCES, DESK),
  exists(world, DATAVOLUMES, CHILD),
  exists(world, SECRETS, CHILD),
  exists(world, VIRTUALMACHINES, CHILD),
  isGone(world, SERVICES, CHILD),
  isDown(world, DESK),
  hasAnnotation(world, DATAVOLUMES, CHILD, ANNOTATION_REMOVED_AT, true),
];

export const swept: Scenario<Place> = {
  name: 'sweep',
  title: 'a desktop is deleted, keeps its disk for the grace, and is swept',
  given: givenTenant,
  steps: [
    {
      does: 'it is ordered, with a grace of two days',
      act: ({ world }) => order(world, desktop('t-bob', 'desk', { deletion: { policy: 'Retain', graceDays: 2 } })),
      claims: (world) => [isReady(world, RDPINSTANCES, DESK)],
    },
    {
      does: 'it is deleted',
      act: ({ world }) => remove(world, RDPINSTANCES, DESK),
      thenMs: DAY_MS,
      claims: (world) => [
        ...isTombstone(world),
        claim('its disk still counts', grantOf(world)?.includes('"storage":"20Gi"') === true, grantOf(world)),
      ],
    },
    {
      does: 'the grace ends',
      act: () => {},
      thenMs: 1.1 * DAY_MS,
      claims: (world) => [
        isGone(world, DATAVOLUMES, CHILD),
        isGone(world, SECRETS, CHILD),
        isGone(world, VIRTUALMACHINES, CHILD),
        claim('its share is given back', grantOf(world) === undefined, grantOf(world)),
      ],
    },
  ],
};

function grantOf(world: Place): string | undefined {
  const record = peek(world, CONFIGMAPS, 't-bob/sublet-grants') as
    | { readonly data?: Readonly<Record<string, string>> }
    | undefined;
  return record?.data?.['desktops.desk'];
}

export const deletedAtOnce: Scenario<Place> = {
  name: 'delete',
  title: 'a desktop that keeps nothing is deleted, and one of the same name is ordered',
  given: givenTenant,
  steps: [
    {
      does: 'it is ordered without a grace',
      act: ({ world }) => order(world, desktop('t-bob', 'desk', { deletion: { policy: 'Delete', graceDays: 0 } })),
      claims: (world) => [isReady(world, RDPINSTANCES, DESK)],
    },
    {
      does: 'it is deleted',
      act: ({ world }) => remove(world, RDPINSTANCES, DESK),
      claims: (world) => [
        isGone(world, DATAVOLUMES, CHILD),
        isGone(world, SECRETS, CHILD),
        isGone(world, VIRTUALMACHINES, CHILD),
      ],
    },
    {
      does: 'another one takes its name',
      act: ({ world }) => order(world, desktop('t-bob', 'desk', { image: 'debian-13' })),
      claims: (world) => [isReady(world, RDPINSTANCES, DESK), guestRuns(world, DESK)],
    },
  ],
};

export const returned: Scenario<Place> = {
  name: 'return',
  title: 'a deleted desktop comes back within its grace, to its own disk',
  given: givenDesktop,
  steps: [
    {
      does: 'it is deleted',
      act: ({ world }) => remove(world, RDPINSTANCES, DESK),
      thenMs: DAY_MS,
      claims: isTombstone,
    },
    {
      does: 'it is ordered again',
      act: ({ world }) => order(world, desktop('t-bob', 'desk')),
      thenMs: 8 * DAY_MS,
      claims: (world) => [
        isReady(world, RDPINSTANCES, DESK),
        guestRuns(world, DESK),
        hasAnnotation(world, DATAVOLUMES, CHILD, ANNOTATION_REMOVED_AT, false),
        hasAnnotation(world, SECRETS, CHILD, ANNOTATION_REMOVED_AT, false),
      ],
    },
  ],
};

export const tombstoneConflict: Scenario<Place> = {
  name: 'tombstone',
  title: 'a desktop comes back with another image, is refused, and is made when the grace is over',
  given: givenDesktop,
  steps: [
    { does: 'it is deleted', act: ({ world }) => remove(world, RDPINSTANCES, DESK), claims: isTombstone },
    {
      does: 'one of its name is ordered with another image',
      act: ({ world }) => order(world, desktop('t-bob', 'desk', { image: 'debian-13' })),
      claims: (world) => [
        isWaiting(world, RDPINSTANCES, DESK, 'TombstoneConflict'),
        hasAnnotation(world, DATAVOLUMES, CHILD, ANNOTATION_REMOVED_AT, true),
        isDown(world, DESK),
      ],
    },
    {
      does: 'the grace ends',
      act: () => {},
      thenMs: 7.1 * DAY_MS,
      claims: (world) => [
        isReady(world, RDPINSTANCES, DESK),
        claim('its disk is made from the other image', imageOf(world) === 'debian-13', imageOf(world)),
      ],
    },
  ],
};

function imageOf(world: Place): string {
  const source = peek(world, DATAVOLUMES, CHILD)?.spec?.sourceRef as { readonly name?: string } | undefined;
  return source?.name ?? 'none';
}

export const tenantRemoved: Scenario<Place> = {
  name: 'tenantremoval',
  title: 'a customer with a running desktop is removed, and swept after its grace',
  given: async (world) => {
    await givenReseller(world);
    await world.runUntilQuiet();
    await edit(world, TENANTS, 't-acme/eve', { deletion: { policy: 'Retain', graceDays: 1 } });
  },
  steps: [
    {
      does: 'the reseller removes its customer',
      act: ({ world }) => remove(world, TENANTS, 't-acme/eve'),
      claims: (world) => [
        isGone(world, TENANTS, 't-acme/eve'),
        hasAnnotation(world, NAMESPACES, 't-acme--eve', ANNOTATION_REMOVED_AT, true),
        isDown(world, 't-acme--eve/desk'),
        exists(world, DATAVOLUMES, 't-acme--eve/rdp-desk'),
        claim('its share still counts', hasShareOfEve(world)),
      ],
    },
    {
      does: 'the grace ends',
      act: () => {},
      thenMs: 1.1 * DAY_MS,
      claims: (world) => [
        isGone(world, NAMESPACES, 't-acme--eve'),
        isReady(world, TENANTS, 'sublet-root/acme'),
        claim('its share is given back', !hasShareOfEve(world)),
      ],
    },
  ],
};

function hasShareOfEve(world: Place): boolean {
  return JSON.stringify(peek(world, CONFIGMAPS, 't-acme/sublet-grants') ?? {}).includes('tenants.eve');
}

export const tenantReturned: Scenario<Place> = {
  name: 'tenantreturn',
  title: 'a removed customer comes back within its grace, with everything that it had',
  given: givenDesktop,
  steps: [
    {
      does: 'the provider removes it',
      act: ({ world }) => remove(world, TENANTS, 'sublet-root/bob'),
      thenMs: DAY_MS,
      claims: (world) => [hasAnnotation(world, NAMESPACES, 't-bob', ANNOTATION_REMOVED_AT, true), isDown(world, DESK)],
    },
    {
      does: 'another identity asks for the name and has to wait',
      act: ({ world }) => order(world, tenant('sublet-root', 'bob', { id: 'other-bob' })),
      claims: (world) => [isWaiting(world, TENANTS, 'sublet-root/bob', 'NameConflict'), isDown(world, DESK)],
    },
    {
      does: 'it gives up and the first one is ordered again',
      async act({ world }) {
        await remove(world, TENANTS, 'sublet-root/bob');
        await world.runUntil(() => peek(world, TENANTS, 'sublet-root/bob') === undefined, {
          what: 'the other Tenant is gone',
        });
        await order(world, tenant('sublet-root', 'bob'));
      },
      thenMs: 8 * DAY_MS,
      claims: (world) => [
        isReady(world, TENANTS, 'sublet-root/bob'),
        isReady(world, RDPINSTANCES, DESK),
        guestRuns(world, DESK),
        hasAnnotation(world, NAMESPACES, 't-bob', ANNOTATION_REMOVED_AT, false),
      ],
    },
  ],
};

const CROWD = ['one', 'two', 'three'];

export const breakerTripped: Scenario<Place> = {
  name: 'breaker',
  title: 'more is removed in an hour than the breaker allows; what it holds runs on until a person confirms',
  operator: { breaker: { minimum: 1, percent: 5 } },
  given: async (world) => {
    await givenTenant(world);
    await world.runUntilQuiet();
    await order(world, ...CROWD.map((name) => desktop('t-bob', name)));
  },
  steps: [
    {
      does: 'one desktop is deleted, which is allowed',
      act: ({ world }) => remove(world, RDPINSTANCES, 't-bob/one'),
      claims: (world) => [isDown(world, 't-bob/one'), isGone(world, CONFIGMAPS, 'sublet-system/sublet-breaker')],
    },
    {
      does: 'the others are deleted within the hour',
      act: async ({ world }) => {
        for (const name of ['two', 'three']) await remove(world, RDPINSTANCES, `t-bob/${name}`);
      },
      thenMs: 8 * DAY_MS,
      claims: (world) => [
        exists(world, CONFIGMAPS, 'sublet-system/sublet-breaker'),
        ...['two', 'three'].flatMap((name) => [
          guestRuns(world, `t-bob/${name}`),
          hasAnnotation(world, VIRTUALMACHINES, `t-bob/rdp-${name}`, ANNOTATION_HELD, true),
        ]),
        exists(world, DATAVOLUMES, 't-bob/rdp-one'),
      ],
    },
    {
      does: 'a person confirms',
      act: async ({ world }) => {
        const { data } = peek(world, CONFIGMAPS, 'sublet-system/sublet-breaker') as {
          readonly data?: Readonly<Record<string, string>>;
        };
        await annotate(world, CONFIGMAPS, 'sublet-system/sublet-breaker', { 'sublet.dev/confirm': data?.id ?? '' });
      },
      thenMs: DAY_MS,
      claims: (world) =>
        CROWD.flatMap((name) => [isDown(world, `t-bob/${name}`), isGone(world, DATAVOLUMES, `t-bob/rdp-${name}`)]),
    },
  ],
};
