import { describe, expect, it } from 'vitest';
import { CONFIGMAPS, NAMESPACES, SECRETS } from '../../../kube/builtin.ts';
import type { KubeObject, ObjectMeta, OwnerReference, Resource } from '../../../kube/object.ts';
import { type Job, OwnerGraph } from './graph.ts';

const reference = (uid: string, parts: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: uid,
  uid,
  ...parts,
});

const object = (uid: string, owners: readonly OwnerReference[] = [], meta: Partial<ObjectMeta> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: uid, namespace: 'a', uid, ownerReferences: owners, ...meta },
});

const text = (jobs: readonly Job[]) => jobs.map(({ task, uid }) => `${task} ${uid}`);
const GOING = { deletionTimestamp: '2026-01-01T00:00:00Z' };

function graphOf(...objects: readonly (KubeObject | readonly [Resource, KubeObject])[]) {
  const graph = new OwnerGraph();
  const pairs = objects.map((one) => (Array.isArray(one) ? one : [CONFIGMAPS, one])) as [Resource, KubeObject][];
  return { graph, jobs: text(graph.load(pairs)) };
}

function change(graph: OwnerGraph, type: 'ADDED' | 'MODIFIED' | 'DELETED', of: KubeObject, resource = CONFIGMAPS) {
  return text(graph.apply({ resource, type, object: of }));
}

describe('loading', () => {
  it('asks nothing about references that hold, whichever comes first', () => {
    expect(graphOf(object('child', [reference('owner')]), object('owner')).jobs).toEqual([]);
  });

  it.each([
    ['an owner that is not there', object('child', [reference('gone')])],
    ['another name', object('child', [reference('owner', { name: 'else' })])],
    ['another kind', object('child', [reference('owner', { kind: 'Secret' })])],
    ['another namespace', object('child', [reference('owner')], { namespace: 'b' })],
  ])('looks at the holder of a reference to %s', (_, child) => {
    expect(graphOf(object('owner'), child).jobs).toEqual(['collect child']);
  });

  it('takes a cluster-wide owner from any namespace', () => {
    const owner: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'owner', uid: 'owner' } };
    expect(graphOf([NAMESPACES, owner], object('child', [reference('owner', { kind: 'Namespace' })])).jobs).toEqual([]);
  });

  it('goes on with deletions that had begun', () => {
    const foreground = object('owner', [], { ...GOING, finalizers: ['foregroundDeletion'] });
    const { jobs } = graphOf(foreground, object('child', [reference('owner')]));
    expect(jobs).toEqual(['collect child', 'collect owner']);
    expect(graphOf(object('owner', [], { ...GOING, finalizers: ['orphan'] })).jobs).toEqual(['orphan owner']);
  });
});

describe('changes', () => {
  it('looks at the dependents of what went, and at owners that waited for it', () => {
    const waiting = object('top', [], { ...GOING, finalizers: ['foregroundDeletion'] });
    const middle = object('middle', [reference('top')]);
    const { graph } = graphOf(waiting, middle, object('leaf', [reference('middle')]));
    expect(change(graph, 'DELETED', middle)).toEqual(['collect leaf', 'collect top']);
    expect(graph.get('middle')).toBeUndefined();
    expect(graph.dependentsOf('top')).toEqual([]);
    expect(graph.dependentsOf('middle').map(({ uid }) => uid)).toEqual(['leaf']);
  });

  it('looks at an owner that a dependent no longer blocks', () => {
    const blocks = reference('owner', { blockOwnerDeletion: true });
    const { graph } = graphOf(object('owner'), object('child', [blocks]), object('other', [blocks]));
    expect(change(graph, 'MODIFIED', object('child', [reference('owner')]))).toEqual(['collect owner']);
    expect(change(graph, 'MODIFIED', object('other'))).toEqual(['collect owner']);
    expect(graph.dependentsOf('owner').map(({ uid }) => uid)).toEqual(['child']);
  });

  it('begins a deletion once', () => {
    const { graph } = graphOf(object('owner'), object('child', [reference('owner')]));
    const going = object('owner', [], { ...GOING, finalizers: ['foregroundDeletion'] });
    expect(change(graph, 'MODIFIED', going)).toEqual(['collect child', 'collect owner']);
    expect(change(graph, 'MODIFIED', going)).toEqual([]);
    const orphaning = object('owner', [], { ...GOING, finalizers: ['orphan'] });
    expect(change(graph, 'MODIFIED', orphaning)).toEqual(['orphan owner']);
  });

  it('tells objects of one name apart', () => {
    const { graph } = graphOf(object('old', [], { name: 'same' }));
    change(graph, 'ADDED', object('new', [], { name: 'same' }), SECRETS);
    expect(change(graph, 'DELETED', object('old', [], { name: 'same' }))).toEqual([]);
    expect(graph.get('new')?.name).toBe('same');
  });
});
