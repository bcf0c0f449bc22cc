import { afterEach, describe, expect, it } from 'vitest';
import { PLANS, RDPINSTANCES, TENANTS } from '../../crds/v1alpha1/resources.ts';
import type { KubeObject } from '../../kube/object.ts';
import { API_VERSION } from '../../model/group.ts';
import { createTenant, filePath, renderPriceList, renderTenant } from '../../simulator/scenario/fleet.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

type Conditioned = KubeObject & {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
};

const DESK = `apiVersion: ${API_VERSION}
kind: RDPInstance
metadata:
  name: desk
spec:
  plan: basic
  image: ubuntu-24
  username: anna
`;

let world: World;
afterEach(() => world.close());

async function build(options: Partial<WorldOptions> = {}): Promise<World> {
  world = await createWorld({ seed: 1, intervals: 'year', ...options });
  await world.startAll();
  return world;
}

function isReady(resource: string, key: string): boolean {
  const conditions = world.peek<Conditioned>(resource, key)?.status?.conditions;
  return conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** The provider's plans, the tenant bob and its desktop, by one commit. */
function orderByCommit(): void {
  const bob = createTenant(undefined, 'bob', { type: 'Customer', graceDays: 7, id: 'bob-1' });
  for (const [path, text] of Object.entries(renderPriceList(undefined))) world.repository.write(path, text);
  world.repository.write(filePath('Tenant', 'sublet-root', 'bob'), renderTenant(bob));
  world.repository.write(filePath('RDPInstance', 't-bob', 'desk'), DESK);
  world.repository.push('Order');
}

describe('the simulated world', () => {
  it('brings a desktop from a commit to an RDP handshake, through Flux and the fleet source', async () => {
    await build();
    const handshakes: string[] = [];
    world.onTrail((event) => {
      if (event.type === 'handshake') handshakes.push(event.instanceUid);
    });
    orderByCommit();
    await world.runUntil(() => isReady('rdpinstances.sublet.dev', 't-bob/desk'), { what: 'the desktop is Ready' });
    const vmi = world.peek('virtualmachineinstances.kubevirt.io', 't-bob/rdp-desk');
    expect(handshakes).toEqual([vmi?.metadata.uid]);
    await world.runUntilQuiet();
    const before = world.dump();
    const writes = world.writes().get('operator/1');
    await world.runFor(86_400_000);
    expect(world.writes().get('operator/1')).toBe(writes);
    expect(world.dump()).toEqual(before);
  });

  it('survives the death of each process, and writes nothing when it comes back', async () => {
    await build();
    orderByCommit();
    await world.runUntil(() => isReady('rdpinstances.sublet.dev', 't-bob/desk'), { what: 'the desktop is Ready' });
    await world.runUntilQuiet();
    const before = world.dump();
    for (const role of ['operator', 'source', 'flux', 'kubevirt', 'controllers'] as const) {
      world.kill(role);
      expect(world.running(role)).toEqual([]);
      await world.runFor(60_000);
    }
    await world.startAll();
    await world.runUntilQuiet();
    expect(world.dump()).toEqual(before);
    for (const name of ['operator/2', 'source/2', 'kubevirt/2', 'controllers/2']) {
      expect([name, world.writes().get(name)]).toEqual([name, undefined]);
    }
  });

  it('lets a few go at each commit, and holds in the operator what adds up', { timeout: 600_000 }, async () => {
    await build();
    const names = ['one', 'two', 'three', 'four', 'five', 'six'] as const;
    const fileOf = (name: string): string => filePath('RDPInstance', 't-bob', name);
    for (const name of names) world.repository.write(fileOf(name), DESK.replace('name: desk', `name: ${name}`));
    orderByCommit();
    const runs = (name: string): boolean =>
      world.peek<KubeObject & { status?: { phase?: string } }>(
        'virtualmachineinstances.kubevirt.io',
        `t-bob/rdp-${name}`,
      )?.status?.phase === 'Running';
    await world.runUntil(() => names.every((name) => isReady('rdpinstances.sublet.dev', `t-bob/${name}`)), {
      what: 'six desktops are Ready',
    });
    for (const [at, name] of names.slice(0, 5).entries()) {
      world.repository.remove(fileOf(name));
      world.repository.push(`Remove desktop ${at + 1}`);
      await world.runFor(300_000);
      expect(world.peek('rdpinstances.sublet.dev', `t-bob/${name}`)).toBeUndefined();
    }
    expect(names.filter(runs)).toEqual(['four', 'five', 'six']);
    const held = names.filter(
      (name) =>
        world.peek('virtualmachines.kubevirt.io', `t-bob/rdp-${name}`)?.metadata.annotations?.['sublet.dev/held'],
    );
    expect(held).toEqual(['four', 'five']);
  });

  it('runs without Flux, and stops a process as SIGTERM does', async () => {
    await build({ flux: false, intervals: 'production' });
    const plan = { title: 'Team', offers: 'Tenant', currency: 'USD', price: [], limits: { desktops: 1 } };
    const apply = (resource: typeof PLANS, kind: string, metadata: KubeObject['metadata'], spec: object) => {
      const object: KubeObject & { readonly spec: object } = { apiVersion: API_VERSION, kind, metadata, spec };
      return world.admin.apply(resource, object, { fieldManager: 'person', force: true });
    };
    await apply(PLANS, 'Plan', { namespace: 'sublet-root', name: 'team' }, plan);
    await apply(TENANTS, 'Tenant', { namespace: 'sublet-root', name: 'bob' }, { id: 'bob-1', plan: 'team' });
    await world.runUntil(() => isReady('tenants.sublet.dev', 'sublet-root/bob'));
    expect(world.running('flux')).toEqual([]);
    const [operator] = world.running('operator');
    await operator?.stop();
    expect(operator?.failure()).toBeUndefined();
    expect(
      world.peek<KubeObject & { spec: { holderIdentity?: string } }>(
        'leases.coordination.k8s.io',
        'sublet-system/sublet-operator',
      )?.spec.holderIdentity ?? '',
    ).toBe('');
    await apply(
      RDPINSTANCES,
      'RDPInstance',
      { namespace: 't-bob', name: 'desk' },
      { plan: 'none', image: 'none', username: 'anna' },
    );
    await world.runFor(60_000);
    expect(world.peek<Conditioned>('rdpinstances.sublet.dev', 't-bob/desk')?.status?.conditions).toBeUndefined();
  });

  it('gives the same history to the same seed, byte for byte, and another to another', async () => {
    const run = async (seed: number): Promise<string> => {
      await build({ seed, recordHistory: true, intervals: 'production' });
      orderByCommit();
      await world.runUntil(() => isReady('rdpinstances.sublet.dev', 't-bob/desk'), { what: 'the desktop is Ready' });
      await world.runFor(120_000);
      world.close();
      return world.historyHash();
    };
    const first = await run(1);
    expect(await run(1)).toBe(first);
    expect(await run(2)).not.toBe(first);
  });
});
