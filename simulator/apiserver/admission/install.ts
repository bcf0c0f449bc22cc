import { RESOURCEQUOTAS } from '../../../kube/builtin.ts';
import { JSON_TYPE, objectPath } from '../../../kube/requests.ts';
import { chain } from '../core.ts';
import type { UserInfo } from '../kinds.ts';
import type { ApiAnswer } from '../request.ts';
import type { ApiServer } from '../server.ts';
import { ApiError, type StatusObject } from '../status.ts';
import { createQuotaAdmission } from './quota.ts';
import type { ResourceQuota } from './quotacount.ts';
import { createWebhookAdmission } from './webhooks/hook.ts';

/** How the server acts on itself. */
const OWN_USER: UserInfo = { username: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };

/** Makes a server ask webhooks and hold quotas, in this order. `close` ends the connections to webhooks. */
export function installAdmission(server: ApiServer): { close(): Promise<void> } {
  const { core } = server;
  const configurations = core.store.collection('admissionregistration.k8s.io', 'validatingwebhookconfigurations');
  const quotas = core.store.collection('', 'resourcequotas');
  const webhooks = createWebhookAdmission({
    ...core,
    configurations: () => [...configurations.values()].map(({ object }) => object),
    namespace: (name) => core.registry.namespaces.get('', name)?.object,
  });
  const quota = createQuotaAdmission({
    quotas: (namespace) => quotas.sorted(namespace).map(({ object }) => object as ResourceQuota),
    updateStatus: (object) => putStatus(server, object),
  });
  core.admission.push(webhooks.admit, quota);
  return { close: webhooks.close };
}

function putStatus(server: ApiServer, quota: ResourceQuota): void | Promise<void> {
  const answer = server.handle({
    method: 'PUT',
    path: objectPath(RESOURCEQUOTAS, quota.metadata, 'status'),
    headers: { accept: JSON_TYPE, 'content-type': JSON_TYPE, 'user-agent': 'kube-apiserver/embedded' },
    body: JSON.stringify(quota),
    user: OWN_USER,
  });
  return chain(answer, checkAnswer);
}

function checkAnswer({ status, body }: ApiAnswer): void {
  if (status >= 300) throw new ApiError(JSON.parse(body) as StatusObject);
}
