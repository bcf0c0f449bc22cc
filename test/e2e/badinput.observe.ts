import { expect } from 'vitest';
import { type Order, type SoldKind, withdraw } from './badinput.orders.ts';
import type { Live, Stage } from './stage.ts';

const PLURALS = { Plan: 'plans', Tenant: 'tenants', Quota: 'quotas', RDPInstance: 'rdpinstances' } as const;

/** A resource that is there, and how it was ordered. */
export type Sold = { readonly namespace: string; readonly order: Order; readonly byFlux: boolean; readonly live: Live };

/** Everything of a kind that is Ready, wherever it is. */
export async function listReady(stage: Stage, kind: SoldKind): Promise<readonly Sold[]> {
  const body = (await stage.world.cluster.admin.ask('GET', `/apis/sublet.dev/v1alpha1/${PLURALS[kind]}`)) as {
    readonly items: readonly Live[];
  };
  return body.items
    .filter(({ status }) => status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'))
    .map((live) => ({
      namespace: live.metadata.namespace ?? '',
      order: { kind, name: live.metadata.name, spec: live.spec ?? {} },
      byFlux: live.metadata.labels?.['kustomize.toolkit.fluxcd.io/name'] !== undefined,
      live,
    }));
}

/** What of the desktops is there and runs, in their order. */
export function observeDesktops(stage: Stage, desktops: readonly Sold[]) {
  return Promise.all(
    desktops.map(async ({ namespace, order: { name } }) => {
      const child = `rdp-${name}`;
      const machine = await stage.get('VirtualMachine', namespace, child);
      const instance = await stage.get('VirtualMachineInstance', namespace, child);
      const secret = await stage.get('Secret', namespace, child);
      return {
        key: `${namespace}/${name}`,
        disk: (await stage.get('DataVolume', namespace, child))?.metadata.uid,
        machine: machine?.metadata.uid,
        runStrategy: machine?.spec?.runStrategy,
        instance: instance?.metadata.uid,
        phase: instance?.status?.phase,
        secret: secret?.metadata.uid,
        password: secret?.data?.password,
      };
    }),
  );
}

/** The breaker's record while it is tripped. */
export async function findTrip(stage: Stage): Promise<Live['data']> {
  const found = await stage.get('ConfigMap', 'sublet-system', 'sublet-breaker');
  return found?.data?.confirmedAt === undefined ? found?.data : undefined;
}

/** What a person does who has looked at what is held. */
export async function annotateBreaker(stage: Stage, id: string | undefined): Promise<void> {
  const args = ['annotate', 'configmap', 'sublet-breaker', `sublet.dev/confirm=${id}`, '--overwrite'];
  expect(await stage.world.cluster.kubectl(['-n', 'sublet-system', ...args])).toMatchObject({ code: 0 });
}

export async function confirmTrip(stage: Stage, id: string | undefined): Promise<void> {
  await annotateBreaker(stage, id);
  await stage.eventually('the breaker is no longer tripped', async () =>
    (await findTrip(stage)) === undefined ? true : undefined,
  );
}

/** Takes something away whose removal the breaker need not judge, and waits until it is gone. */
export async function withdrawAll(
  stage: Stage,
  ...what: readonly (readonly [kind: SoldKind, namespace: string, name: string])[]
): Promise<void> {
  for (const one of what) await withdraw(stage, ...one);
  for (const one of what) await stage.gone(...one);
}
