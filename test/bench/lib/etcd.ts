/**
 * Removes what a run left behind, straight from etcd: deleting a thousand namespaces through the API takes minutes in which
 * the control plane is busy, and every run has to begin with the same state. The API server hears of it by its own watches.
 */
export async function wipeRun(etcdUrl: string, run: string): Promise<void> {
  const inNamespace = [
    'resourcequotas',
    'networkpolicies',
    'roles',
    'rolebindings',
    'serviceaccounts',
    'configmaps',
    'secrets',
    'events',
  ];
  const prefixes = [
    `sublet.dev/tenants/sublet-root/${run}-`,
    `roles/sublet-root/sublet-tenant-${run}-`,
    `rolebindings/sublet-root/sublet-tenant-${run}-`,
    `kustomize.toolkit.fluxcd.io/kustomizations/sublet-fleet/t-${run}-`,
    `serviceaccounts/sublet-fleet/t-${run}-`,
    ...inNamespace.map((plural) => `${plural}/t-${run}-`),
    `namespaces/t-${run}-`,
  ];
  for (const prefix of prefixes) await deletePrefix(etcdUrl, `/registry/${prefix}`);
}

async function deletePrefix(etcdUrl: string, prefix: string): Promise<void> {
  const body = JSON.stringify({ key: encode(prefix), range_end: encode(nextPrefix(prefix)) });
  const response = await fetch(`${etcdUrl}/v3/kv/deleterange`, { method: 'POST', body });
  if (!response.ok)
    throw new Error(`etcd answered ${response.status} to a delete below ${prefix}: ${await response.text()}`);
}

/** The first key behind everything that begins with the prefix. */
function nextPrefix(prefix: string): string {
  const last = prefix.length - 1;
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
}

function encode(key: string): string {
  return Buffer.from(key).toString('base64');
}
