import { expect } from 'vitest';
import { withdrawAll } from './badinput.observe.ts';
import { order, place, withdraw } from './badinput.orders.ts';
import type { Stage } from './stage.ts';
import type { Story } from './story.ts';

const namespaceOf = async (stage: Stage, at: string, name: string): Promise<string> => {
  await stage.condition('Tenant', [at, name], { status: 'True' });
  return String((await stage.get('Tenant', at, name))?.status?.namespace);
};

export const collidingNames: Story = {
  title: 'gives every path a namespace of its own, however the names are put together',
  async tell(stage) {
    await place(stage, 'sublet-root', order.reseller('a-b'), order.reseller('a'), order.reseller('constructor'));
    for (const [seller, name] of [
      ['t-a-b', 'c'],
      ['t-a', 'b-c'],
      ['t-constructor', 'constructor'],
    ] as const) {
      await stage.condition('Tenant', ['sublet-root', seller.slice(2)], { status: 'True' });
      await place(stage, seller, order.tenantPlan('open'), order.tenant(name));
    }
    expect(await namespaceOf(stage, 't-a-b', 'c')).toBe('t-a-b--c');
    expect(await namespaceOf(stage, 't-a', 'b-c')).toBe('t-a--b-c');
    expect(await namespaceOf(stage, 't-constructor', 'constructor')).toBe('t-constructor--constructor');
    const ids = new Set<string | undefined>();
    for (const name of ['t-a-b--c', 't-a--b-c', 't-constructor--constructor']) {
      ids.add((await stage.get('Namespace', '', name))?.metadata.annotations?.['sublet.dev/tenant-id']);
    }
    expect(ids.size).toBe(3);
  },
};

/** Names at their limit, so that the path passes 63 characters; the two customers differ in the last one only. */
export const longPaths: Story = {
  title: 'hashes the namespace of a long path, and sells in it as in any other',
  async tell(stage) {
    const seller = 's'.repeat(40);
    const names = ['one', 'two'].map((end) => `${'c'.repeat(37)}${end}`);
    await place(stage, 'sublet-root', order.reseller(seller));
    const home = await namespaceOf(stage, 'sublet-root', seller);
    expect(home).toBe(`t-${seller}`);
    const plans = [order.tenantPlan('open'), { ...order.desktopPlan('tiny', 1), spec: basedOnTiny }];
    await place(stage, home, ...plans, ...names.map((name) => order.reseller(name)));
    const namespaces = await Promise.all(names.map((name) => namespaceOf(stage, home, name)));
    for (const namespace of namespaces) {
      expect(namespace).toMatch(/^th-s{40}--c-[0-9a-f]{16}$/);
      expect(namespace.length).toBeLessThanOrEqual(63);
    }
    expect(new Set(namespaces).size).toBe(2);
    const [first = ''] = namespaces;
    await place(stage, first, order.desktop('f'.repeat(15)));
    await stage.condition('RDPInstance', [first, 'f'.repeat(15)], { status: 'True' });
    await place(stage, first, order.tenantPlan('open'), order.tenant('deep'));
    expect(await namespaceOf(stage, first, 'deep')).toMatch(/^th-s{40}.*-[0-9a-f]{16}$/);
  },
};

const basedOnTiny = { title: 'Tiny', offers: 'Desktop', currency: 'USD', basedOn: 'tiny' };

