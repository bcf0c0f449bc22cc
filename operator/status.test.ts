import { afterEach, beforeEach, expect, test } from 'vitest';
import { PLANS } from '../crds/v1alpha1/resources.ts';
import { isNotFound, StatusError } from '../kube/errors.ts';
import { settle } from '../kube/testing/fakeclock.ts';
import { applyStatus } from './status.ts';
import { createHarness, type Harness, tenantPlan } from './testing/harness.ts';

const KEY = 'sublet-root/team';
const STATUS = { observedGeneration: 1, conditions: [] };
let harness: Harness;
beforeEach(async () => {
  harness = createHarness();
  harness.server.put(PLANS, tenantPlan('sublet-root', 'team'));
  await harness.sync();
});
afterEach(() => harness.stop());

const known = () => {
  const plan = harness.context.informers.plans.get(KEY);
  if (plan === undefined) throw new Error(`${KEY} is not known`);
  return plan;
};
const apply = (plan = known()) =>
  applyStatus(harness.context, harness.context.informers.plans, plan, STATUS, new AbortController().signal);
const refuse = () => {
  throw new StatusError({ code: 404, message: 'the server could not find the requested resource' });
};

test('a 404 for what is known is no answer about it: it is thrown, so that the status is written later', async () => {
  harness.server.intercept = refuse;
  expect(isNotFound(await apply().catch((error: unknown) => error))).toBe(true);
  harness.server.intercept = undefined;
  await apply();
  expect(harness.server.get(PLANS, KEY)).toMatchObject({ status: { observedGeneration: 1 } });
});

test('for what is gone there is nothing to do', async () => {
  const plan = known();
  harness.server.remove(PLANS, KEY);
  while (harness.context.informers.plans.get(KEY) !== undefined) await settle();
  await apply(plan);
  expect(harness.server.writes.map(({ verb }) => verb)).toEqual(['apply status']);
});
