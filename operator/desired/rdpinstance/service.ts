import type { DesktopInput } from './build.ts';
import { buildMetadata, buildSelector, RDP_PORT, type RenderedObject } from './metadata.ts';

/**
 * A range that no client has (RFC 1122 "this host"): what a load balancer is told when nobody may connect, because an empty
 * list of ranges would mean everybody.
 */
const NOBODY = '0.0.0.0/32';

/**
 * The way in. Traffic from outside stays on the desktop's node (`Local`), so that the guest and the NetworkPolicy see the
 * client's own address.
 */
export function buildService(input: DesktopInput): RenderedObject {
  const { type, allow } = input.access;
  const outside = type !== 'ClusterIP';
  const ranges = allow?.length === 0 ? [NOBODY] : allow;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: buildMetadata(input),
    spec: {
      type,
      selector: buildSelector(input),
      ports: [{ name: 'rdp', protocol: 'TCP', port: RDP_PORT, targetPort: RDP_PORT }],
      ...(outside ? { externalTrafficPolicy: 'Local' } : {}),
      ...(type === 'LoadBalancer' && ranges !== undefined ? { loadBalancerSourceRanges: ranges } : {}),
    },
  };
}