export const takenNamespace: Story = {
  title: 'leaves a namespace that already exists as it is, and takes the name once it is free',
  async tell(stage) {
    const { cluster } = stage.world;
    const made = await cluster.kubectl(['create', 'namespace', 't-taken']);
    expect(made).toMatchObject({ code: 0 });
    await stage.patch('Namespace', '', 't-taken', {
      metadata: { labels: { team: 'web' }, annotations: { 'example.com/owner': 'somebody' } },
    });
    await stage.eventually('the namespace has its default ServiceAccount', async () =>
      (await cluster.admin.call('GET', '/api/v1/namespaces/t-taken/serviceaccounts/default')).status === 200
        ? true
        : undefined,
    );
    const before = await stage.get('Namespace', '', 't-taken');
    await place(stage, 'sublet-root', order.tenant('taken'));
    const conflict = await stage.condition('Tenant', ['sublet-root', 'taken'], {
      status: 'False',
      reason: 'NameConflict',
    });
    expect(conflict.message).toBe("namespace t-taken exists and is not a tenant's; delete it or choose another name");
    expect(await stage.get('Namespace', '', 't-taken')).toEqual(before);
    for (const kinds of [
      'resourcequotas',
      'networkpolicies.networking.k8s.io',
      'rolebindings.rbac.authorization.k8s.io',
    ]) {
      const { stdout } = await cluster.kubectl(['-n', 't-taken', 'get', kinds, '-o', 'name']);
      expect(stdout, kinds).toBe('');
    }
    expect(await cluster.kubectl(['delete', 'namespace', 't-taken', '--wait=true'])).toMatchObject({ code: 0 });
    await stage.condition('Tenant', ['sublet-root', 'taken'], { status: 'True' });
  },
};

export const sharedIdentity: Story = {
  title: 'refuses the second tenant with an id below one seller until the first is gone',
  async tell(stage) {
    await place(stage, 'sublet-root', order.tenant('first', { id: 'same' }));
    await stage.condition('Tenant', ['sublet-root', 'first'], { status: 'True' });
    // Whole seconds decide which is the older one.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await place(stage, 'sublet-root', order.tenant('second', { id: 'same' }));
    const refusal = await stage.condition('Tenant', ['sublet-root', 'second'], {
      status: 'False',
      reason: 'DuplicateIdentity',
    });
    expect(refusal.message).toBe('spec.id same is taken by Tenant first; use an id of its own');
    expect(await stage.get('Namespace', '', 't-second')).toBeUndefined();
    await stage.condition('Tenant', ['sublet-root', 'first'], { status: 'True' });
    await withdraw(stage, 'Tenant', 'sublet-root', 'first');
    await stage.condition('Tenant', ['sublet-root', 'second'], { status: 'True' });
  },
};

export const noSeller: Story = {
  title: "sells nothing in a Customer's, the provider's or nobody's namespace",
  async tell(stage) {
    await place(stage, 'sublet-root', order.tenant('customer'));
    await stage.condition('Tenant', ['sublet-root', 'customer'], { status: 'True' });
    await place(stage, 't-customer', order.tenantPlan('open'), order.tenant('sub'));
    await place(stage, 'sublet-root', order.desktop('at-root'));
    await place(stage, 'default', order.tenant('astray'), order.desktop('astray'));
    const refused = { status: 'False', reason: 'NoSeller' } as const;
    expect((await stage.condition('Tenant', ['t-customer', 'sub'], refused)).message).toBe(
      'the owner of namespace t-customer is a Customer and may not sell; its seller can set spec.type: Reseller',
    );
    expect((await stage.condition('Plan', ['t-customer', 'open'], refused)).message).toContain('is a Customer');
    expect((await stage.condition('RDPInstance', ['sublet-root', 'at-root'], refused)).message).toContain(
      'sublet-root',
    );
    expect((await stage.condition('Tenant', ['default', 'astray'], refused)).message).toContain(
      'namespace default belongs to no seller',
    );
    expect((await stage.condition('RDPInstance', ['default', 'astray'], refused)).message).toContain(
      'namespace default belongs to no tenant',
    );
    for (const name of ['t-customer--sub', 't-sub', 't-astray']) {
      expect(await stage.get('Namespace', '', name), name).toBeUndefined();
    }
    await withdrawAll(
      stage,
      ['Tenant', 't-customer', 'sub'],
      ['RDPInstance', 'sublet-root', 'at-root'],
      ['Tenant', 'default', 'astray'],
      ['RDPInstance', 'default', 'astray'],
    );
  },
};
