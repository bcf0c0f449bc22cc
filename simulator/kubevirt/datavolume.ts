import type {
  DataSource,
  DataSourceSource,
  DataVolume,
  DataVolumeCondition,
  DataVolumePhase,
  DataVolumeStatus,
} from '../../kubevirt/index.ts';
import { findCondition, renderTime, withCondition } from './status.ts';

/** A PersistentVolumeClaim as far as it is played here. */
export type Claim = {
  readonly apiVersion: 'v1';
  readonly kind: 'PersistentVolumeClaim';
  readonly metadata: DataVolume['metadata'];
  readonly spec: {
    readonly accessModes?: readonly string[];
    readonly resources?: { readonly requests?: Readonly<Record<string, string | number>> };
    readonly storageClassName?: string;
    readonly volumeMode?: string;
    readonly volumeName?: string;
  };
  readonly status?: {
    readonly phase?: string;
    readonly capacity?: Readonly<Record<string, string>>;
    readonly accessModes?: readonly string[];
  };
};

export const ANNOTATION_CREATED_FOR = 'cdi.kubevirt.io/storage.createdForDataVolume';
const ANNOTATION_ADOPT = 'cdi.kubevirt.io/allowClaimAdoption';

export type Cluster = {
  readonly dataSource: (namespace: string, name: string) => DataSource | undefined;
  readonly dataVolume: (namespace: string, name: string) => DataVolume | undefined;
  readonly claim: (namespace: string, name: string) => Claim | undefined;
};

export type Population =
  | { readonly kind: 'import' | 'clone' | 'blank' | 'upload' }
  /** Nothing to copy from yet. */
  | { readonly kind: 'missing'; readonly reason: string; readonly message: string };

/** Where the content of a DataVolume comes from, as its source stands now. */
export function computePopulation(dataVolume: DataVolume, cluster: Cluster): Population {
  const { source, sourceRef } = dataVolume.spec;
  const here = dataVolume.metadata.namespace ?? '';
  if (sourceRef !== undefined) {
    const namespace = sourceRef.namespace ?? here;
    const dataSource = cluster.dataSource(namespace, sourceRef.name);
    if (dataSource === undefined) return { kind: 'missing', reason: 'NotFound', message: 'No PVC found' };
    return isSourceReady(dataSource.spec.source, cluster)
      ? { kind: 'clone' }
      : cloneWithoutSource(dataSource.spec.source, sourceRef.name);
  }
  if (source?.pvc !== undefined) {
    return isSourceReady({ pvc: source.pvc }, cluster) ? { kind: 'clone' } : cloneWithoutSource(source, '');
  }
  if (source?.snapshot !== undefined) return { kind: 'clone' };
  if (source?.blank !== undefined) return { kind: 'blank' };
  return source?.upload === undefined ? { kind: 'import' } : { kind: 'upload' };
}

/**
 * CDI's rule: a claim must exist and, when a DataVolume made it, be populated. Snapshots are taken for ready: their kind is not
 * installed here. References from one DataSource to another are followed once, as CDI follows them.
 */
export function isSourceReady(source: DataSourceSource, cluster: Cluster, depth = 0): boolean {
  if (source.pvc !== undefined) {
    const { namespace, name } = source.pvc;
    const madeBy = cluster.dataVolume(namespace, name);
    return cluster.claim(namespace, name) !== undefined && (madeBy?.status?.phase ?? 'Succeeded') === 'Succeeded';
  }
  if (source.dataSource !== undefined && depth < 1) {
    const next = cluster.dataSource(source.dataSource.namespace, source.dataSource.name);
    return next !== undefined && isSourceReady(next.spec.source, cluster, depth + 1);
  }
  return source.snapshot !== undefined;
}

export type ProgressFacts = {
  readonly dataVolume: DataVolume;
  readonly claim: Claim | undefined;
  readonly population: Population;
  /** 0 to 1; the first question begins the copy. */
  readonly copied: () => number;
  readonly nowMs: number;
};

