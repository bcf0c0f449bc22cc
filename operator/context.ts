import type { Logger } from 'pino';
import type { Condition } from '../crds/v1alpha1/conditions.ts';
import type { Plan } from '../crds/v1alpha1/plan.ts';
import type { Quota } from '../crds/v1alpha1/quota.ts';
import type { RDPInstance } from '../crds/v1alpha1/rdpinstance.ts';
import type { Tenant } from '../crds/v1alpha1/tenant.ts';
import type { Applier } from '../kube/apply.ts';
import type { Client } from '../kube/client.ts';
import type { Clock, Random } from '../kube/clock.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { Informer } from '../kube/informer.ts';
import type { Metrics } from '../kube/metrics.ts';
import type { KubeObject } from '../kube/object.ts';
import type { DataSource, DataVolume, VirtualMachine, VirtualMachineInstance } from '../kubevirt/index.ts';
import type { Breaker } from './breaker.ts';
import type { OperatorConfig } from './config.ts';
import type { Grants } from './grants/grants.ts';
import type { LimitLookup } from './grants/limits.ts';
import type { TenantTree } from './tree.ts';

/** Opens a TCP connection; everything that the operator dials goes through here. */
export type Dial = (
  address: { readonly host: string; readonly port: number },
  signal: AbortSignal,
) => Promise<Connection>;

export type Connection = {
  write(bytes: Uint8Array): void;
  /** The next bytes, or `undefined` once the peer closed. Rejects on a reset. */
  read(): Promise<Uint8Array | undefined>;
  close(): void;
};

/** What the operator gets from outside. */
export type OperatorDeps = {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly dial: Dial;
};

export type ConfigMap = KubeObject & { readonly data?: Readonly<Record<string, string>> };
export type Service = KubeObject & {
  readonly spec?: { readonly type?: string; readonly clusterIP?: string; readonly ports?: readonly ServicePort[] };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly LoadBalancerIngress[] } };
};
export type ServicePort = { readonly name?: string; readonly port: number; readonly nodePort?: number };
export type LoadBalancerIngress = { readonly ip?: string; readonly hostname?: string };
export type PersistentVolumeClaim = KubeObject & {
  readonly spec?: { readonly resources?: { readonly requests?: Readonly<Record<string, string>> } };
  readonly status?: { readonly phase?: string; readonly capacity?: Readonly<Record<string, string>> };
};

/** Kubernetes has counted once `status.used` names everything that `spec.hard` limits. */
export type ResourceQuota = KubeObject & {
  readonly spec?: { readonly hard?: Readonly<Record<string, string>> };
  readonly status?: { readonly used?: Readonly<Record<string, string>> };
};

/** A GitRepository or a Kustomization, as far as their state is told on. */
export type FluxObject = KubeObject & {
  readonly status?: {
    readonly artifact?: { readonly revision: string };
    readonly conditions?: readonly Condition[];
  };
};

/** Everything that the operator reads. `secrets` and `namespaces` hold metadata only. */
export type Informers = {
  readonly tenants: Informer<Tenant & KubeObject>;
  readonly plans: Informer<Plan & KubeObject>;
  readonly quotas: Informer<Quota & KubeObject>;
  readonly desktops: Informer<RDPInstance & KubeObject>;
  readonly definitions: Informer<KubeObject>;
  readonly namespaces: Informer<KubeObject>;
  readonly resourceQuotas: Informer<ResourceQuota>;
  readonly networkPolicies: Informer<KubeObject>;
  readonly roles: Informer<KubeObject>;
  readonly roleBindings: Informer<KubeObject>;
  readonly serviceAccounts: Informer<KubeObject>;
  readonly kustomizations: Informer<FluxObject>;
  readonly gitRepositories: Informer<FluxObject>;
  /** Metadata of all Secrets of the type for Git, whoever made them. */
  readonly gitSecrets: Informer<KubeObject>;
  readonly grants: Informer<ConfigMap>;
  readonly breaker: Informer<ConfigMap>;
  readonly secrets: Informer<KubeObject>;
  readonly services: Informer<Service>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly virtualMachines: Informer<VirtualMachine & KubeObject>;
  readonly virtualMachineInstances: Informer<VirtualMachineInstance & KubeObject>;
  readonly dataVolumes: Informer<DataVolume & KubeObject>;
  readonly dataSources: Informer<DataSource & KubeObject>;
};

export type OperatorContext = OperatorDeps & {
  readonly config: OperatorConfig;
  readonly informers: Informers;
  readonly applier: Applier;
  readonly events: EventRecorder;
  readonly tree: TenantTree;
  readonly limits: LimitLookup;
  readonly grants: Grants;
  readonly breaker: Breaker;
};
