import { RDPINSTANCES, TENANTS } from '../../../crds/v1alpha1/resources.ts';
import { CONFIGMAPS, NAMESPACES } from '../../../kube/builtin.ts';
import { DATAVOLUMES } from '../../../kubevirt/index.ts';
import {
  claim,
  desktop,
  edit,
  exists,
  givenDesktop,
  givenReseller,
  guestRuns,
  isGone,
  isReady,
  order,
  type Place,
  peek,
  readyOf,
  remove,
  type Scenario,
  tenant,
} from '../story.ts';

const HOME = 't-acme--eve';
const STUCK = `${HOME}/stuck`;
const DESK = 't-bob/desk';

/** Something in the namespace that keeps it from going. */
async function putStuck({ admin }: Place, namespace: string): Promise<void> {
  const metadata = { name: 'stuck', namespace, finalizers: ['example.com/never'] };
  await admin.create(CONFIGMAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
}

async function freeStuck({ admin }: Place, namespace: string): Promise<void> {
  const body = { metadata: { finalizers: null } };
  await admin.patch(CONFIGMAPS, { namespace, name: 'stuck' }, { type: 'merge', body });
}

function isTerminating(world: Place, namespace: string, wanted: boolean): ReturnType<typeof claim> {
  const found = peek(world, NAMESPACES, namespace)?.metadata;
  const holds = found !== undefined && (found.deletionTimestamp !== undefined) === wanted;
  return claim(`namespace ${namespace} ${wanted ? 'is terminating' : 'is there and stays'}`, holds, found ?? 'none');
}

/** `Ready` is not True, and says something. */
function isUnready(world: Place, key: string): ReturnType<typeof claim> {
  const ready = readyOf(peek(world, TENANTS, key));
  return claim(`Tenant ${key} is not Ready`, ready !== undefined && ready.status !== 'True', ready ?? 'no condition');
}

/** Something inside a swept namespace has a finalizer that nobody takes off. */
export const stuckNamespace: Scenario<Place> = {
  name: 'stuck',
  title: "a removed customer's namespace is stuck in termination, others go on, and it comes back when that is over",
  async given(world) {
    await givenReseller(world);
    await order(world, tenant('sublet-root', 'bob'));
    await world.runUntilQuiet({ what: 'the tenants are there' });
    await edit(world, TENANTS, 't-acme/eve', { deletion: { policy: 'Delete', graceDays: 0 } });
    await putStuck(world, HOME);
  },
  steps: [
    {
      does: 'the customer is removed without a grace',
      act: ({ world }) => remove(world, TENANTS, 't-acme/eve'),
      thenMs: 600_000,
      claims: (world) => [
        isTerminating(world, HOME, true),
        exists(world, CONFIGMAPS, STUCK),
        isGone(world, DATAVOLUMES, `${HOME}/rdp-desk`),
        isReady(world, TENANTS, 'sublet-root/acme'),
      ],
    },
    {
      does: 'it is ordered again, and another customer orders a desktop',
      act: ({ world }) => order(world, tenant('t-acme', 'eve', { plan: 'seat' }), desktop('t-bob', 'desk')),
      thenMs: 600_000,
      claims: (world) => [
        isReady(world, RDPINSTANCES, DESK),
        guestRuns(world, DESK),
        isUnready(world, 't-acme/eve'),
        isTerminating(world, HOME, true),
      ],
    },
    {
      does: 'somebody takes the finalizer off',
      act: ({ world }) => freeStuck(world, HOME),
      thenMs: 120_000,
      claims: (world) => [
        isReady(world, TENANTS, 't-acme/eve'),
        isGone(world, CONFIGMAPS, STUCK),
        isTerminating(world, HOME, false),
      ],
    },
  ],
};

/** Somebody deletes the namespace of a tenant that nobody removed. */
export const tornNamespace: Scenario<Place> = {
  name: 'torn',
  title: "a living customer's namespace is deleted by hand and is stuck in termination, until it goes and is made anew",
  async given(world) {
    await givenDesktop(world);
    await order(world, tenant('sublet-root', 'carl'));
    await putStuck(world, 't-bob');
  },
  steps: [
    {
      does: 'somebody deletes the namespace',
      act: ({ world }) => remove(world, NAMESPACES, 't-bob'),
      thenMs: 600_000,
      claims: (world) => [
        isTerminating(world, 't-bob', true),
        exists(world, CONFIGMAPS, 't-bob/stuck'),
        isGone(world, RDPINSTANCES, DESK),
        isUnready(world, 'sublet-root/bob'),
      ],
    },
    {
      does: 'another customer orders a desktop',
      act: ({ world }) => order(world, desktop('t-carl', 'desk')),
      thenMs: 600_000,
      claims: (world) => [isReady(world, RDPINSTANCES, 't-carl/desk'), isTerminating(world, 't-bob', true)],
    },
    {
      does: 'somebody takes the finalizer off, and the customer orders its desktop again',
      async act({ world }) {
        await freeStuck(world, 't-bob');
        await world.runFor(120_000);
        await order(world, desktop('t-bob', 'desk'));
      },
      thenMs: 120_000,
      claims: (world) => [
        isReady(world, TENANTS, 'sublet-root/bob'),
        isTerminating(world, 't-bob', false),
        isReady(world, RDPINSTANCES, DESK),
        guestRuns(world, DESK),
      ],
    },
  ],
};
