import { expect } from 'vitest';
import type { Story } from './story.ts';

export const emptiedTree: Story = {
  title: 'holds a commit that empties the tree until a person confirms it',
  async tell(stage) {
    const { world } = stage;
    await world.remove('.');
    await world.push('Remove everything');
    const revision = await stage.eventually('source-controller fetched the commit', async () => {
      const artifact = (await stage.get('GitRepository', 'sublet-fleet', 'fleet'))?.status?.artifact;
      const found = (artifact as { readonly revision?: string } | undefined)?.revision;
      return found?.endsWith(await world.git('rev-parse', 'HEAD')) ? found : undefined;
    });
    const held = await stage.eventually('the revision is held as a whole', async () => {
      const artifact = await stage.get('ExternalArtifact', 'sublet-fleet', 'sublet-root');
      return artifact?.status?.conditions?.find(({ type }) => type === 'Held');
    });
    expect(held.message).toContain('confirmed-revision');
    expect(await stage.get('Tenant', 'sublet-root', 'acme')).toBeDefined();
    await stage.condition('RDPInstance', ['t-acme--bob', 'anna-desk'], { status: 'True' });
    expect(await stage.secondPass(), 'writes while the revision is held').toEqual([]);

    await stage.patch('GitRepository', 'sublet-fleet', 'fleet', {
      metadata: { annotations: { 'sublet.dev/confirmed-revision': revision } },
    });
    await stage.gone('RDPInstance', 't-acme--bob', 'anna-desk');
    await stage.gone('Tenant', 'sublet-root', 'acme');
    const namespace = await stage.get('Namespace', '', 't-acme');
    expect(namespace?.metadata.annotations?.['sublet.dev/removed-at']).toMatch(/^20/);
    expect(await stage.get('DataVolume', 't-acme--bob', 'rdp-anna-desk')).toBeDefined();

    // So many removals in an hour trip the operator's breaker as well: what it holds keeps running.
    const id = await stage.eventually('the breaker is tripped', async () => {
      return (await stage.get('ConfigMap', 'sublet-system', 'sublet-breaker'))?.data?.id;
    });
    await stage.patch('ConfigMap', 'sublet-system', 'sublet-breaker', {
      metadata: { annotations: { 'sublet.dev/confirm': id } },
    });
    await stage.gone('VirtualMachineInstance', 't-acme--bob', 'rdp-anna-desk');
    for (const tenant of ['t-acme', 't-acme--bob', 't-acme--eve'])
      await stage.gone('Kustomization', 'sublet-fleet', tenant);
    expect(await stage.get('DataVolume', 't-acme--bob', 'rdp-anna-desk')).toBeDefined();
  },
};
