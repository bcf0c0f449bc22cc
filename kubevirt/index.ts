import type { components } from './types.gen.ts';

type Schemas = components['schemas'];

/** As generated, but of an object that has a name, and whose creation time is absent rather than null. */
export type Metadata = Omit<GeneratedMetadata, 'creationTimestamp'> & {
  readonly name: string;
  readonly creationTimestamp?: string;
};
type GeneratedMetadata = Schemas['k8s.io.apimachinery.pkg.apis.meta.v1.ObjectMeta'];

export type VirtualMachine = {
  readonly apiVersion: 'kubevirt.io/v1';
  readonly kind: 'VirtualMachine';
  readonly metadata: Metadata;
  readonly spec: VirtualMachineSpec;
  readonly status?: VirtualMachineStatus;
};
export type VirtualMachineInstance = {
  readonly apiVersion: 'kubevirt.io/v1';
  readonly kind: 'VirtualMachineInstance';
  readonly metadata: Metadata;
  readonly spec: VirtualMachineInstanceSpec;
  readonly status?: VirtualMachineInstanceStatus;
};
export type VirtualMachineSpec = Schemas['v1.VirtualMachineSpec'];
export type VirtualMachineStatus = NonNullable<Schemas['v1.VirtualMachineStatus']>;
export type VirtualMachineCondition = Schemas['v1.VirtualMachineCondition'];
export type VirtualMachineInstanceTemplate = Schemas['v1.VirtualMachineInstanceTemplateSpec'];
export type VirtualMachineInstanceSpec = Schemas['v1.VirtualMachineInstanceSpec'];
export type VirtualMachineInstanceStatus = NonNullable<Schemas['v1.VirtualMachineInstanceStatus']>;
export type StateChangeRequest = Schemas['v1.VirtualMachineStateChangeRequest'];
export type VirtualMachineInstanceCondition = Schemas['v1.VirtualMachineInstanceCondition'];
export type VirtualMachineInstanceNetworkInterface = Schemas['v1.VirtualMachineInstanceNetworkInterface'];
export type PhaseTransitionTimestamp = Schemas['v1.VirtualMachineInstancePhaseTransitionTimestamp'];
export type DomainSpec = Schemas['v1.DomainSpec'];
export type Devices = Schemas['v1.Devices'];
export type Disk = Schemas['v1.Disk'];
export type Interface = Schemas['v1.Interface'];
export type Features = Schemas['v1.Features'];
export type Firmware = Schemas['v1.Firmware'];
export type Clock = Schemas['v1.Clock'];
export type Gpu = Schemas['v1.GPU'];
export type Network = Schemas['v1.Network'];
export type Volume = Schemas['v1.Volume'];
export type DataVolumeTemplate = Schemas['v1.DataVolumeTemplateSpec'];
export type DataVolumeSpec = Schemas['v1beta1.DataVolumeSpec'];

/** KubeVirt's run strategies (`spec.runStrategy`, a plain string in its description). */
export type RunStrategy = 'Always' | 'RerunOnFailure' | 'Manual' | 'Halted' | 'Once' | 'WaitAsReceiver';

/** Phases in the order in which a VirtualMachineInstance passes them; the last three have no successor. */
export const VMI_PHASES = ['Pending', 'Scheduling', 'Scheduled', 'Running', 'Succeeded', 'Failed', 'Unknown'] as const;
export type VirtualMachineInstancePhase = (typeof VMI_PHASES)[number];

/** Values of VirtualMachine's `status.printableStatus`. */
export type PrintableStatus =
  | 'Stopped'
  | 'Provisioning'
  | 'Starting'
  | 'Running'
  | 'Paused'
  | 'Stopping'
  | 'Terminating'
  | 'CrashLoopBackOff'
  | 'Migrating'
  | 'Unknown'
  | 'ErrorUnschedulable'
  | 'ErrImagePull'
  | 'ImagePullBackOff'
  | 'ErrorPvcNotFound'
  | 'DataVolumeError'
  | 'WaitingForVolumeBinding'
  | 'WaitingForReceiver';

export const VIRTUALMACHINES = {
  group: 'kubevirt.io',
  version: 'v1',
  plural: 'virtualmachines',
  kind: 'VirtualMachine',
  namespaced: true,
} as const;

export const VIRTUALMACHINEINSTANCES = {
  group: 'kubevirt.io',
  version: 'v1',
  plural: 'virtualmachineinstances',
  kind: 'VirtualMachineInstance',
  namespaced: true,
} as const;

export {
  type CdiCondition,
  DATASOURCES,
  DATAVOLUMES,
  type DataSource,
  type DataSourceSource,
  type DataVolume,
  type DataVolumeCondition,
  type DataVolumePhase,
  type DataVolumeStatus,
} from './cdi.ts';
