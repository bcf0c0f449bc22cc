import { expect } from 'vitest';
import { confirmTrip, findTrip, listReady, observeDesktops, type Sold } from './badinput.observe.ts';
import { place, type SoldKind } from './badinput.orders.ts';
import type { Stage } from './stage.ts';
import { isOurWrite } from './stage.ts';
import type { Story } from './story.ts';

/** Longer than anything of ours waits before it acts. */
const WATCHED_MS = 3_000;

export const lostDefinition: Story = {
  title: 'keeps every desktop running while their CustomResourceDefinition is gone, and says so',
  tell: (stage, root) => loseDefinitions(stage, root, ['RDPInstance']),
};

/** What `kubectl delete -k crds` does. Desktops come back first, when there is neither their Tenant nor their Plan. */
export const lostDefinitions: Story = {
  title: 'keeps every tenant and desktop while all of our CustomResourceDefinitions are gone',
  tell: (stage, root) => loseDefinitions(stage, root, ['RDPInstance', 'Quota', 'Tenant', 'Plan']),
};

async function loseDefinitions(stage: Stage, root: string, kinds: readonly SoldKind[]): Promise<void> {
  const { world } = stage;
  const sold = (await Promise.all(kinds.map((kind) => listReady(stage, kind)))).flat();
  const desktops = sold.filter(({ order }) => order.kind === 'RDPInstance');
  expect(desktops.filter(({ byFlux }) => byFlux)).not.toEqual([]);
  expect(desktops.filter(({ byFlux }) => !byFlux)).not.toEqual([]);
  const before = await observeDesktops(stage, desktops);
  const namespaces = await listNamespaces(stage);
  const { nextByte } = await world.cluster.auditEvents();

  const names = kinds.map((kind) => `${kind.toLowerCase()}s.sublet.dev`);
  const removal = await world.cluster.kubectl(['delete', 'crd', ...names, '--wait=true', '--timeout=60s']);
  expect(removal).toMatchObject({ code: 0 });
  const trip = await stage.eventually('the breaker is tripped', () => findTrip(stage));
  expect(trip.message).toMatch(/^the CustomResourceDefinition [a-z]+\.sublet\.dev is being deleted$/);
  expect(names.some((name) => trip.message?.includes(name))).toBe(true);
  await operatorWaits(stage, names);

  await new Promise((resolve) => setTimeout(resolve, WATCHED_MS));
  expect(await observeDesktops(stage, desktops)).toEqual(before);
  expect((await listNamespaces(stage)).map(({ uid }) => uid)).toEqual(namespaces.map(({ uid }) => uid));
  for (const { namespace, order } of desktops) {
    const disk = await stage.get('DataVolume', namespace, `rdp-${order.name}`);
    expect(disk?.metadata.annotations).toHaveProperty(['sublet.dev/held']);
  }
  const { events } = await world.cluster.auditEvents(nextByte);
  expect(events.filter((event) => isOurWrite(event) && event.verb.startsWith('delete'))).toEqual([]);

  await world.cluster.installManifests(`${root}/crds`);
  await world.ready();
  await bringBack(stage, sold);
  for (const { namespace, order } of sold) {
    await stage.condition(order.kind, [namespace, order.name], { status: 'True' });
  }
  expect(await observeDesktops(stage, desktops)).toEqual(before);
  expect(await listNamespaces(stage)).toEqual(namespaces);
  for (const { namespace, order } of desktops) {
    const disk = await stage.get('DataVolume', namespace, `rdp-${order.name}`);
    expect(disk?.metadata.annotations).not.toHaveProperty(['sublet.dev/held']);
    expect(disk?.metadata.annotations).not.toHaveProperty(['sublet.dev/removed-at']);
  }
  await confirmTrip(stage, trip.id);
}

/** Not ready, alive, and its log names the kinds. */
async function operatorWaits(stage: Stage, names: readonly string[]): Promise<void> {
  const url = stage.world.endpoint('operator');
  await stage.eventually('the operator says that it waits', async () => {
    const ready = await fetch(`${url}/readyz`);
    const log = stage.world.logTail('operator');
    const said = names.every((name) => log.includes(`${name} (unavailable)`));
    return ready.status === 500 && (await ready.text()).includes('informers') && said ? true : undefined;
  });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
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
  for (const { namespace, order } of sold.filter(({ byFlux }) => !byFlux)) await place(stage, namespace, order);
  for (const namespace of new Set(sold.filter(({ byFlux }) => byFlux).map((one) => one.namespace))) {
    await stage.patch('Kustomization', 'sublet-fleet', namespace, {
      metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() } },
    });
  }
}
