import { RDPINSTANCES } from '../../../crds/v1alpha1/resources.ts';
import { CONFIGMAPS, NETWORKPOLICIES, PERSISTENTVOLUMECLAIMS, SERVICES } from '../../../kube/builtin.ts';
import { DATASOURCES, VIRTUALMACHINES } from '../../../kubevirt/index.ts';
import {
  claim,
  desktop,
  edit,
  givenDesktop,
  givenTenant,
  guestRuns,
  isGone,
  isReady,
  isWaiting,
  order,
  type Place,
  peek,
  plan,
  type Scenario,
} from '../story.ts';

const DESK = 't-bob/desk';
const CHILD = 't-bob/rdp-desk';

export const planChange: Scenario<Place> = {
  name: 'plan',
  title: 'a desktop moves to a larger plan, whose size comes with a restart',
  given: givenDesktop,
  steps: [
    {
      does: 'the plan is changed',
      act: ({ world }) => edit(world, RDPINSTANCES, DESK, { plan: 'large' }),
      claims: (world) => [
        isReady(world, RDPINSTANCES, DESK),
        restartIsRequired(world, true),
        isGranted(world, { vcpu: '4', storage: '40Gi' }),
      ],
    },
    {
      does: 'it is restarted',
      act: ({ world }) => edit(world, RDPINSTANCES, DESK, { restartedAt: new Date(world.nowMs()).toISOString() }),
      claims: (world) => [isReady(world, RDPINSTANCES, DESK), guestRuns(world, DESK), restartIsRequired(world, false)],
    },
  ],
};

export const storageGrowth: Scenario<Place> = {
  name: 'growth',
  title: 'the plan of a running desktop gives more storage',
  given: givenDesktop,
  steps: [
    {
      does: 'the provider enlarges the plan',
      act: ({ world }) => {
        const larger = { vcpu: 2, memory: '4Gi', storage: '30Gi', images: ['ubuntu-24', 'debian-13'] };
        return order(world, plan('sublet-root', 'small', { offers: 'Desktop', desktop: larger }));
      },
      claims: (world) => [
        isReady(world, RDPINSTANCES, DESK),
        claimIsAtLeast(world, 30),
        isGranted(world, { storage: '30Gi' }),
      ],
    },
    {
      does: 'the provider takes that back, and the disk stays',
      act: ({ world }) => {
        const smaller = { vcpu: 2, memory: '4Gi', storage: '20Gi', images: ['ubuntu-24', 'debian-13'] };
        return order(world, plan('sublet-root', 'small', { offers: 'Desktop', desktop: smaller }));
      },
      claims: (world) => [
        isWaiting(world, RDPINSTANCES, DESK, 'StorageShrink'),
        guestRuns(world, DESK),
        claimIsAtLeast(world, 30),
      ],
    },
  ],
};

export const imageMissing: Scenario<Place> = {
  name: 'image',
  title: 'the image of an order is not there yet',
  given: async (world) => {
    await givenTenant(world);
    await order(
      world,
      plan('sublet-root', 'later', {
        offers: 'Desktop',
        desktop: { vcpu: 2, memory: '4Gi', storage: '20Gi', images: ['later-1'] },
      }),
    );
  },
  steps: [
    {
      does: 'it is ordered',
      act: ({ world }) => order(world, desktop('t-bob', 'desk', { plan: 'later', image: 'later-1' })),
      claims: (world) => [isWaiting(world, RDPINSTANCES, DESK, 'ImageNotFound'), isGone(world, VIRTUALMACHINES, CHILD)],
    },
    {
      does: 'the provider brings the image',
      act: async ({ world }) => {
        const annotations = { 'sublet.dev/os': 'Linux', 'sublet.dev/first-boot': 'CloudInit' };
        const metadata = { name: 'later-1', namespace: 'sublet-images', annotations };
        const source = { pvc: { namespace: 'sublet-images', name: 'ubuntu-24' } };
        await world.admin.create(DATASOURCES, {
          apiVersion: 'cdi.kubevirt.io/v1beta1',
          kind: 'DataSource',
          metadata,
          spec: { source },
        });
      },
      claims: (world) => [isReady(world, RDPINSTANCES, DESK), guestRuns(world, DESK)],
    },
  ],
};

