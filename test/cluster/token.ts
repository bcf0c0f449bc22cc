import type { Rest } from './rest.ts';

const LIFETIME_S = 24 * 60 * 60;

/** Asks the API server for a ServiceAccount's token that outlives any test. */
export async function requestToken(admin: Rest, namespace: string, name: string): Promise<string> {
  const reply = await admin.ask('POST', `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: LIFETIME_S },
  });
  const { status } = reply as { readonly status?: { readonly token?: string } };
  if (status?.token === undefined) throw new Error(`the API server gave no token for ${namespace}/${name}`);
  return status.token;
}