/** The status that CDI would show now. `Succeeded` is final: content is never copied twice. */
export function computeDataVolumeStatus(facts: ProgressFacts): DataVolumeStatus {
  const { dataVolume, claim, population } = facts;
  const old = dataVolume.status ?? {};
  if (old.phase === 'Succeeded') return old;
  if (claim !== undefined && !isOwn(dataVolume, claim)) return computeForeignClaim(facts, claim);
  if (claim === undefined) {
    const { reason, message } =
      population.kind === 'missing' ? population : { reason: 'NotFound', message: 'No PVC found' };
    const bound = { status: 'False', reason, message } as const;
    return withConditions(
      facts,
      { phase: 'Pending' },
      bound,
      { status: 'False' },
      { status: 'False', reason, message },
    );
  }
  const bound = computeBound(claim);
  const base = { claimName: claim.metadata.name, restartCount: 0 };
  if (bound.status !== 'True' || population.kind === 'missing') {
    const phase = population.kind === 'import' || population.kind === 'blank' ? 'ImportScheduled' : 'CloneScheduled';
    return withConditions(facts, { ...base, phase, progress: 'N/A' }, bound, { status: 'False' }, { status: 'False' });
  }
  if (population.kind === 'upload') {
    return withConditions(facts, { ...base, phase: 'UploadReady' }, bound, { status: 'True' }, { status: 'False' });
  }
  return computeCopy(facts, population.kind, base, bound);
}

/** Steps of a tenth of a percent, CDI's format. */
export function renderProgress(copied: number): string {
  return `${(Math.floor(Math.min(1, copied) * 1_000) / 10).toFixed(1)}%`;
}

export function isOwn(dataVolume: DataVolume, claim: Claim): boolean {
  return claim.metadata.ownerReferences?.some(({ uid }) => uid === dataVolume.metadata.uid) ?? false;
}

type ConditionValue = Omit<DataVolumeCondition, 'type'>;

function computeCopy(
  facts: ProgressFacts,
  kind: 'import' | 'clone' | 'blank',
  base: DataVolumeStatus,
  bound: ConditionValue,
): DataVolumeStatus {
  const copied = facts.copied();
  const [running, complete]: readonly [DataVolumePhase, string] =
    kind === 'clone' ? ['CloneInProgress', 'Clone Complete'] : ['ImportInProgress', 'Import Complete'];
  if (copied < 1) {
    return withConditions(
      facts,
      { ...base, phase: running, progress: renderProgress(copied) },
      bound,
      { status: 'True', reason: 'Pod is running', message: '' },
      { status: 'False', reason: 'TransferRunning', message: '' },
    );
  }
  return withConditions(
    facts,
    { ...base, phase: 'Succeeded', progress: '100.0%' },
    bound,
    { status: 'False', reason: 'Completed', message: complete },
    { status: 'True' },
  );
}

function computeForeignClaim(facts: ProgressFacts, claim: Claim): DataVolumeStatus {
  const { dataVolume } = facts;
  const adopts =
    dataVolume.metadata.annotations?.[ANNOTATION_ADOPT] === 'true' ||
    claim.metadata.annotations?.[ANNOTATION_ADOPT] === 'true';
  if (adopts) {
    const base = { claimName: claim.metadata.name, phase: 'Succeeded', progress: '100.0%' } as const;
    return withConditions(facts, base, computeBound(claim), { status: 'False' }, { status: 'True' });
  }
  const message = `Resource "${claim.metadata.name}" already exists and is not managed by DataVolume`;
  const refused = { status: 'False', reason: 'ErrResourceExists', message } as const;
  return withConditions(facts, { phase: 'Pending' }, refused, { status: 'False' }, refused);
}

function computeBound(claim: Claim): ConditionValue {
  const { name } = claim.metadata;
  return claim.status?.phase === 'Bound'
    ? { status: 'True', reason: 'Bound', message: `PVC ${name} Bound` }
    : { status: 'False', reason: 'Pending', message: `PVC ${name} Pending` };
}

function withConditions(
  { dataVolume, nowMs }: ProgressFacts,
  status: DataVolumeStatus,
  bound: ConditionValue,
  running: ConditionValue,
  ready: ConditionValue,
): DataVolumeStatus {
  const wanted: readonly DataVolumeCondition[] = [
    { type: 'Bound', ...bound },
    { type: 'Running', ...running },
    { type: 'Ready', ...ready },
  ];
  const old = dataVolume.status?.conditions;
  const now = renderTime(nowMs);
  const conditions = wanted.reduce((list: readonly DataVolumeCondition[], one) => {
    const before = findCondition(old, one.type);
    const changed = before?.reason !== one.reason || before?.message !== one.message || before?.status !== one.status;
    const lastHeartbeatTime = changed ? now : (before?.lastHeartbeatTime ?? now);
    return withCondition(list, { ...one, lastHeartbeatTime }, now);
  }, old ?? []);
  return { ...status, conditions };
}

function cloneWithoutSource(source: DataSourceSource, dataSource: string): Population {
  const name = source.pvc?.name ?? source.dataSource?.name ?? dataSource;
  const kind = source.pvc === undefined ? 'datasource' : 'pvc';
  return { kind: 'missing', reason: 'CloneWithoutSource', message: `The source ${kind} ${name} doesn't exist` };
}
