import { expect } from 'vitest';
import { renderDesktop, type Story } from './story.ts';

/** The plan allows windows-11; its DataSource is taken away before the order and put back after. */
export const missingImage: Story = {
  title: 'says that an image is missing, and goes on once it is there',
  async tell(stage) {
    const { world } = stage;
    const image = await stage.get('DataSource', 'sublet-images', 'windows-11');
    expect(image).toBeDefined();
    const removal = await world.cluster.kubectl(['-n', 'sublet-images', 'delete', 'datasource', 'windows-11']);
    expect(removal.code).toBe(0);
    await world.write('t-acme--bob/win-desk.yaml', renderDesktop('win-desk', { image: 'windows-11' }));
    await world.push('Order a Windows desktop');
    const refusal = await stage.condition('RDPInstance', ['t-acme--bob', 'win-desk'], {
      status: 'False',
      reason: 'ImageNotFound',
    });
    expect(refusal.message).toContain('windows-11');
    await stage.eventually('an Event says so too', async () => {
      const events = await world.cluster.kubectl(['-n', 't-acme--bob', 'events', '--for', 'rdpinstance/win-desk']);
      return events.stdout.includes('ImageNotFound') ? true : undefined;
    });
    expect(await stage.get('VirtualMachine', 't-acme--bob', 'rdp-win-desk')).toBeUndefined();
    expect(await stage.get('DataVolume', 't-acme--bob', 'rdp-win-desk')).toBeUndefined();

    await world.cluster.installManifests(`${world.checkout}/clusters/${world.environment}/images`);
    await stage.condition('RDPInstance', ['t-acme--bob', 'win-desk'], { status: 'True' });
  },
};
