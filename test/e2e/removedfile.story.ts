import { expect } from 'vitest';
import type { Story } from './story.ts';

/** The folder vanishes with its only file; it is published empty, so that Flux removes the desktop. */
export const removedFile: Story = {
  title: "removes the desktop with a customer's only file",
  async tell(stage) {
    const { world } = stage;
    const disk = (await stage.get('DataVolume', 't-acme--eve', 'rdp-eve-desk'))?.metadata.uid;
    await world.remove('t-acme--eve/eve-desk.yaml');
    await world.push('Give up the desktop of eve');
    await stage.gone('RDPInstance', 't-acme--eve', 'eve-desk');
    await stage.gone('VirtualMachineInstance', 't-acme--eve', 'rdp-eve-desk');
    const tombstone = await stage.get('DataVolume', 't-acme--eve', 'rdp-eve-desk');
    expect(tombstone?.metadata.uid).toBe(disk);
    expect(tombstone?.metadata.annotations?.['sublet.dev/removed-at']).toMatch(/^20/);
    await stage.gone('Service', 't-acme--eve', 'rdp-eve-desk');
    expect(await stage.get('Tenant', 't-acme', 'eve')).toBeDefined();
  },
};
