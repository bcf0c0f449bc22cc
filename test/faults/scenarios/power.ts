import { RDPINSTANCES, TENANTS } from '../../../crds/v1alpha1/resources.ts';
import { VIRTUALMACHINES } from '../../../kubevirt/index.ts';
import {
  annotate,
  claim,
  desktop,
  edit,
  givenDesktop,
  givenReseller,
  givenTenant,
  guestRuns,
  hasStrategy,
  isDown,
  isReady,
  isWaiting,
  order,
  type Place,
  peek,
  type Scenario,
} from '../story.ts';

const DESK = 't-bob/desk';
const BELOW = 't-acme--eve/desk';
const ready = (world: Place) => [isReady(world, RDPINSTANCES, DESK), guestRuns(world, DESK)];

export const ordered: Scenario<Place> = {
  name: 'desktop',
  title: 'a desktop is ordered',
  given: givenTenant,
  steps: [
    {
      does: 'the customer orders it',
      act: ({ world }) => order(world, desktop('t-bob', 'desk')),
      claims: (world) => [
        ...ready(world),
        claim(
          'status names the Secret',
          JSON.stringify(peek(world, RDPINSTANCES, DESK)?.status?.credentials) === '{"secretRef":{"name":"rdp-desk"}}',
        ),
      ],
    },
  ],
};

export const powerCycle: Scenario<Place> = {
  name: 'power',
  title: 'a desktop is stopped and started',
  given: givenDesktop,
  steps: [
    {
      does: 'it is stopped',
      act: ({ world }) => edit(world, RDPINSTANCES, DESK, { power: 'Stopped' }),
      claims: (world) => [
        isWaiting(world, RDPINSTANCES, DESK, 'Stopped'),
        isDown(world, DESK),
        hasStrategy(world, DESK, 'Halted'),
      ],
    },
    { does: 'it is started', act: ({ world }) => edit(world, RDPINSTANCES, DESK, { power: 'Running' }), claims: ready },
  ],
};

const nowText = (world: Place): string => new Date(world.nowMs()).toISOString();

export const restarted: Scenario<Place> = {
  name: 'restart',
  title: 'a desktop is restarted, once for each time that is asked',
  given: givenDesktop,
  steps: [
    {
      does: 'a restart is asked for',
      act: ({ world }) => edit(world, RDPINSTANCES, DESK, { restartedAt: nowText(world) }),
      claims: (world) => [...ready(world), isLaterGuest(world, 1)],
    },
    {
      does: 'another is asked for, ten minutes ahead',
      act: ({ world }) =>
        edit(world, RDPINSTANCES, DESK, { restartedAt: new Date(world.nowMs() + 600_000).toISOString() }),
      thenMs: 900_000,
      claims: (world) => [...ready(world), isLaterGuest(world, 2)],
    },
  ],
};

/** The present epoch began by a restart: it is not the first, and the restart is done. */
function isLaterGuest(world: Place, restarts: number): ReturnType<typeof claim> {
  const { spec, status } = peek(world, RDPINSTANCES, DESK) ?? {};
  const asked = Date.parse(String(spec?.restartedAt));
  const started = Date.parse(status?.epoch?.startedAt ?? '');
  return claim(`restart ${restarts} is done`, started >= Math.floor(asked / 1_000) * 1_000, status?.epoch);
}

export const guestShutdown: Scenario<Place> = {
  name: 'shutdown',
  title: 'a guest shuts itself down, stays down, and is started again',
  given: givenDesktop,
  steps: [
    {
      does: 'the guest shuts down',
      act: ({ world }) =>
        annotate(world, VIRTUALMACHINES, 't-bob/rdp-desk', { 'simulator.sublet.dev/guest': 'shutdown' }),
      claims: (world) => [isWaiting(world, RDPINSTANCES, DESK, 'GuestShutDown'), isDown(world, DESK)],
    },
    {
      does: 'the customer starts it again',
      act: ({ world }) => edit(world, RDPINSTANCES, DESK, { restartedAt: nowText(world) }),
      claims: ready,
    },
  ],
};

