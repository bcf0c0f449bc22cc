import { afterEach, expect, it } from 'vitest';
import { CONFIGMAPS } from '../../kube/builtin.ts';
import type { KubeObject } from '../../kube/object.ts';
import { KUSTOMIZATIONS } from '../../model/flux.ts';
import { findMark } from './conditions.ts';
import type { Kustomization } from './resources.ts';
import { configMap } from './testing/scenario.ts';
import { type CallInterceptor, followGit, kustomize, openVirtualWorld, type VirtualWorld } from './testing/virtual.ts';

const MINUTE_MS = 60_000;
const AT = { namespace: 'fleet' };
const IDS = ['fleet_x__ConfigMap', 'fleet_y__ConfigMap'];

let world: VirtualWorld | undefined;
afterEach(async () => {
  world?.setFault(undefined);
  await world?.stop();
  world = undefined;
});

async function open(files: Readonly<Record<string, string>>, fault?: CallInterceptor): Promise<VirtualWorld> {
  const opened = await openVirtualWorld('faults', { intervalJitter: 0 });
  world = opened;
  opened.setFault(fault);
  opened.repository.commit(files);
  await followGit(opened);
  await kustomize(opened, 'app', { retryInterval: '30s', serviceAccountName: 'weak' });
  await opened.settle();
  return opened;
}

const TWO = { 'x.yaml': configMap('x'), 'y.yaml': configMap('y') };

const refuse = (code: number, reason: string, message: string) =>
  ({ type: 'refuse', when: 'before', code, reason, message }) as const;

async function look({ get }: VirtualWorld) {
  const { status } = await get<Kustomization>(KUSTOMIZATIONS, 'app');
  return {
    ready: findMark(status?.conditions, 'Ready'),
    retrying: findMark(status?.conditions, 'Reconciling'),
    inventory: status?.inventory?.entries.map(({ id }) => id),
  };
}

async function names({ client, during }: VirtualWorld): Promise<readonly string[]> {
  const { items } = await during(client.list<KubeObject>(CONFIGMAPS, AT));
  return items.map(({ metadata }) => metadata.name).filter((name) => name !== 'kube-root-ca.crt');
}

it('says what the account may not do, writes nothing, and tries again after the retry interval', async () => {
  const forbidden = refuse(403, 'Forbidden', 'configmaps "y" is forbidden: nobody may');
  const opened = await open(TWO, ({ path, verb }) =>
    verb === 'apply' && path.includes('/configmaps/y?') ? forbidden : undefined,
  );
  const { ready, retrying, inventory } = await look(opened);
  expect(ready).toMatchObject({
    status: 'False',
    reason: 'ReconciliationFailed',
    message: 'ConfigMap/fleet/y dry-run failed (Forbidden): configmaps "y" is forbidden: nobody may\n',
  });
  expect(retrying).toMatchObject({
    reason: 'ProgressingWithRetry',
    message: expect.stringContaining('Detecting drift'),
  });
  expect(inventory).toBeUndefined();
  expect(await names(opened)).toEqual([]);
  opened.setFault(undefined);
  await opened.pass(31_000);
  expect((await look(opened)).ready).toMatchObject({ status: 'True' });
  expect(await names(opened)).toEqual(['x', 'y']);
});

it('applies under the account that the Kustomization names', async () => {
  const { calls } = await open(TWO);
  const users = calls.filter(({ resource }) => resource === 'configmaps').map(({ user }) => user.username);
  expect(new Set(users)).toEqual(new Set(['system:serviceaccount:fleet:weak']));
});

it('keeps in the inventory what could not be pruned, and prunes it later', async () => {
  const opened = await open(TWO);
  const forbidden = refuse(403, 'Forbidden', 'configmaps "y" is forbidden: nobody may');
  opened.setFault(({ verb }) => (verb === 'delete' ? forbidden : undefined));
  opened.repository.commit({ 'y.yaml': null });
  await opened.pass(MINUTE_MS + 5_000);
  const failed = await look(opened);
  expect(failed.ready).toMatchObject({
    reason: 'PruneFailed',
    message: 'delete failed, errors: ConfigMap/fleet/y delete failed: configmaps "y" is forbidden: nobody may;',
  });
  expect(failed.inventory).toEqual(IDS);
  opened.setFault(undefined);
  await opened.pass(31_000);
  expect(await look(opened)).toMatchObject({ ready: { status: 'True' }, inventory: ['fleet_x__ConfigMap'] });
  expect(await names(opened)).toEqual(['x']);
});

it.each([
  [
    'the answer to each first write is lost',
    (): CallInterceptor => {
      const seen = new Set<string>();
      return ({ method, path, body }) => {
        const key = `${method} ${path} ${body}`;
        if (method === 'GET' || seen.has(key)) return undefined;
        seen.add(key);
        return { type: 'reset', when: 'after' };
      };
    },
  ],
  [
    'every seventh call is refused',
    (): CallInterceptor => {
      let calls = 0;
      return () => (calls++ % 7 === 0 ? refuse(500, 'InternalError', 'Internal error occurred: no') : undefined);
    },
  ],
  [
    'every status is out of date the first time',
    (): CallInterceptor => {
      let calls = 0;
      const conflict = refuse(409, 'Conflict', 'the object has been modified');
      return ({ path }) => (path.includes('/status?') && calls++ % 2 === 0 ? conflict : undefined);
    },
  ],
] as const)('comes to the same end when %s', async (_what, createFault) => {
  const opened = await open(TWO, createFault());
  await opened.pass(30 * MINUTE_MS);
  // What was applied and never recorded is nobody's to prune, as with Flux.
  expect((await look(opened)).inventory).toEqual(IDS);
  opened.repository.commit({ 'x.yaml': null, 'z.yaml': configMap('z') });
  await opened.pass(60 * MINUTE_MS);
  opened.setFault(undefined);
  // The longest back-off.
  await opened.pass(16 * MINUTE_MS);
  expect((await look(opened)).ready).toMatchObject({ status: 'True' });
  expect(await names(opened)).toEqual(['y', 'z']);
});
