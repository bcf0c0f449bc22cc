import { RDPINSTANCES, TENANTS } from '../../../crds/v1alpha1/resources.ts';
import { CONFIGMAPS, NAMESPACES } from '../../../kube/builtin.ts';
import { DATAVOLUMES } from '../../../kubevirt/index.ts';
import {
  claim,
  desktop,
  edit,
  exists,
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

/** Something inside a swept namespace has a finalizer that nobody takes off. */
export const stuckNamespace: Scenario<Place> = {
  name: 'stuck',
  title: "a removed customer's namespace is stuck in termination, others go on, and it comes back when that is over",
  async given(world) {
    await givenReseller(world);
    await order(world, tenant('sublet-root', 'bob'));
    await world.runUntilQuiet({ what: 'the tenants are there' });
    await edit(world, TENANTS, 't-acme/eve', { deletion: { policy: 'Delete', graceDays: 0 } });
    const metadata = { name: 'stuck', namespace: HOME, finalizers: ['example.com/never'] };
    await world.admin.create(CONFIGMAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
  },
  steps: [
    {
      does: 'the customer is removed without a grace',
      act: ({ world }) => remove(world, TENANTS, 't-acme/eve'),
      thenMs: 600_000,
      claims: (world) => [
        claim('its namespace is terminating', peek(world, NAMESPACES, HOME)?.metadata.deletionTimestamp !== undefined),
        exists(world, CONFIGMAPS, STUCK),
        isGone(world, DATAVOLUMES, `${HOME}/rdp-desk`),
      ],
    },
    {
      does: 'it is ordered again, and another customer orders a desktop',
      act: ({ world }) => order(world, tenant('t-acme', 'eve', { plan: 'seat' }), desktop('t-bob', 'desk')),
      thenMs: 600_000,
      claims: (world) => [
        isReady(world, RDPINSTANCES, 't-bob/desk'),
        guestRuns(world, 't-bob/desk'),
        claim(
          'it is not Ready in a namespace that goes',
          readyOf(peek(world, TENANTS, 't-acme/eve'))?.status !== 'True',
        ),
      ],
    },
    {
      does: 'somebody takes the finalizer off',
      act: async ({ world }) => {
        await world.admin.patch(
          CONFIGMAPS,
          { namespace: HOME, name: 'stuck' },
          { type: 'merge', body: { metadata: { finalizers: null } } },
        );
      },
      thenMs: 120_000,
      claims: (world) => [
        isReady(world, TENANTS, 't-acme/eve'),
        isGone(world, CONFIGMAPS, STUCK),
        claim('its namespace is a new one', peek(world, NAMESPACES, HOME)?.metadata.deletionTimestamp === undefined),
      ],
    },
  ],
};
