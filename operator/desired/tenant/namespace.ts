import { ANNOTATION_PARENT_ID, ANNOTATION_PATH, ANNOTATION_TENANT_ID } from '../../../model/labels.ts';
import type { Manifest } from '../manifest.ts';
import type { TenantInput } from './build.ts';

/**
 * The tenant's namespace. The annotations are the tenant's identity on the cluster: who owns the name later is decided by
 * them. Pod Security `baseline` is the strictest level that KubeVirt's virt-launcher pods pass.
 */
export function buildNamespace(input: TenantInput, labels: Readonly<Record<string, string>>): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: input.namespace,
      labels: {
        ...labels,
        'pod-security.kubernetes.io/enforce': 'baseline',
        'pod-security.kubernetes.io/warn': 'restricted',
      },
      annotations: {
        [ANNOTATION_TENANT_ID]: input.tenantId,
        [ANNOTATION_PARENT_ID]: input.parentId,
        [ANNOTATION_PATH]: input.path,
      },
    },
  };
}
