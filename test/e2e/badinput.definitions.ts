import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { confirmTrip, findTrip, listReady, observeDesktops, type Sold } from './badinput.observe.ts';
import { order, place, type SoldKind } from './badinput.orders.ts';
import type { Stage } from './stage.ts';
import { isOurWrite } from './stage.ts';
import type { Story } from './story.ts';

/** Longer than anything of ours waits before it acts. */
const WATCHED_MS = 3_000;

export const lostDefinition: Story = {
  title: 'keeps every desktop running while their CustomResourceDefinition is gone, and says so',
  tell: (stage, root) => loseDefinitions(stage, root, ['RDPInstance']),
};

/** Desktops stay, and have neither Tenant nor members for a while; what was suspended does not come to life by that. */
export const lostTenants: Story = {
  title: "keeps every tenant's desktops as they are while the CustomResourceDefinition of Tenants is gone",
  async tell(stage, root) {
    await place(stage, 'sublet-root', order.tenant('idle'));
    await stage.condition('Tenant', ['sublet-root', 'idle'], { status: 'True' });
    await place(stage, 't-idle', order.desktop('sleepy'));
    await stage.condition('RDPInstance', ['t-idle', 'sleepy'], { status: 'True' });
    await place(stage, 'sublet-root', order.tenant('idle', { suspensions: [{ reason: 'Payment' }] }));
    await stage.condition('RDPInstance', ['t-idle', 'sleepy'], { status: 'False', reason: 'Suspended' });
    await stage.gone('VirtualMachineInstance', 't-idle', 'rdp-sleepy');
    await loseDefinitions(stage, root, ['Tenant']);
    await expectAsleep(stage);
  },
};

/** What `kubectl delete -k crds` does. Desktops come back first, when there is neither their Tenant nor their Plan. */
export const lostDefinitions: Story = {
  title: 'keeps every tenant and desktop while all of our CustomResourceDefinitions are gone',
  async tell(stage, root) {
    await loseDefinitions(stage, root, ['RDPInstance', 'Quota', 'Tenant', 'Plan']);
    await expectAsleep(stage);
  },
};

async function expectAsleep(stage: Stage): Promise<void> {
  expect((await stage.get('VirtualMachine', 't-idle', 'rdp-sleepy'))?.spec?.runStrategy).toBe('Halted');
  const { events } = await stage.world.cluster.auditEvents();
  const started = events.filter(
    ({ verb, objectRef }) =>
      verb === 'create' && objectRef?.resource === 'virtualmachineinstances' && objectRef.namespace === 't-idle',
  );
  expect(started, 'starts of the suspended desktop').toHaveLength(1);
}

async function loseDefinitions(stage: Stage, root: string, kinds: readonly SoldKind[]): Promise<void> {
  const { world } = stage;
  // What the stories before it left to be removed is no removal of this one.
  await stage.settled();
  const sold = (await Promise.all(kinds.map((kind) => listReady(stage, kind)))).flat();
  const desktops = await listReady(stage, 'RDPInstance');
  expect(desktops.filter(({ byFlux }) => byFlux)).not.toEqual([]);
  expect(desktops.filter(({ byFlux }) => !byFlux)).not.toEqual([]);
  const before = await observeDesktops(stage, desktops);
  const namespaces = await listNamespaces(stage);
  const { nextByte } = await world.cluster.auditEvents();
  const logged = (await readLog(stage)).length;

  const names = kinds.map((kind) => `${kind.toLowerCase()}s.sublet.dev`);
  const removal = await world.cluster.kubectl(['delete', 'crd', ...names, '--wait=true', '--timeout=300s']);
  expect(removal).toMatchObject({ code: 0 });
  const trip = await stage.eventually('the breaker is tripped', () => findTrip(stage));
  expect(trip.message).toBe('CustomResourceDefinitions of sublet.dev are being deleted or gone');
  await operatorWaits(stage, names, logged);

  await new Promise((resolve) => setTimeout(resolve, WATCHED_MS));
  expect(await observeDesktops(stage, desktops)).toEqual(before);
  expect((await listNamespaces(stage)).map(({ uid }) => uid)).toEqual(namespaces.map(({ uid }) => uid));
  const held = kinds.includes('RDPInstance') ? desktops.length : 0;
  await expect.poll(() => listStampedDisks(stage, held === 0 ? [] : desktops)).toHaveLength(held);
  const { events } = await world.cluster.auditEvents(nextByte);
  expect(events.filter((event) => isOurWrite(event) && event.verb.startsWith('delete'))).toEqual([]);

  await world.cluster.installManifests(`${root}/crds`);
  await world.ready();
  await bringBack(stage, sold);
  for (const one of [...sold, ...desktops]) {
    await stage.condition(one.order.kind, [one.namespace, one.order.name], { status: 'True' });
  }
  expect(await observeDesktops(stage, desktops)).toEqual(before);
  await expect.poll(() => listNamespaces(stage)).toEqual(namespaces);
  await expect.poll(() => listStampedDisks(stage, desktops)).toEqual([]);
  await confirmTrip(stage, trip.id);
}

/** Not ready, alive, and its log names the kinds, from there on. */
async function operatorWaits(stage: Stage, names: readonly string[], from: number): Promise<void> {
  const url = stage.world.endpoint('operator');
  await stage.eventually('the operator says that it waits', async () => {
    const ready = await fetch(`${url}/readyz`);
    const log = (await readLog(stage)).slice(from);
    const said = names.every((name) => log.includes(`${name} (unavailable)`));
    return ready.status === 500 && (await ready.text()).includes('informers') && said ? true : undefined;
  });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
}

function readLog({ world }: Stage): Promise<string> {
  return readFile(world.logPath('operator'), 'utf8');
}

/** Desktops whose disks carry the stamps of a removal that is held. */
async function listStampedDisks(stage: Stage, desktops: readonly Sold[]): Promise<readonly string[]> {
  const stamped: string[] = [];
  for (const { namespace, order: desktop } of desktops) {
    const disk = await stage.get('DataVolume', namespace, `rdp-${desktop.name}`);
    const { annotations = {} } = disk?.metadata ?? {};
    if ('sublet.dev/removed-at' in annotations || 'sublet.dev/held' in annotations) stamped.push(desktop.name);
  }
  return stamped;
}

type Stamped = { readonly uid: string; readonly name: string; readonly stamps: readonly string[] };

/** The tenants' namespaces, and which stamps of a removal they carry. */
async function listNamespaces(stage: Stage): Promise<readonly Stamped[]> {
  const found = await stage.list('Namespace', '');
  return found
    .filter(({ metadata }) => metadata.annotations?.['sublet.dev/tenant-id'] !== undefined)
    .map(({ metadata: { uid, name, annotations = {} } }) => ({
      uid,
      name,
      stamps: ['sublet.dev/removed-at', 'sublet.dev/held'].filter((key) => key in annotations),
    }));
}

/** By Flux where Flux brought it, as a person would from a backup where not. */
async function bringBack(stage: Stage, sold: readonly Sold[]): Promise<void> {
  for (const one of sold.filter(({ byFlux }) => !byFlux)) await place(stage, one.namespace, one.order);
  for (const namespace of new Set(sold.filter(({ byFlux }) => byFlux).map((one) => one.namespace))) {
    await stage.patch('Kustomization', 'sublet-fleet', namespace, {
      metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() } },
    });
  }
}