export const resumed: Scenario<Place> = {
  name: 'resume',
  title: 'a guest that shut itself down stays down through a suspension, until its owner switches it off and on',
  given: givenDesktop,
  steps: [
    {
      does: 'the guest shuts down',
      act: ({ world }) =>
        annotate(world, VIRTUALMACHINES, 't-bob/rdp-desk', { 'simulator.sublet.dev/guest': 'shutdown' }),
      claims: (world) => [isWaiting(world, RDPINSTANCES, DESK, 'GuestShutDown'), isDown(world, DESK)],
    },
    {
      does: 'its tenant is suspended',
      act: ({ world }) => edit(world, TENANTS, 'sublet-root/bob', { suspensions: [{ reason: 'Payment' }] }),
      claims: (world) => [isWaiting(world, RDPINSTANCES, DESK, 'Suspended'), hasStrategy(world, DESK, 'Halted')],
    },
    {
      does: 'the debt is paid',
      act: ({ world }) => edit(world, TENANTS, 'sublet-root/bob', { suspensions: [] }),
      claims: (world) => [isWaiting(world, RDPINSTANCES, DESK, 'GuestShutDown'), isDown(world, DESK)],
    },
    {
      does: 'the customer switches it off',
      act: ({ world }) => edit(world, RDPINSTANCES, DESK, { power: 'Stopped' }),
      claims: (world) => [isWaiting(world, RDPINSTANCES, DESK, 'Stopped'), isDown(world, DESK)],
    },
    { does: 'and on again', act: ({ world }) => edit(world, RDPINSTANCES, DESK, { power: 'Running' }), claims: ready },
  ],
};

export const guestCrash: Scenario<Place> = {
  name: 'guestcrash',
  title: 'a guest crashes and KubeVirt runs it again',
  given: givenDesktop,
  steps: [
    {
      does: 'the guest crashes',
      act: ({ world }) => annotate(world, VIRTUALMACHINES, 't-bob/rdp-desk', { 'simulator.sublet.dev/guest': 'crash' }),
      thenMs: 120_000,
      claims: ready,
    },
  ],
};

export const suspended: Scenario<Place> = {
  name: 'suspend',
  title: 'a reseller is suspended for debt and pays',
  given: givenReseller,
  steps: [
    {
      does: 'the provider suspends the reseller',
      act: ({ world }) => edit(world, TENANTS, 'sublet-root/acme', { suspensions: [{ reason: 'Payment' }] }),
      claims: (world) => [
        isWaiting(world, RDPINSTANCES, BELOW, 'Suspended'),
        isDown(world, BELOW),
        hasStrategy(world, BELOW, 'Halted'),
        isSuspended(world, 'sublet-root/acme', true),
        isSuspended(world, 't-acme/eve', true),
      ],
    },
    {
      does: 'the debt is paid',
      act: ({ world }) => edit(world, TENANTS, 'sublet-root/acme', { suspensions: [] }),
      claims: (world) => [
        isReady(world, RDPINSTANCES, BELOW),
        guestRuns(world, BELOW),
        isSuspended(world, 't-acme/eve', false),
      ],
    },
  ],
};

export const held: Scenario<Place> = {
  name: 'hold',
  title: 'the provider holds a customer of a reseller, and lets go',
  given: givenReseller,
  steps: [
    {
      does: 'the customer is held',
      act: ({ world }) => edit(world, TENANTS, 'sublet-root/acme', { holds: [{ tenant: 'eve', reason: 'Abuse' }] }),
      claims: (world) => [
        isWaiting(world, RDPINSTANCES, BELOW, 'Suspended'),
        isDown(world, BELOW),
        isSuspended(world, 'sublet-root/acme', false),
        isSuspended(world, 't-acme/eve', true),
      ],
    },
    {
      does: 'the hold ends',
      act: ({ world }) => edit(world, TENANTS, 'sublet-root/acme', { holds: [] }),
      claims: (world) => [isReady(world, RDPINSTANCES, BELOW), guestRuns(world, BELOW)],
    },
  ],
};

function isSuspended(world: Place, key: string, wanted: boolean): ReturnType<typeof claim> {
  const found = peek(world, TENANTS, key)?.status?.conditions?.some(
    ({ type, status }) => type === 'Suspended' && status === 'True',
  );
  return claim(`Tenant ${key} is ${wanted ? '' : 'not '}suspended`, (found === true) === wanted);
}
