import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import { parseDocument } from 'yaml';
import type { Story } from './story.ts';

export const suspendReseller: Story = {
  title: 'suspends a reseller with everything below, and resumes exactly what ran',
  async tell(stage) {
    const { world } = stage;
    const file = path.join(world.checkout, 'tenants', world.environment, 'sublet-root/acme.yaml');
    const original = await readFile(file, 'utf8');
    const suspended = parseDocument(original);
    suspended.setIn(['spec', 'suspensions'], [{ reason: 'Payment' }]);
    await world.write('sublet-root/acme.yaml', String(suspended));
    await world.push('Suspend acme for debt');
    for (const [namespace, name] of [
      ['t-acme--bob', 'anna-desk'],
      ['t-acme--eve', 'eve-desk'],
    ] as const) {
      const condition = await stage.condition('RDPInstance', [namespace, name], {
        status: 'False',
        reason: 'Suspended',
      });
      expect(condition.message).toContain('Payment');
      await stage.gone('VirtualMachineInstance', namespace, `rdp-${name}`);
    }
    await stage.condition('Tenant', ['t-acme', 'bob'], { type: 'Suspended', status: 'True' });

    await world.write('sublet-root/acme.yaml', original);
    await world.push('Resume acme');
    await stage.condition('RDPInstance', ['t-acme--bob', 'anna-desk'], { status: 'True' });
    await stage.condition('RDPInstance', ['t-acme--eve', 'eve-desk'], { status: 'True' });
    await stage.eventually('bob is not suspended either', async () => {
      const tenant = await stage.get('Tenant', 't-acme', 'bob');
      return tenant?.status?.conditions?.some(({ type }) => type === 'Suspended') === false ? true : undefined;
    });
  },
};
