import { createServer } from 'node:net';
import type { Logger } from 'pino';
import type { Clock } from '../../kube/clock.ts';
import { createDesktops, type Desktops } from './desktops.ts';
import { createLoadBalancer, type LoadBalancer } from './loadbalancer.ts';

/** What guests and load balancers listen on. */
export type GuestNetwork = {
  readonly desktops: Desktops;
  readonly loadBalancer: LoadBalancer;
  /** Whether something could listen there now. */
  isFree(address: string, port: number): Promise<boolean>;
};

/** Real listeners on loopback addresses. */
export function createTcpNetwork(deps: { readonly clock: Clock; readonly log: Logger }, rdpPort: number): GuestNetwork {
  return { desktops: createDesktops(deps, rdpPort), loadBalancer: createLoadBalancer(deps), isFree: canListen };
}

export function canListen(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: address, port }, () => server.close(() => resolve(true)));
  });
}
