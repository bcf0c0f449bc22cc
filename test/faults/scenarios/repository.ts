import { stringify } from 'yaml';
import { RDPINSTANCES, TENANTS } from '../../../crds/v1alpha1/resources.ts';
import { NAMESPACES } from '../../../kube/builtin.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { ANNOTATION_REMOVED_AT } from '../../../model/labels.ts';
import type { World } from '../../simulation/contract.ts';
import {
  type Claim,
  claim,
  DAY_MS,
  desktop,
  edit,
  exists,
  guestRuns,
  hasAnnotation,
  isDown,
  isGone,
  isReady,
  LARGE,
  peek,
  plan,
  type Scenario,
  SMALL,
  TEAM,
  tenant,
} from '../story.ts';

const CUSTOMERS = ['ann', 'ben', 'cat', 'dan', 'eva'] as const;
const DESKS = CUSTOMERS.map((name) => `t-${name}/desk`);

/** Everything is ordered by commit; `push` and what the repository suffers are the steps. */
async function givenFleet(world: World): Promise<void> {
  const grace = { deletion: { policy: 'Retain', graceDays: 2 } };
  put(
    world,
    plan('sublet-root', 'small', SMALL),
    plan('sublet-root', 'large', LARGE),
    plan('sublet-root', 'team', TEAM),
  );
  for (const name of CUSTOMERS) {
    put(
      world,
      tenant('sublet-root', name, { source: { type: 'Fleet' }, ...grace }),
      desktop(`t-${name}`, 'desk', grace),
    );
  }
  world.repository.push('Order five customers with a desktop each');
}

function put({ repository }: World, ...objects: readonly KubeObject[]): void {
  for (const { metadata, ...rest } of objects) {
    const text = stringify({ ...rest, metadata: { name: metadata.name } });
    repository.write(`tenants/production/${metadata.namespace}/${metadata.name}.yaml`, text);
  }
}

const allRun = (world: World): readonly Claim[] =>
  DESKS.flatMap((key) => [isReady(world, RDPINSTANCES, key), guestRuns(world, key)]);

export const emptied: Scenario = {
  name: 'emptied',
  title: 'the repository is emptied by a commit, and then mended',
  given: givenFleet,
  steps: [
    {
      does: 'everything is deleted in one commit',
      act: ({ world: { repository } }) => {
        repository.remove('tenants');
        repository.push('Delete everything');
      },
      thenMs: 3 * DAY_MS,
      claims: allRun,
    },
    {
      does: 'the commit is taken back',
      act: ({ world }) => {
        return givenFleet(world);
      },
      thenMs: 600_000,
      claims: allRun,
    },
  ],
};

export const forcePushed: Scenario = {
  name: 'forcepushed',
  title: 'the branch is force-pushed to its beginning, and back',
  async given(world) {
    world.repository.write('README.md', 'The fleet');
    world.repository.push('Begin');
    await givenFleet(world);
  },
  steps: [
    {
      does: 'the branch is set to its first commit',
      act: ({ world: { repository } }) => {
        repository.forcePush(repository.history()[0] ?? '');
      },
      thenMs: 3 * DAY_MS,
      claims: allRun,
    },
    {
      does: 'a push brings all of it back, and moves a desktop to a larger plan',
      act: async ({ world }) => {
        await givenFleet(world);
        put(world, desktop('t-ann', 'desk', { plan: 'large' }));
        world.repository.push('Move to a larger plan');
      },
      thenMs: 600_000,
      claims: (world) => [
        ...allRun(world),
        claim('the larger plan came through', peek(world, RDPINSTANCES, 't-ann/desk')?.spec?.plan === 'large'),
      ],
    },
  ],
};

export const landslide: Scenario = {
  name: 'landslide',
  title: 'a commit takes away most customers; it is held until a person confirms it, and each time anew',
  operator: { breaker: { minimum: 100 } },
  given: givenFleet,
  steps: [
    {
      does: 'four of five customers and their folders are deleted in one commit',
      act: ({ world: { repository } }) => {
        for (const name of CUSTOMERS.slice(1)) {
          repository.remove(`tenants/production/t-${name}`);
          repository.remove(`tenants/production/sublet-root/${name}.yaml`);
        }
        repository.push('Remove four customers');
      },
      thenMs: DAY_MS,
      claims: allRun,
    },
    {
      does: 'a person confirms it',
      act: ({ world }) => world.repository.confirm(),
      thenMs: DAY_MS,
      claims: (world) => [
        isReady(world, RDPINSTANCES, 't-ann/desk'),
        ...CUSTOMERS.slice(1).flatMap((name) => [
          isGone(world, TENANTS, `sublet-root/${name}`),
          isDown(world, `t-${name}/desk`),
          exists(world, NAMESPACES, `t-${name}`),
          hasAnnotation(world, NAMESPACES, `t-${name}`, ANNOTATION_REMOVED_AT, true),
        ]),
      ],
    },
    {
      does: 'the four order again',
      act: ({ world }) => givenFleet(world),
      thenMs: 600_000,
      claims: allRun,
    },
    {
      does: 'the branch is set back to the commit that was confirmed, which would now remove them once more',
      act: ({ world: { repository } }) => {
        repository.forcePush(repository.history()[1] ?? '');
      },
      thenMs: DAY_MS,
      claims: allRun,
    },
  ],
};

export const lastFile: Scenario = {
  name: 'lastfile',
  title: "a customer's last file is deleted, and a folder gets a mistake",
  given: givenFleet,
  steps: [
    {
      does: "one customer's only desktop is deleted",
      act: ({ world: { repository } }) => {
        repository.remove('tenants/production/t-ann/desk.yaml');
        repository.push('Delete the desktop of ann');
      },
      thenMs: 600_000,
      claims: (world) => [
        isGone(world, RDPINSTANCES, 't-ann/desk'),
        isDown(world, 't-ann/desk'),
        ...DESKS.slice(1).map((key) => guestRuns(world, key)),
      ],
    },
    {
      does: 'another folder no longer parses, while Git cannot be reached for an hour',
      act: async ({ world }) => {
        world.repository.setReachable(false);
        world.repository.write('tenants/production/t-ben/desk.yaml', 'spec: [');
        world.repository.push('Break a file');
        await world.runFor(3_600_000);
        world.repository.setReachable(true);
        world.repository.notify();
      },
      thenMs: 600_000,
      claims: (world) => [
        ...DESKS.slice(1).map((key) => guestRuns(world, key)),
        isReady(world, RDPINSTANCES, 't-ben/desk'),
      ],
    },
    {
      does: 'somebody stops a desktop by hand and Git takes that back',
      act: async ({ world }) => {
        await edit(world, RDPINSTANCES, 't-cat/desk', { power: 'Stopped' });
        await world.runUntilQuiet();
        put(world, desktop('t-cat', 'desk', { power: 'Running', deletion: { policy: 'Retain', graceDays: 2 } }));
        world.repository.push('Run it');
      },
      thenMs: 600_000,
      claims: (world) => [guestRuns(world, 't-cat/desk'), isReady(world, RDPINSTANCES, 't-cat/desk')],
    },
  ],
};
