import { expect } from 'vitest';
import { renderDesktop, type Story } from './story.ts';

export const deleteAndReturn: Story = {
  title: 'gives a desktop that comes back the same disk and password',
  async tell(stage) {
    const { world } = stage;
    const uids = async () => {
      const disk = await stage.get('DataVolume', 't-acme--eve', 'rdp-eve-desk');
      const secret = await stage.get('Secret', 't-acme--eve', 'rdp-eve-desk');
      return { disk: disk?.metadata.uid, password: secret?.data?.password };
    };
    const before = await uids();
    expect(before.disk).toBeDefined();

    await world.write('t-acme--eve/eve-desk.yaml', renderDesktop('eve-desk', { username: 'eve', image: 'windows-11' }));
    await world.push('Bring the desktop back with another image');
    const conflict = await stage.condition('RDPInstance', ['t-acme--eve', 'eve-desk'], {
      status: 'False',
      reason: 'TombstoneConflict',
    });
    expect(conflict.message).toMatch(/ubuntu-24/);
    expect(await uids()).toEqual(before);

    await world.write('t-acme--eve/eve-desk.yaml', renderDesktop('eve-desk', { username: 'eve' }));
    await world.push('Bring the desktop back as it was');
    await stage.condition('RDPInstance', ['t-acme--eve', 'eve-desk'], { status: 'True' });
    expect(await uids()).toEqual(before);
    const disk = await stage.get('DataVolume', 't-acme--eve', 'rdp-eve-desk');
    expect(disk?.metadata.annotations?.['sublet.dev/removed-at']).toBeUndefined();
  },
};
