import { expect } from 'vitest';
import { renderDesktop, type Story } from './story.ts';

const AT = ['t-acme--bob', 'anna-desk'] as const;

export const powerCycle: Story = {
  title: 'stops, starts, restarts and sees a guest shut down',
  async tell(stage) {
    const { world } = stage;
    const order = async (fields: Readonly<Record<string, unknown>>, message: string) => {
      await world.write('t-acme--bob/anna-desk.yaml', renderDesktop('anna-desk', fields));
      await world.push(message);
    };
    const uid = async () => (await stage.get('VirtualMachineInstance', AT[0], 'rdp-anna-desk'))?.metadata.uid;
    const disk = (await stage.get('DataVolume', AT[0], 'rdp-anna-desk'))?.metadata.uid;
    const first = await uid();

    await order({ power: 'Stopped' }, 'Stop');
    await stage.condition('RDPInstance', AT, { status: 'False', reason: 'Stopped' });
    await stage.gone('VirtualMachineInstance', AT[0], 'rdp-anna-desk');
    await stage.eventually('status says Stopped', async () =>
      (await stage.get('RDPInstance', ...AT))?.status?.power === 'Stopped' ? true : undefined,
    );

    await order({}, 'Start');
    await stage.condition('RDPInstance', AT, { status: 'True' });
    const second = await uid();
    expect(second).not.toBe(first);

    const now = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await order({ restartedAt: now() }, 'Restart');
    const third = await stage.eventually('a new power epoch', async () => {
      const found = await uid();
      return found !== undefined && found !== second ? found : undefined;
    });
    await stage.condition('RDPInstance', AT, { status: 'True' });

    await stage.patch('VirtualMachineInstance', AT[0], 'rdp-anna-desk', {
      metadata: { annotations: { 'simulator.sublet.dev/guest': 'shutdown' } },
    });
    await stage.condition('RDPInstance', AT, { status: 'False', reason: 'GuestShutDown' });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await order({ restartedAt: now() }, 'Start again after the guest shut down');
    await stage.condition('RDPInstance', AT, { status: 'True' });
    expect(await uid()).not.toBe(third);
    expect((await stage.get('DataVolume', AT[0], 'rdp-anna-desk'))?.metadata.uid).toBe(disk);
  },
};
