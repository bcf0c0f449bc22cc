import { describe, expect, it } from 'vitest';
import type { DataSource, DataSourceSource, DataVolume, DataVolumeSpec } from '../../kubevirt/index.ts';
import {
  type Claim,
  type Cluster,
  computeDataVolumeStatus,
  computePopulation,
  isSourceReady,
  type Population,
  renderProgress,
} from './datavolume.ts';
import { findCondition } from './status.ts';

const NOW_MS = Date.parse('2026-11-21T12:00:00Z');

function dataVolume(spec: DataVolumeSpec, parts: Partial<DataVolume> = {}): DataVolume {
  return {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'DataVolume',
    metadata: { name: 'disk', namespace: 'ns', uid: 'dv-1' },
    spec,
    ...parts,
  };
}

function claim(phase: string, owner = 'dv-1'): Claim {
  const ownerReferences = [{ apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataVolume', name: 'disk', uid: owner }];
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'disk', namespace: 'ns', uid: 'c-1', ownerReferences },
    spec: {},
    status: { phase },
  };
}

function dataSource(source: DataSourceSource): DataSource {
  return { apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataSource', metadata: { name: 's' }, spec: { source } };
}

const nothing: Cluster = { dataSource: () => undefined, dataVolume: () => undefined, claim: () => undefined };
const image = { namespace: 'images', name: 'ubuntu' };
const withClaim = { ...nothing, claim: () => claim('Bound') };
const fromSource: DataVolumeSpec = { sourceRef: { kind: 'DataSource', ...image } };
const cloneOnly = { ...nothing, dataSource: () => dataSource({ pvc: image }) };

describe('isSourceReady', () => {
  const importing = dataVolume({}, { status: { phase: 'ImportInProgress' } });
  const chain = (name: string): DataSource => dataSource({ dataSource: { namespace: 'images', name: `${name}x` } });
  it.each<[string, DataSourceSource, Cluster, boolean]>([
    ['no claim', { pvc: image }, nothing, false],
    ['a claim that nobody fills', { pvc: image }, withClaim, true],
    ['a claim that is being filled', { pvc: image }, { ...withClaim, dataVolume: () => importing }, false],
    ['a snapshot', { snapshot: image }, nothing, true],
    ['another DataSource', { dataSource: image }, { ...withClaim, dataSource: () => dataSource({ pvc: image }) }, true],
    ['a DataSource that is missing', { dataSource: image }, nothing, false],
    ['a chain that is too long', { dataSource: image }, { ...withClaim, dataSource: (_, name) => chain(name) }, false],
    ['nothing', {}, nothing, false],
  ])('%s', (_, source, cluster, ready) => {
    expect(isSourceReady(source, cluster)).toBe(ready);
  });
});

describe('computePopulation', () => {
  it.each<[string, DataVolumeSpec, Cluster, object]>([
    ['a URL', { source: { http: { url: 'https://example.com/a.img' } } }, nothing, { kind: 'import' }],
    ['a blank disk', { source: { blank: {} } }, nothing, { kind: 'blank' }],
    ['an upload', { source: { upload: {} } }, nothing, { kind: 'upload' }],
    ['a snapshot', { source: { snapshot: image } }, nothing, { kind: 'clone' }],
    ['a claim', { source: { pvc: image } }, withClaim, { kind: 'clone' }],
    ['a DataSource', fromSource, { ...cloneOnly, claim: () => claim('Bound') }, { kind: 'clone' }],
    ['a missing DataSource', fromSource, nothing, { kind: 'missing', reason: 'NotFound', message: 'No PVC found' }],
    [
      'a DataSource without its claim',
      fromSource,
      cloneOnly,
      { kind: 'missing', reason: 'CloneWithoutSource', message: "The source pvc ubuntu doesn't exist" },
    ],
    ['a missing claim', { source: { pvc: image } }, nothing, { kind: 'missing', reason: 'CloneWithoutSource' }],
  ])('%s', (_, spec, cluster, population) => {
    expect(computePopulation(dataVolume(spec), cluster)).toMatchObject(population);
  });
});

describe('computeDataVolumeStatus', () => {
  const statusOf = (population: Population, present?: Claim, copied = 0, one = dataVolume(fromSource)) =>
    computeDataVolumeStatus({ dataVolume: one, claim: present, population, copied: () => copied, nowMs: NOW_MS });
  const clone = { kind: 'clone' } as const;

  it.each<[string, Population, Claim | undefined, number, string, string | undefined]>([
    ['no claim yet', clone, undefined, 0, 'Pending', undefined],
    ['claim pending', clone, claim('Pending'), 0, 'CloneScheduled', 'N/A'],
    ['import, claim pending', { kind: 'import' }, claim('Pending'), 0, 'ImportScheduled', 'N/A'],
    ['copying', clone, claim('Bound'), 0.254, 'CloneInProgress', '25.4%'],
    ['importing', { kind: 'import' }, claim('Bound'), 0, 'ImportInProgress', '0.0%'],
    ['done', clone, claim('Bound'), 1, 'Succeeded', '100.0%'],
    ['upload', { kind: 'upload' }, claim('Bound'), 0, 'UploadReady', undefined],
  ])('%s', (_, population, present, copied, phase, progress) => {
    const status = statusOf(population, present, copied);
    expect([status.phase, status.progress]).toEqual([phase, progress]);
    expect(findCondition(status.conditions, 'Ready')?.status).toBe(phase === 'Succeeded' ? 'True' : 'False');
  });

  it('says what is missing in its conditions', () => {
    const status = statusOf({ kind: 'missing', reason: 'CloneWithoutSource', message: 'why' });
    expect(status.phase).toBe('Pending');
    expect(findCondition(status.conditions, 'Bound')).toMatchObject({ reason: 'CloneWithoutSource', message: 'why' });
  });

  it('leaves a claim of somebody else alone, unless it may be adopted', () => {
    const foreign = claim('Bound', 'other');
    expect(findCondition(statusOf(clone, foreign).conditions, 'Bound')?.reason).toBe('ErrResourceExists');
    const annotations = { 'cdi.kubevirt.io/allowClaimAdoption': 'true' };
    const adopting = { ...dataVolume(fromSource), metadata: { ...dataVolume(fromSource).metadata, annotations } };
    expect(statusOf(clone, foreign, 0, adopting).phase).toBe('Succeeded');
  });

  it('stays Succeeded when its source goes', () => {
    const status = statusOf(clone, claim('Bound'), 1);
    const done = dataVolume(fromSource, { status });
    expect(statusOf({ kind: 'missing', reason: 'NotFound', message: '' }, claim('Bound'), 0, done)).toBe(status);
  });

  it('says the same again when nothing changed', () => {
    for (const copied of [0, 0.5]) {
      const status = statusOf(clone, claim('Bound'), copied);
      const later = computeDataVolumeStatus({
        dataVolume: dataVolume(fromSource, { status }),
        claim: claim('Bound'),
        population: clone,
        copied: () => copied,
        nowMs: NOW_MS + 60_000,
      });
      expect(later).toEqual(status);
    }
  });
});

describe('renderProgress', () => {
  it.each([
    [0, '0.0%'],
    [0.3333, '33.3%'],
    [1.2, '100.0%'],
  ])('%f is %s', (copied, text) => expect(renderProgress(copied)).toBe(text));
});
