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
    await stage.gone('Tenant', 'sublet-root', 'acme');
    const namespace = await stage.get('Namespace', '', 't-acme');
    expect(namespace?.metadata.annotations?.['sublet.dev/removed-at']).toMatch(/^20/);
    expect(await stage.get('DataVolume', 't-acme--bob', 'rdp-anna-desk')).toBeDefined();

    // Which folder Flux empties first decides how many removals there are: with the fourth in an hour the operator's breaker holds the
    // rest, which keeps running until a person confirms. Either way everything below the reseller stops, and the disks stay.
    await stage.eventually('everything below acme is stopped', async () => {
      const { id, confirmedAt } = (await stage.get('ConfigMap', 'sublet-system', 'sublet-breaker'))?.data ?? {};
      if (id !== undefined && confirmedAt === undefined) {
        await stage.patch('ConfigMap', 'sublet-system', 'sublet-breaker', {
          metadata: { annotations: { 'sublet.dev/confirm': id } },
        });
      }
      return (await stage.list('VirtualMachineInstance', 't-acme--bob')).length === 0 ? true : undefined;
    });
    await stage.gone('Kustomization', 'sublet-fleet', 't-acme');
    expect(await stage.get('DataVolume', 't-acme--bob', 'rdp-anna-desk')).toBeDefined();
  },
};
