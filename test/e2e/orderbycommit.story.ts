import { cp } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import type { Story } from './story.ts';

/** A reseller, its customer and the customer's desktop, in one push of the reference fleet. */
export const orderByCommit: Story = {
  title: 'orders a reseller, a customer and a desktop in one push',
  async tell(stage, root) {
    const { world } = stage;
    const tenants = path.join('tenants', world.environment);
    await cp(path.join(root, tenants), path.join(world.checkout, tenants), { recursive: true });
    const commit = await world.push('Order a reseller, a customer and a desktop');

    await stage.condition('RDPInstance', ['t-acme--bob', 'anna-desk'], { status: 'True' });
    const desktop = await stage.get('RDPInstance', 't-acme--bob', 'anna-desk');
    const { address, port, timings, origin, power } = desktop?.status ?? {};
    expect(await stage.handshake(String(address), Number(port))).toMatch(/TLS|NLA|RDP/);
    expect({ origin, power }).toEqual({ origin: 'Git', power: 'Running' });
    expect(Object.keys(timings ?? {}).sort()).toEqual(['orderedAt', 'readyAt', 'runningAt', 'scheduledAt']);

    const namespace = await stage.get('Namespace', '', 't-acme--bob');
    expect(namespace?.metadata.annotations?.['sublet.dev/path']).toBe('acme--bob');
    await stage.eventually('Flux shows the commit as applied', async () => {
      const kustomization = await stage.get('Kustomization', 'sublet-fleet', 't-acme--bob');
      return String(kustomization?.status?.lastAppliedOriginRevision).endsWith(commit) ? true : undefined;
    });
    const secret = await stage.get('Secret', 't-acme--bob', 'rdp-anna-desk');
    const password = Buffer.from(secret?.data?.password ?? '', 'base64').toString();
    expect(password.length).toBeGreaterThanOrEqual(16);
    const status = JSON.stringify(desktop);
    expect(status).not.toContain(password);
  },
};
