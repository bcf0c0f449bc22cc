import { expect } from 'vitest';
import { renderDesktop, renderTenant, type Story } from './story.ts';

export const brokenFile: Story = {
  title: "keeps a broken file in one customer's folder from another's order",
  async tell(stage) {
    const { world } = stage;
    await world.write(
      't-acme/eve.yaml',
      renderTenant('eve', { id: 'eve-1', plan: 'studio', source: { type: 'Fleet' } }),
    );
    await world.push('Sell to eve');
    await stage.condition('Tenant', ['t-acme', 'eve'], { status: 'True' });

    await world.write('t-acme--bob/anna-desk.yaml', 'kind: RDPInstance\nmetadata: {name: anna-desk\n');
    await world.write('t-acme--eve/eve-desk.yaml', renderDesktop('eve-desk', { username: 'eve' }));
    await world.push('Order for eve, and break a file of bob');
    await stage.condition('RDPInstance', ['t-acme--eve', 'eve-desk'], { status: 'True' });
    const held = await stage.eventually("bob's folder is held", async () => {
      const artifact = await stage.get('ExternalArtifact', 'sublet-fleet', 't-acme--bob');
      return artifact?.status?.conditions?.find(({ reason }) => reason === 'Held');
    });
    expect(held.message).toMatch(/anna-desk\.yaml/);
    const desktop = await stage.get('RDPInstance', 't-acme--bob', 'anna-desk');
    expect(desktop?.metadata.deletionTimestamp).toBeUndefined();
    await stage.condition('RDPInstance', ['t-acme--bob', 'anna-desk'], { status: 'True' });

    await world.write('t-acme--bob/anna-desk.yaml', renderDesktop('anna-desk'));
    await world.push('Mend the file of bob');
    await stage.eventually("bob's folder is no longer held", async () => {
      const artifact = await stage.get('ExternalArtifact', 'sublet-fleet', 't-acme--bob');
      return artifact?.status?.conditions?.some(({ reason }) => reason === 'Held') ? undefined : true;
    });
  },
};
