import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWithOwnCluster } from '../support/cluster.ts';
import { grantedRights, refusedRights, unusedRights, usedRights } from '../support/rights.ts';
import { startWorld, type World } from '../support/world.ts';
import { brokenFile } from './brokenfile.story.ts';
import { deleteAndReturn } from './deleteandreturn.story.ts';
import { emptiedTree } from './emptiedtree.story.ts';
import { missingImage } from './missingimage.story.ts';
import { orderByCommit } from './orderbycommit.story.ts';
import { orderByKubectl } from './orderbykubectl.story.ts';
import { ownRepository } from './ownrepository.story.ts';
import { powerCycle } from './powercycle.story.ts';
import { removedFile } from './removedfile.story.ts';
import { createStage, type Stage } from './stage.ts';
import { suspendReseller } from './suspendreseller.story.ts';

/** In the order in which they happen: each finds what the ones before it left. One file a story. */
const STORIES = [
  orderByCommit,
  orderByKubectl,
  ownRepository,
  powerCycle,
  missingImage,
  brokenFile,
  removedFile,
  deleteAndReturn,
  suspendReseller,
  emptiedTree,
] as const;

describeWithOwnCluster('stories', { flux: true, audit: true }, (cluster) => {
  let world: World | undefined;
  let stage: Stage;

  beforeAll(async () => {
    world = await startWorld({
      cluster: cluster(),
      operator: { probe: { intervalSeconds: 2 }, leaderElection: true },
      simulator: ['--quick'],
    });
    stage = createStage(world);
  });

  afterAll(() => world?.stop());

  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail' || world === undefined) return;
    for (const role of ['operator', 'source'] as const) {
      console.error(`${role}:\n${(await readFile(world.logPath(role), 'utf8')).slice(-6_000)}`);
    }
  });

  for (const story of STORIES) {
    it(story.title, async () => {
      await story.tell(stage, path.resolve(import.meta.dirname, '../..'));
      expect(await stage.secondPass(), 'writes of a second pass').toEqual([]);
    });
  }

  it.each(Object.entries(UNUSED))(
    'refused %s nothing, and gave it no right that it does not use',
    async (name, spared) => {
      const user = `system:serviceaccount:sublet-system:${name}`;
      const granted = await grantedRights(cluster().admin, 'sublet-system', name);
      expect([...granted]).toEqual(expect.arrayContaining([...BY_CHANCE]));
      // A watch stands in the audit log once it has ended, a moment after its client.
      const unused = async () => unusedRights(granted, usedRights((await cluster().auditEvents()).events, user));
      await expect
        .poll(async () => (await unused()).filter((right) => !BY_CHANCE.includes(right)))
        .toEqual([...spared].sort());
      expect(refusedRights((await cluster().auditEvents()).events, user)).toEqual([]);
    },
  );
});

/** Used or not as the machine is fast or slow: the same Event once more, and a look at the Lease, which ends before it was sent when the Lease is had at once. */
const BY_CHANCE: readonly string[] = ['patch events.events.k8s.io', 'watch leases.coordination.k8s.io'];

/** A child is asked for by name, and patched, when somebody changed it or had its name before. No story does. */
const REPAIR = [
  'get gitrepositories.source.toolkit.fluxcd.io',
  'get kustomizations.kustomize.toolkit.fluxcd.io',
  'get networkpolicies.networking.k8s.io',
  'get resourcequotas',
  'get rolebindings.rbac.authorization.k8s.io',
  'get roles.rbac.authorization.k8s.io',
  'get secrets',
  'get serviceaccounts',
  'get services',
  'patch gitrepositories.source.toolkit.fluxcd.io',
  'patch kustomizations.kustomize.toolkit.fluxcd.io',
  'patch networkpolicies.networking.k8s.io',
  'patch resourcequotas',
  'patch rolebindings.rbac.authorization.k8s.io',
  'patch roles.rbac.authorization.k8s.io',
  'patch serviceaccounts',
  'patch services',
];

/** What a grace of seven days keeps out of stories that take minutes. */
const SWEEP = [
  'delete datavolumes.cdi.kubevirt.io',
  'delete namespaces',
  'delete resourcequotas',
  'delete secrets',
  'delete virtualmachines.kubevirt.io',
];

/** Rights that no story uses, each with its reason. */
const UNUSED = {
  'sublet-operator': [
    ...REPAIR,
    ...SWEEP,
    // Held to be given to members.
    'get quotas.sublet.dev',
    // Judged inside a RoleBinding's create, and by CDI in a clone's: neither is a request of its own.
    'bind clusterroles.rbac.authorization.k8s.io',
    'create datavolumes.cdi.kubevirt.io/source',
    // A disk that grows; a Quota, of which the staging fleet has none.
    'patch persistentvolumeclaims',
    'patch quotas.sublet.dev/status',
  ],
  // A fleet repository that asks who reads it.
  'sublet-source': ['get secrets'],
} as const;
