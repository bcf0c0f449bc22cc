import { expect, it } from 'vitest';
import { createRest } from '../cluster/rest.ts';
import { describeWithCluster } from './cluster.ts';
import { grantedRights, refusedRights, unusedRights, usedRights } from './rights.ts';

const NAMESPACE = 'rights-trial';
const USER = `system:serviceaccount:${NAMESPACE}:worker`;

describeWithCluster('rights', { audit: true }, (cluster) => {
  it('tells what was granted, used, refused and left unused', async () => {
    await cluster().installManifests(MANIFESTS);
    const worker = await createRest(await cluster().serviceAccountKubeConfig(NAMESPACE, 'worker'));
    const list = async () => (await worker.call('GET', `/api/v1/namespaces/${NAMESPACE}/configmaps`)).status;
    // The API server learns of bindings by a watch.
    await expect.poll(list).toBe(200);
    const { nextByte } = await cluster().auditEvents();
    expect(await list()).toBe(200);
    expect((await worker.call('GET', '/api/v1/nodes')).status).toBe(403);
    const { events } = await cluster().auditEvents(nextByte);
    const granted = await grantedRights(cluster().admin, NAMESPACE, 'worker');
    expect([...granted].sort()).toEqual(['list configmaps', 'patch deployments.apps/status', 'watch configmaps']);
    expect([...usedRights(events, USER)]).toEqual(['list configmaps']);
    expect(refusedRights(events, USER)).toEqual(['list nodes']);
    expect(unusedRights(granted, usedRights(events, USER))).toEqual([
      'patch deployments.apps/status',
      'watch configmaps',
    ]);
    await worker.close();
    await cluster().kubectl(['delete', 'namespace', NAMESPACE]);
  });
});

const MANIFESTS = `
apiVersion: v1
kind: Namespace
metadata: {name: ${NAMESPACE}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: worker, namespace: ${NAMESPACE}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: worker, namespace: ${NAMESPACE}}
rules:
  - {apiGroups: [""], resources: [configmaps], verbs: [list, watch]}
  - {apiGroups: [apps], resources: [deployments/status], verbs: [patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: worker, namespace: ${NAMESPACE}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: worker}
subjects: [{kind: ServiceAccount, name: worker, namespace: ${NAMESPACE}}]
`;
