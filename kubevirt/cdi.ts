import type { DataVolumeSpec, Metadata } from './index.ts';

/**
 * The Containerized Data Importer's kinds as far as this project uses them. KubeVirt's API description holds a DataVolume's
 * spec (as a VirtualMachine's template) but neither its status nor DataSource: those follow CDI's
 * `pkg/apis/core/v1beta1/types.go`, names and types only.
 */
export type DataVolume = {
  readonly apiVersion: 'cdi.kubevirt.io/v1beta1';
  readonly kind: 'DataVolume';
  readonly metadata: Metadata;
  readonly spec: DataVolumeSpec;
  readonly status?: DataVolumeStatus;
};

export type DataVolumeStatus = {
  readonly claimName?: string;
  readonly phase?: DataVolumePhase;
  /** `0.0%` to `100.0%`, or `N/A`. */
  readonly progress?: string;
  readonly restartCount?: number;
  readonly conditions?: readonly DataVolumeCondition[];
};

export type DataVolumePhase =
  | 'Pending'
  | 'PVCBound'
  | 'ImportScheduled'
  | 'ImportInProgress'
  | 'CloneScheduled'
  | 'CloneInProgress'
  | 'SnapshotForSmartCloneInProgress'
  | 'CloneFromSnapshotSourceInProgress'
  | 'SmartClonePVCInProgress'
  | 'CSICloneInProgress'
  | 'ExpansionInProgress'
  | 'NamespaceTransferInProgress'
  | 'UploadScheduled'
  | 'UploadReady'
  | 'WaitForFirstConsumer'
  | 'PendingPopulation'
  | 'Succeeded'
  | 'Failed'
  | 'Unknown'
  | 'Paused'
  | 'PrepClaimInProgress'
  | 'RebindInProgress';

export type DataVolumeCondition = CdiCondition & { readonly type: 'Ready' | 'Bound' | 'Running' };

export type DataSource = {
  readonly apiVersion: 'cdi.kubevirt.io/v1beta1';
  readonly kind: 'DataSource';
  readonly metadata: Metadata;
  readonly spec: { readonly source: DataSourceSource };
  readonly status?: {
    readonly source?: DataSourceSource;
    readonly conditions?: readonly (CdiCondition & { readonly type: 'Ready' })[];
  };
};

export type DataSourceSource = {
  readonly pvc?: { readonly namespace: string; readonly name: string };
  readonly snapshot?: { readonly namespace: string; readonly name: string };
  readonly dataSource?: { readonly namespace: string; readonly name: string };
};

/** CDI's own shape of a condition: with a heartbeat, without an observed generation. */
export type CdiCondition = {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly lastTransitionTime?: string;
  readonly lastHeartbeatTime?: string;
  readonly reason?: string;
  readonly message?: string;
};

export const DATAVOLUMES = {
  group: 'cdi.kubevirt.io',
  version: 'v1beta1',
  plural: 'datavolumes',
  kind: 'DataVolume',
  namespaced: true,
} as const;

export const DATASOURCES = {
  group: 'cdi.kubevirt.io',
  version: 'v1beta1',
  plural: 'datasources',
  kind: 'DataSource',
  namespaced: true,
} as const;
