import { expect } from 'vitest';
import { HOME } from './badinput.desktops.ts';
import { annotateBreaker, confirmTrip, findTrip, listReady, observeDesktops } from './badinput.observe.ts';
import { order, place } from './badinput.orders.ts';
import type { Stage } from './stage.ts';
import type { Story } from './story.ts';

const CROWD: readonly string[] = ['one', 'two', 'three', 'four', 'five'];
/** Longer than anything of ours waits before it acts. */
const WATCHED_MS = 2_000;

export const massRemoval: Story = {
  title: 'stops three desktops an hour, and holds what is removed beyond until a person confirms',
  async tell(stage) {
    const { cluster } = stage.world;
    await place(stage, HOME, ...CROWD.map((name) => order.desktop(name)));
    for (const name of CROWD) await stage.condition('RDPInstance', [HOME, name], { status: 'True' });
    const crowd = (await listReady(stage, 'RDPInstance')).filter(({ order: { name } }) => CROWD.includes(name));
    expect(crowd).toHaveLength(CROWD.length);
    const before = await observeDesktops(stage, crowd);

    const removal = await cluster.kubectl(['-n', HOME, 'delete', 'rdp', ...CROWD, '--timeout=300s']);
    expect(removal).toMatchObject({ code: 0 });
    const trip = await stage.eventually('the breaker is tripped', () => findTrip(stage));
    // The fourth and the fifth are judged at once, and either may be the one that writes.
    expect(trip.message).toMatch(/^[45] removals within an hour, allowed 3 of \d+$/);
    await stage.eventually('three are stopped', async () =>
      (await listHalted(stage)).length === 3 ? true : undefined,
    );
    await annotateBreaker(stage, 'another');
    await new Promise((resolve) => setTimeout(resolve, WATCHED_MS));
    const halted = await listHalted(stage);
    expect(halted).toHaveLength(3);
    const running = crowd.filter((desktop) => !halted.includes(desktop.order.name));
    expect(running).toHaveLength(2);
    for (const { order: desktop, live } of running) {
      expect(await stage.get('RDPInstance', HOME, desktop.name)).toBeUndefined();
      expect(await stage.handshake(String(live.status?.address), Number(live.status?.port))).toMatch(/TLS|NLA|RDP/);
    }

    await confirmTrip(stage, trip.id);
    await stage.eventually('all are stopped', async () => ((await listHalted(stage)).length === 5 ? true : undefined));
    const after = await observeDesktops(stage, crowd);
    expect(after.map(({ disk, password }) => ({ disk, password }))).toEqual(
      before.map(({ disk, password }) => ({ disk, password })),
    );
    await place(stage, HOME, order.desktop('one'));
    await stage.condition('RDPInstance', [HOME, 'one'], { status: 'True' });
    expect((await stage.get('DataVolume', HOME, 'rdp-one'))?.metadata.uid).toBe(
      before.find(({ key }) => key === `${HOME}/one`)?.disk,
    );
  },
};

async function listHalted(stage: Stage): Promise<readonly string[]> {
  const machines = await stage.list('VirtualMachine', HOME);
  return machines
    .filter(({ spec }) => spec?.runStrategy === 'Halted')
    .map(({ metadata }) => metadata.name.replace('rdp-', ''))
    .filter((name) => CROWD.includes(name));
}
