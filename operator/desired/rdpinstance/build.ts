import type { KubeObject } from '../../../kube/object.ts';
import { buildDataVolume } from './datavolume.ts';
import { buildNetworkPolicy } from './networkpolicy.ts';
import { buildRole, buildRoleBinding } from './role.ts';
import { buildService } from './service.ts';
import { buildVirtualMachine } from './virtualmachine.ts';

export type OperatingSystem = 'Linux' | 'Windows';
export type FirstBoot = 'CloudInit' | 'CloudbaseInit' | 'Sysprep';
export type RunStrategy = 'RerunOnFailure' | 'Halted';

/** Someone who may read the desktop's credentials, exactly as the API server names it. */
export type Reader = { readonly kind: 'User' | 'Group'; readonly name: string };

/** A validated desktop: everything that its children depend on, and nothing else. */
export type DesktopInput = {
  readonly namespace: string;
  readonly name: string;
  readonly tenantId: string;
  readonly username: string;
  readonly image: {
    /** Name of the DataSource. */
    readonly name: string;
    readonly namespace: string;
    readonly os: OperatingSystem;
    readonly firstBoot: FirstBoot;
  };
  readonly size: {
    readonly vcpu: number;
    readonly memoryBytes: bigint;
    readonly storageBytes: bigint;
    readonly gpus: { readonly count: number; readonly deviceName: string } | undefined;
  };
  /** What the DataVolume's spec says: as bought when it is made, as it is ever after. */
  readonly disk: { readonly storageBytes: bigint; readonly storageClassName: string | undefined };
  readonly access: {
    readonly type: 'LoadBalancer' | 'NodePort' | 'ClusterIP';
    /** Sources that may connect. Absent: anyone. Empty: nobody but the operator's probe. */
    readonly allow: readonly string[] | undefined;
  };
  readonly readers: readonly Reader[];
  readonly power: {
    readonly runStrategy: RunStrategy;
    /** UID of the last power epoch whose end Sublet commanded; stays on the VM as evidence that it was carried out. */
    readonly endedEpoch: string | undefined;
    /** Since when the guest is down by its own doing; stays on the VM so that no suspension makes that forgotten. */
    readonly guestDownAt: string | undefined;
  };
};

export type DesktopSettings = {
  /** Where the operator's probe comes from. */
  readonly systemNamespace: string;
  /** Guest vCPUs that share one requested CPU. */
  readonly vcpusPerCpu: number;
  /** ServiceAccount of the API, in the same namespace; absent where none runs. */
  readonly apiServiceAccount?: string | undefined;
};

/** The children of a desktop but its Secret, which is made once and never rendered again (`buildSecret`). */
export type DesktopChildren = {
  /** What holds the customer's data: never owned by the RDPInstance, kept as a tombstone. */
  readonly disk: KubeObject;
  readonly virtualMachine: KubeObject;
  /** What may go with the RDPInstance and be made again. */
  readonly stateless: readonly KubeObject[];
};

/** Everything that should exist for a desktop, as values. Pure; cannot fail, because its input was validated. */
export function buildDesktop(input: DesktopInput, settings: DesktopSettings): DesktopChildren {
  return {
    disk: buildDataVolume(input),
    virtualMachine: buildVirtualMachine(input, settings),
    stateless: [
      buildNetworkPolicy(input, settings),
      buildService(input),
      buildRole(input),
      ...buildRoleBinding(input, settings),
    ],
  };
}