export const accessChange: Scenario<Place> = {
  name: 'access',
  title: 'the way to a desktop changes',
  operator: { nodePortAddress: '198.51.100.1' },
  given: givenDesktop,
  steps: [
    {
      does: 'only one network may connect, inside the cluster',
      act: ({ world }) => edit(world, RDPINSTANCES, DESK, { access: { type: 'ClusterIP', allow: ['203.0.113.0/24'] } }),
      claims: (world) => [
        isReady(world, RDPINSTANCES, DESK),
        hasType(world, 'ClusterIP'),
        admitsOnly(world, '203.0.113.0/24'),
        isGranted(world, { addresses: '0' }),
      ],
    },
    {
      does: 'it is reached at a port of the nodes',
      act: ({ world }) => edit(world, RDPINSTANCES, DESK, { access: { type: 'NodePort' } }),
      claims: (world) => [isReady(world, RDPINSTANCES, DESK), hasType(world, 'NodePort'), guestRuns(world, DESK)],
    },
    {
      does: 'it gets an address of its own again, for everybody',
      act: ({ world }) => edit(world, RDPINSTANCES, DESK, { access: { type: 'LoadBalancer', allow: null } }),
      claims: (world) => [
        isReady(world, RDPINSTANCES, DESK),
        hasType(world, 'LoadBalancer'),
        isGranted(world, { addresses: '1' }),
      ],
    },
  ],
};

export const upgrade: Scenario<Place> = {
  name: 'upgrade',
  title: 'the operator is upgraded while a desktop comes up, and builds its machines otherwise then',
  given: givenDesktop,
  steps: [
    {
      does: 'a second desktop is ordered and the operator restarts with another overcommitment at once',
      async act(stage) {
        await order(stage.world, desktop('t-bob', 'two'));
        await stage.world.runFor(200);
        await stage.upgrade({ vcpusPerCpu: 2 });
      },
      claims: (world) => [
        isReady(world, RDPINSTANCES, DESK),
        isReady(world, RDPINSTANCES, 't-bob/two'),
        guestRuns(world, DESK),
        claim('machines request what the new operator says', requestOf(world) === '1', requestOf(world)),
      ],
    },
    {
      does: 'both desktops are restarted, which brings what they lack',
      act: async ({ world }) => {
        const restartedAt = new Date(world.nowMs()).toISOString();
        for (const key of [DESK, 't-bob/two']) await edit(world, RDPINSTANCES, key, { restartedAt });
      },
      claims: (world) => [
        isReady(world, RDPINSTANCES, DESK),
        isReady(world, RDPINSTANCES, 't-bob/two'),
        guestRuns(world, 't-bob/two'),
        restartIsRequired(world, false),
      ],
    },
  ],
};

function requestOf(world: Place): unknown {
  return dig(peek(world, VIRTUALMACHINES, CHILD), 'spec', 'template', 'spec', 'domain', 'resources', 'requests', 'cpu');
}

function dig(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (found, name) => (typeof found === 'object' && found !== null ? Reflect.get(found, name) : undefined),
    value,
  );
}

function restartIsRequired(world: Place, wanted: boolean): ReturnType<typeof claim> {
  const found = peek(world, RDPINSTANCES, DESK)?.status?.conditions?.some(({ type }) => type === 'RestartRequired');
  return claim(`a restart is ${wanted ? '' : 'not '}required`, (found === true) === wanted);
}

/** What is recorded of the desktop's share has these amounts. */
function isGranted(world: Place, used: Readonly<Record<string, string>>): ReturnType<typeof claim> {
  const text = dig(peek(world, CONFIGMAPS, 't-bob/sublet-grants'), 'data', 'desktops.desk');
  const recorded = typeof text === 'string' ? dig(JSON.parse(text), 'used') : undefined;
  const holds = Object.entries(used).every(([name, amount]) => dig(recorded, name) === amount);
  return claim(`its share is ${JSON.stringify(used)}`, holds, recorded ?? 'none');
}

function claimIsAtLeast(world: Place, gibibytes: number): ReturnType<typeof claim> {
  const request = String(dig(peek(world, PERSISTENTVOLUMECLAIMS, CHILD), 'spec', 'resources', 'requests', 'storage'));
  const bytes = request.endsWith('Gi') ? Number.parseInt(request, 10) * 2 ** 30 : Number(request);
  return claim(`the disk has ${gibibytes} GiB`, bytes >= gibibytes * 2 ** 30, request);
}

function hasType(world: Place, type: string): ReturnType<typeof claim> {
  const found = peek(world, SERVICES, CHILD)?.spec?.type;
  return claim(`its Service is of type ${type}`, found === type, found ?? 'none');
}

function admitsOnly(world: Place, network: string): ReturnType<typeof claim> {
  const text = JSON.stringify(peek(world, NETWORKPOLICIES, CHILD)?.spec ?? {});
  return claim(`only ${network} may connect`, text.includes(network) && !text.includes('0.0.0.0/0'), text);
}
