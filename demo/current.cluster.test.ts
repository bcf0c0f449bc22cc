import { execFile } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { describeWithCluster, describeWithOwnCluster } from '../test/support/cluster.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

function demo(
  kubeconfig: string,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    const args = [path.join(ROOT, 'launch.mjs'), 'demo/main.ts', '--cluster', 'current', '--once'];
    const env = { ...process.env, KUBECONFIG: kubeconfig };
    const child = execFile(process.execPath, args, { cwd: ROOT, env }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? 1, stdout, stderr }),
    );
  });
}

describeWithOwnCluster('the demo on the current cluster', {}, (cluster) => {
  it('says what it installs, orders a desktop and shakes hands with it, also the second time', async () => {
    for (const _ of [1, 2]) {
      const { code, stdout, stderr } = await demo(cluster().kubeconfigPath);
      expect(code, stderr).toBe(0);
      expect(stderr).toContain('it gets: definitions of Sublet');
      expect(stderr).toContain('what was installed stays');
      expect(JSON.parse(stdout.trim())).toMatchObject({ address: expect.stringMatching(/^127\..*:3389$/) });
    }
    const { stdout } = await cluster().kubectl(['get', 'sublet', '--all-namespaces', '--no-headers']);
    expect(stdout).toContain('rdpinstance.sublet.dev/anna-desk');
  }, 1_200_000);
});

describeWithCluster('the demo on a cluster with Flux', { flux: true }, (cluster) => {
  it('is refused, and nothing is changed', async () => {
    const { code, stdout, stderr } = await demo(cluster().kubeconfigPath);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('Flux is installed on this cluster, and the demo would play it');
    expect((await cluster().kubectl(['get', 'namespace', 'sublet-fleet'])).code).toBe(1);
  });
});
