import { expect } from 'vitest';
import { renderDesktop, type Story } from './story.ts';

/** A member orders around Git, and is kept from everything else. The reference fleet makes oidc:bob owner of acme--bob. */
export const orderByKubectl: Story = {
  title: 'takes an order by kubectl apply as a member, and nothing else',
  async tell(stage) {
    const { cluster } = stage.world;
    const member = (await stage.get('Tenant', 't-acme', 'bob'))?.spec?.members as readonly {
      readonly name: string;
      readonly role: string;
    }[];
    const as = member.find(({ role }) => role === 'Owner')?.name ?? '';
    expect(as).not.toBe('');
    const order = await cluster.kubectl(['apply', '-n', 't-acme--bob', '-f', '-'], {
      as,
      input: renderDesktop('by-hand'),
    });
    expect(order).toMatchObject({ code: 0 });
    await stage.condition('RDPInstance', ['t-acme--bob', 'by-hand'], { status: 'True' });
    const desktop = await stage.get('RDPInstance', 't-acme--bob', 'by-hand');
    expect(desktop?.status?.origin).toBe('Outside');

    // The API server judges by a cache of its own.
    const readPassword = () =>
      cluster.kubectl(['-n', 't-acme--bob', 'get', 'secret', 'rdp-by-hand', '-o', 'name'], { as });
    await expect.poll(async () => (await readPassword()).stdout.trim()).toBe('secret/rdp-by-hand');
    for (const attempt of [
      ['-n', 't-acme--bob', 'get', 'secrets'],
      ['-n', 't-acme--bob', 'delete', 'virtualmachine', 'rdp-by-hand'],
      ['-n', 't-acme--bob', 'create', 'configmap', 'sublet-grants'],
      ['-n', 't-acme', 'get', 'tenants'],
      ['-n', 't-acme', 'patch', 'tenant', 'bob', '--type=merge', '-p', '{"spec":{"type":"Reseller"}}'],
      ['get', 'rdp', '--all-namespaces'],
    ]) {
      expect((await cluster.kubectl(attempt, { as })).stderr, attempt.join(' ')).toMatch(/forbidden/i);
    }
    const removal = await cluster.kubectl(
      ['-n', 't-acme--bob', 'delete', 'rdp', 'by-hand', '--wait=true', '--timeout=300s'],
      { as },
    );
    expect(removal).toMatchObject({ code: 0 });
  },
};
