import type { DesktopInput, DesktopSettings } from './build.ts';
import { buildMetadata, buildSelector, RDP_PORT, type RenderedObject } from './metadata.ts';

/** Admits the operator's probe, and whom `allow` names: no list admits anyone, an empty one nobody. Only to RDP's port. */
export function buildNetworkPolicy(input: DesktopInput, settings: DesktopSettings): RenderedObject {
  const { allow } = input.access;
  const ports = [{ protocol: 'TCP', port: RDP_PORT }];
  const probe = {
    from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': settings.systemNamespace } } }],
    ports,
  };
  const clients = allow === undefined ? [{ ports }] : [{ from: allow.map((cidr) => ({ ipBlock: { cidr } })), ports }];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: buildMetadata(input),
    spec: {
      podSelector: { matchLabels: buildSelector(input) },
      policyTypes: ['Ingress'],
      ingress: [probe, ...(allow?.length === 0 ? [] : clients)],
    },
  };
}
