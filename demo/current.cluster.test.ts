import { expect, it } from 'vitest';
import { describeWithCluster, describeWithOwnCluster } from '../test/support/cluster.ts';
import { demo, type Ended, expectOrderByCommand } from './testing/demo.ts';

function demoOn(kubeconfig: string): Promise<Ended> {
  return demo(['--cluster', 'current', '--once'], { KUBECONFIG: kubeconfig });
}

/** What the customer does the first time, and the second, when its desktop is there. */
const ORDERS = [
  {
    command: 'desktop new anna-desk --plan pro --image ubuntu-24 --username anna --wait -o name',
    subject: 'Create RDPInstance anna-desk in t-acme--bob',
  },
  {
    command: 'desktop restart anna-desk --wait -o name',
    subject: 'Change RDPInstance anna-desk in t-acme--bob',
  },
];

describeWithOwnCluster('the demo on the current cluster', {}, (cluster) => {
  it('says what it installs, orders a desktop and shakes hands with it, also the second time', async () => {
    for (const order of ORDERS) {
      const { code, stdout, stderr } = await demoOn(cluster().kubeconfigPath);
      expect(code, stderr).toBe(0);
      expect(stderr).toContain('it gets: definitions of Sublet');
      expect(stderr).toContain('what was installed stays');
      expectOrderByCommand(stderr, order);
      expect(JSON.parse(stdout.trim())).toMatchObject({ address: expect.stringMatching(/^127\..*:3389$/) });
    }
    const { stdout } = await cluster().kubectl(['get', 'sublet', '--all-namespaces', '--no-headers']);
    expect(stdout).toContain('rdpinstance.sublet.dev/anna-desk');
  }, 1_200_000);
});

describeWithCluster('the demo on a cluster with Flux', { flux: true }, (cluster) => {
  it('is refused, and nothing is changed', async () => {
    const { code, stdout, stderr } = await demoOn(cluster().kubeconfigPath);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('Flux is installed on this cluster, and the demo would play it');
    expect((await cluster().kubectl(['get', 'namespace', 'sublet-fleet'])).code).toBe(1);
  });
});
