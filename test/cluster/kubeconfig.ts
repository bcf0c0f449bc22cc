import { readFile, writeFile } from 'node:fs/promises';
import { KubeConfig } from '@kubernetes/client-node';

/** Who talks to which API server, by a bearer token. */
export type Access = {
  readonly url: string;
  readonly caPath: string;
  readonly user: string;
  readonly token: string;
  readonly namespace?: string;
};

/** Renders a kubeconfig as JSON, which every reader of kubeconfigs takes as YAML. */
export async function renderKubeconfig(access: Access): Promise<string> {
  const name = 'sublet-test';
  const ca = (await readFile(access.caPath)).toString('base64');
  const namespace = access.namespace === undefined ? {} : { namespace: access.namespace };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server: access.url, 'certificate-authority-data': ca } }],
    users: [{ name: access.user, user: { token: access.token } }],
    contexts: [{ name, context: { cluster: name, user: access.user, ...namespace } }],
  });
}

/** Writes a kubeconfig that only this user may read. */
export async function writeKubeconfig(path: string, access: Access): Promise<void> {
  await writeFile(path, await renderKubeconfig(access), { mode: 0o600 });
}

/** Gives the same as client-node's KubeConfig. */
export async function loadKubeConfig(access: Access): Promise<KubeConfig> {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(await renderKubeconfig(access));
  return kubeConfig;
}
