import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWithOwnCluster } from '../support/cluster.ts';
import { startWorld, type World } from '../support/world.ts';
import { brokenFile } from './brokenfile.story.ts';
import { deleteAndReturn } from './deleteandreturn.story.ts';
import { emptiedTree } from './emptiedtree.story.ts';
import { missingImage } from './missingimage.story.ts';
import { orderByCommit } from './orderbycommit.story.ts';
import { orderByKubectl } from './orderbykubectl.story.ts';
import { powerCycle } from './powercycle.story.ts';
import { removedFile } from './removedfile.story.ts';
import { createStage, type Stage } from './stage.ts';
import { suspendReseller } from './suspendreseller.story.ts';

/** In the order in which they happen: each finds what the ones before it left. One file a story. */
const STORIES = [
  orderByCommit,
  orderByKubectl,
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
});
