import { cp, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeWithOwnCluster } from '../support/cluster.ts';
import { startWorld, type World } from '../support/world.ts';
import { massRemoval } from './badinput.breaker.ts';
import { lostDefinition, lostDefinitions, lostTenants } from './badinput.definitions.ts';
import { editedMeanwhile, missingPlan, noShare, prototypeKeys } from './badinput.desktops.ts';
import { gate } from './badinput.gate.ts';
import { judge, order, place } from './badinput.orders.ts';
import { REFUSALS } from './badinput.refusals.ts';
import { collidingNames, longPaths, noSeller, sharedIdentity, takenNamespace } from './badinput.tenants.ts';
import { createStage, type Stage } from './stage.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** In this order: the last ones lose and remove what came before. */
const STORIES = [
  collidingNames,
  longPaths,
  takenNamespace,
  sharedIdentity,
  noSeller,
  missingPlan,
  noShare,
  prototypeKeys,
  editedMeanwhile,
  gate,
  lostDefinition,
  massRemoval,
  lostTenants,
  lostDefinitions,
] as const;

describeWithOwnCluster('bad input', { flux: true, audit: true }, (cluster) => {
  let world: World | undefined;
  let stage: Stage;

  beforeAll(async () => {
    world = await startWorld({
      cluster: cluster(),
      operator: { probe: { intervalSeconds: 2 } },
      simulator: ['--quick'],
    });
    stage = createStage(world);
    await cp(path.join(ROOT, 'tenants/staging'), path.join(world.checkout, 'tenants/staging'), { recursive: true });
    await world.push('Order the reference fleet');
    await place(
      stage,
      'sublet-root',
      order.tenantPlan('open'),
      order.desktopPlan('tiny', 1),
      order.tenant('direct', { members: [{ kind: 'User', name: 'oidc:dora', role: 'Owner' }] }),
    );
    await stage.condition('Tenant', ['sublet-root', 'direct'], { status: 'True' });
    await stage.condition('RDPInstance', ['t-acme--bob', 'anna-desk'], { status: 'True' });
  });

  afterAll(() => world?.stop());

  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail' || world === undefined || task.suite?.name === 'the API server') return;
    for (const role of ['operator', 'source'] as const) {
      console.error(`${role}:\n${(await readFile(world.logPath(role), 'utf8')).slice(-6_000)}`);
    }
  });

  describe('the API server', () => {
    it.each(REFUSALS)('on $what', async ({ order: one, says }) => {
      const said = await judge(stage, 'sublet-root', one);
      if (typeof says === 'string') expect(said).toContain(says);
      else expect(said).toMatch(says);
    });
  });

  for (const story of STORIES) it(story.title, () => story.tell(stage, ROOT));

  it('leaves nothing to be written after all this', async () => {
    expect(await stage.secondPass()).toEqual([]);
  });
});
