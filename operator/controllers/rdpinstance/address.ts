import { RDP_PORT } from '../../desired/rdpinstance/metadata.ts';
import type { ServiceLike } from './observation.ts';

export type Address = { readonly address: string; readonly port: number };

/**
 * Where a client connects, as the Service says by now; `undefined` while it has none. A NodePort is reached at the address
 * that the provider put in front of the nodes.
 */
export function computeAddress(
  service: ServiceLike | undefined,
  nodePortAddress: string | undefined,
): Address | undefined {
  switch (service?.spec?.type) {
    case 'LoadBalancer': {
      const ingress = service.status?.loadBalancer?.ingress?.[0];
      const address = ingress?.ip || ingress?.hostname;
      return address ? { address, port: RDP_PORT } : undefined;
    }
    case 'NodePort': {
      const port = service.spec.ports?.[0]?.nodePort;
      return nodePortAddress === undefined || !port ? undefined : { address: nodePortAddress, port };
    }
    case 'ClusterIP': {
      const address = service.spec.clusterIP;
      return address && address !== 'None' ? { address, port: RDP_PORT } : undefined;
    }
    default:
      return undefined;
  }
}
