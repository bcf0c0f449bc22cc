import type { Manifest } from '../manifest.ts';
import type { TenantInput, TenantSettings } from './build.ts';

/**
 * Object counts only. A compute ResourceQuota would refuse virt-launcher's pods, live migration and CDI's scratch space;
 * compute is granted by the operator instead.
 */
export function buildResourceQuota(
  input: TenantInput,
  settings: TenantSettings,
  labels: Readonly<Record<string, string>>,
): Manifest {
  const counts = Object.entries(settings.objectCounts[input.type]);
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'sublet-objects', namespace: input.namespace, labels },
    spec: { hard: Object.fromEntries(counts.map(([resource, count]) => [`count/${resource}`, String(count)])) },
  };
}
