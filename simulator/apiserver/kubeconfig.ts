/** How a client reaches an API server: where, whom it trusts, and as whom. */
export type Access = { readonly url: string; readonly ca: string; readonly user: string; readonly token: string };

/** A kubeconfig, as JSON, which every reader of kubeconfigs takes as YAML. `ca` is PEM; `name` is of the cluster and the context. */
export function renderKubeconfig({ url, ca, user, token }: Access, name: string, namespace?: string): string {
  const data = Buffer.from(ca).toString('base64');
  const inNamespace = namespace === undefined ? {} : { namespace };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server: url, 'certificate-authority-data': data } }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name, context: { cluster: name, user, ...inNamespace } }],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
