import { expect } from 'vitest';
import type { Change, Client } from '../../client/index.ts';
import type { Stage } from './stage.ts';

const POLICIES = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
const BINDINGS = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings';
const NAME = 'no-gold-for-acme';
const REASON = 'Gold is not sold here any more';
const PLANS = '/apis/sublet.dev/v1alpha1/namespaces/t-acme/plans';

type Cast = {
  readonly stage: Stage;
  /** Of acme. */
  readonly owner: Client;
  readonly settle: (id: string) => Promise<Change>;
};

/** A rule that comes between the dry run and Flux: what it refuses is told with its words and taken back, and the order beside it in the folder arrives. */
export async function refuseByFlux({ stage, owner, settle }: Cast): Promise<void> {
  const { world } = stage;
  const { admin } = world.cluster;
  const retitle = async (name: string, title: string): Promise<Change> => {
    const order = { path: { path: 'acme', name }, body: { spec: { title } } };
    const { data } = await owner.patch('/v1/tenants/{path}/plans/{name}', order as never);
    const { id } = data as Change;
    return stage.eventually(`the commit of ${title}`, async () => {
      const change = (await owner.get('/v1/changes/{id}', { path: { id } })).data as Change;
      return change.state === 'Committed' ? change : undefined;
    });
  };
  const titleOf = async (name: string) => (await stage.get('Plan', 't-acme', name))?.spec?.title;
  const before = await titleOf('lite');
  await world.kill('source');
  const gold = await retitle('lite', 'Lite Gold');
  const beside = await retitle('pro', 'Pro beside it');
  await forbidGold(stage);
  try {
    await world.startAgain('source');
    const failed = await settle(gold.id);
    expect(failed).toMatchObject({
      state: 'Failed',
      reason: 'NotAppliable',
      message: expect.stringMatching(new RegExp(`Plan/t-acme/lite dry-run failed.*${REASON}`)),
    });
    const compensation = await stage.eventually('what takes it back', async () => {
      const { data } = await owner.get('/v1/tenants/{path}/changes', { path: { path: 'acme' } });
      const { items } = data as { readonly items: readonly Change[] };
      return items.find(({ id, requestId }) => requestId === gold.requestId && id !== gold.id);
    });
    expect(compensation).toMatchObject({ type: 'Edit', target: { kind: 'Plan', namespace: 't-acme', name: 'lite' } });
    expect((await settle(compensation.id)).state).toBe('Ready');
    expect((await settle(beside.id)).state).toBe('Ready');
    expect(await titleOf('pro')).toBe('Pro beside it');
    expect(await titleOf('lite')).toBe(before);
    await world.git('fetch', '--quiet', 'origin', 'main');
    const file = await world.git('show', `origin/main:tenants/${world.environment}/t-acme/lite.yaml`);
    expect(file).toContain(`title: ${String(before)}\n`);
  } finally {
    await admin.call('DELETE', `${BINDINGS}/${NAME}`);
    await admin.call('DELETE', `${POLICIES}/${NAME}`);
  }
}

/** Rules take a moment to count. */
async function forbidGold({ world, eventually }: Stage): Promise<void> {
  const { admin } = world.cluster;
  const rule = {
    apiGroups: ['sublet.dev'],
    apiVersions: ['v1alpha1'],
    operations: ['CREATE', 'UPDATE'],
    resources: ['plans'],
  };
  await admin.ask('POST', POLICIES, {
    metadata: { name: NAME },
    spec: {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: '!object.spec.title.endsWith("Gold")', message: REASON }],
    },
  });
  const spec = { policyName: NAME, validationActions: ['Deny'] };
  await admin.ask('POST', BINDINGS, { metadata: { name: NAME }, spec });
  await eventually('the rule counts', async () => {
    const body = { spec: { title: 'All Gold' } };
    const path = `${PLANS}/lite?dryRun=All`;
    const { status } = await admin.call('PATCH', path, body, 'application/merge-patch+json');
    return status === 422 ? true : undefined;
  });
}
