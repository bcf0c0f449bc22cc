import type { Logger } from 'pino';
import type { Informer } from '../../kube/informer.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { VirtualMachineInstance } from '../../kubevirt/index.ts';
import type { AddressPool } from './addresses.ts';
import type { LoadBalancer } from './loadbalancer.ts';
import type { Settings } from './options.ts';
import { applyStatus, type Writer } from './status.ts';

export type Service = KubeObject & {
  readonly spec: {
    readonly type?: string;
    readonly selector?: Readonly<Record<string, string>>;
    readonly loadBalancerClass?: string;
    readonly loadBalancerSourceRanges?: readonly string[];
    readonly ports?: readonly {
      readonly port: number;
      readonly protocol?: string;
      readonly targetPort?: number | string;
    }[];
  };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly ipMode?: string }[] };
  };
};

export type ServiceDeps = {
  readonly log: Logger;
  readonly settings: Settings;
  readonly addresses: AddressPool;
  readonly loadBalancer: LoadBalancer;
  readonly services: Informer<Service>;
  readonly instances: Informer<VirtualMachineInstance>;
};

/** By namespace, for {@link ServiceDeps.instances}. */
export const INDEX_NAMESPACE = 'namespace';

/** The port that a guest listens on by itself. */
const GUEST_RDP_PORT = 3389;

/** Plays the cloud's load balancer for one Service: an address of its own, and forwarding to the instances that it selects. */
export async function reconcileService(deps: ServiceDeps, writer: Writer, key: string): Promise<void> {
  const service = deps.services.get(key);
  if (service === undefined || !isBalanced(service)) {
    await deps.loadBalancer.remove(key);
    deps.addresses.release(key);
    if (service !== undefined && ingressIp(service) !== undefined) await writeIngress(deps, writer, service, undefined);
    return;
  }
  const recorded = ingressIp(service);
  const kept = recorded !== undefined && deps.addresses.claim(key, recorded);
  const address = await forward(deps, key, service, kept ? recorded : await deps.addresses.allocate(key));
  if (address !== recorded) await writeIngress(deps, writer, service, address);
}

/** Labels that a Service can select a virtual machine by: its own, and those of its launcher pod. */
function launcherLabels({ metadata }: VirtualMachineInstance): Readonly<Record<string, string>> {
  return {
    ...metadata.labels,
    'kubevirt.io': 'virt-launcher',
    'kubevirt.io/created-by': metadata.uid ?? '',
    'vm.kubevirt.io/name': metadata.name,
  };
}

export function selects(selector: Readonly<Record<string, string>> | undefined, vmi: VirtualMachineInstance): boolean {
  const labels = launcherLabels(vmi);
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 && wanted.every(([name, value]) => labels[name] === value);
}

function isBalanced({ metadata, spec }: Service): boolean {
  return (
    spec.type === 'LoadBalancer' && spec.loadBalancerClass === undefined && metadata.deletionTimestamp === undefined
  );
}

function ingressIp({ status }: Service): string | undefined {
  return status?.loadBalancer?.ingress?.[0]?.ip;
}

/** Listens at the address, or at another one when something else took a port there. */
async function forward(deps: ServiceDeps, key: string, service: Service, address: string): Promise<string> {
  const { spec, metadata } = service;
  const ports = (spec.ports ?? [])
    .filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP')
    .map(({ port, targetPort }) => ({ port, targetPort: guestPort(deps, targetPort ?? port, port) }));
  const forwarding = {
    ports,
    sourceRanges: spec.loadBalancerSourceRanges ?? [],
    backends: () =>
      deps.instances
        .byIndex(INDEX_NAMESPACE, metadata.namespace ?? '')
        .filter((vmi) => vmi.status?.phase === 'Running' && selects(spec.selector, vmi))
        .flatMap((vmi) => vmi.status?.interfaces?.[0]?.ipAddress ?? []),
  };
  try {
    await deps.loadBalancer.forward(key, { ...forwarding, address });
    return address;
  } catch (error) {
    deps.log.warn({ err: error, service: key, address }, 'load balancer address is taken; using another');
    await deps.loadBalancer.remove(key);
    deps.addresses.release(key);
    const other = await deps.addresses.allocate(key);
    await deps.loadBalancer.forward(key, { ...forwarding, address: other });
    return other;
  }
}

/** A target port by name is not known here: a virtual machine has no container ports; the Service's own port stands in. */
function guestPort({ settings }: ServiceDeps, targetPort: number | string, port: number): number {
  const wanted = typeof targetPort === 'number' ? targetPort : port;
  return wanted === GUEST_RDP_PORT ? settings.rdpPort : wanted;
}

async function writeIngress(
  deps: ServiceDeps,
  writer: Writer,
  service: Service,
  ip: string | undefined,
): Promise<void> {
  const loadBalancer = ip === undefined ? {} : { ingress: [{ ip, ipMode: 'VIP' }] };
  await applyStatus(writer, deps.services, service, { ...service.status, loadBalancer });
}
