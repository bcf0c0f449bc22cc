import type { Plan } from '../../../crds/v1alpha1/plan.ts';
import type { RDPInstance } from '../../../crds/v1alpha1/rdpinstance.ts';
import type { Tenant } from '../../../crds/v1alpha1/tenant.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { DataSource, DataVolume, VirtualMachine, VirtualMachineInstance } from '../../../kubevirt/index.ts';
import type { ResolvedPlan } from '../../../model/planlookup.ts';

export type Members = NonNullable<Tenant['spec']['members']>;

/** Facts about a desktop and its surroundings, as `observe.ts` reads them. */
export type DesktopObservation = {
  readonly desktop: RDPInstance & KubeObject;
  /** Whose namespace it is; absent when it is nobody's. `path` is absent for the provider. */
  readonly owner:
    | {
        readonly tenantId: string;
        readonly path: string | undefined;
        /** Absent while there is no Tenant although none was removed: what it says cannot be known. */
        readonly members: Members | undefined;
      }
    | undefined;
  /** The Kustomization that feeds the namespace from Git; absent when none does. `Unknown` while there is no Tenant that would say it. */
  readonly feed: { readonly name: string; readonly namespace: string } | 'Unknown' | undefined;
  readonly suspensions: readonly { readonly reason: string; readonly by: string }[];
  /** What the seller's price list says of `spec.plan`; absent when there is no seller. */
  readonly plan: ResolvedPlan<Plan & KubeObject> | undefined;
  readonly image: DataSource | undefined;
  readonly children: DesktopLive;
};

/** The children that exist and are this desktop's. */
export type DesktopLive = {
  readonly disk: (DataVolume & KubeObject) | undefined;
  readonly claim: ClaimLike | undefined;
  readonly virtualMachine: (VirtualMachine & KubeObject) | undefined;
  readonly instance: (VirtualMachineInstance & KubeObject) | undefined;
  /** Metadata only. */
  readonly secret: KubeObject | undefined;
  readonly service: ServiceLike | undefined;
};

export type ClaimLike = KubeObject & {
  readonly spec?: {
    readonly volumeMode?: string | undefined;
    readonly resources?: { readonly requests?: Readonly<Record<string, string>> | undefined } | undefined;
  };
};

export type ServiceLike = KubeObject & {
  readonly spec?: {
    readonly type?: string | undefined;
    readonly clusterIP?: string | undefined;
    readonly ports?: readonly { readonly port: number; readonly nodePort?: number | undefined }[] | undefined;
  };
  readonly status?: {
    readonly loadBalancer?:
      | {
          readonly ingress?:
            | readonly { readonly ip?: string | undefined; readonly hostname?: string | undefined }[]
            | undefined;
        }
      | undefined;
  };
};
