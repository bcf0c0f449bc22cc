import { expect, test } from 'vitest';
import {
  buildExternalArtifact,
  buildStatus,
  type ExternalArtifactStatus,
  type FolderState,
  isOurs,
} from './externalartifact.ts';

const published = (changes: Partial<FolderState & { state: 'published' }> = {}): FolderState => ({
  state: 'published',
  digest: 'sha256:a',
  sizeBytes: 100,
  resources: 2,
  path: 'sublet-fleet/t-a/a.tar.gz',
  url: 'http://source/sublet-fleet/t-a/a.tar.gz',
  revision: 'main@sha1:1',
  ...changes,
});
const held: FolderState = { state: 'held', reason: 'Held', message: 'a.yaml:1: kind: no' };
const build = (current: ExternalArtifactStatus | undefined, state: FolderState, at = '2026-11-21T09:00:00Z') =>
  buildStatus(current, 1, state, at);
const types = (status: ExternalArtifactStatus) =>
  status.conditions?.map(({ type, status: value }) => `${type}=${value}`);

test('states artifact, commit, count and readiness as Flux reads them', () => {
  expect(build(undefined, published())).toEqual({
    artifact: {
      path: 'sublet-fleet/t-a/a.tar.gz',
      url: 'http://source/sublet-fleet/t-a/a.tar.gz',
      revision: 'sha256:a',
      digest: 'sha256:a',
      lastUpdateTime: '2026-11-21T09:00:00Z',
      size: 100,
      metadata: { 'org.opencontainers.image.revision': 'main@sha1:1', 'sublet.dev/resources': '2' },
    },
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Succeeded',
        message: 'published 2 resources',
        observedGeneration: 1,
        lastTransitionTime: '2026-11-21T09:00:00Z',
      },
    ],
  });
});

test('the same content at another commit or time is no change', () => {
  const status = build(undefined, published());
  expect(build(status, published({ revision: 'main@sha1:2' }), '2027-01-01T00:00:00Z')).toBe(status);
});

test('other content, another address and another count are changes', () => {
  const status = build(undefined, published());
  expect(build(status, published({ digest: 'sha256:b' }))).not.toBe(status);
  expect(build(status, published({ url: 'http://other/x' }))).not.toBe(status);
  expect(build(status, published({ resources: 3 }))).not.toBe(status);
});

test('held keeps the artifact, says why once, and is gone when the folder is good again', () => {
  const status = build(undefined, published());
  const now = build(status, held, '2026-11-22T00:00:00Z');
  expect(now.artifact).toBe(status.artifact);
  expect(types(now)).toEqual(['Ready=False', 'Stalled=True', 'Held=True']);
  expect(now.conditions?.[0]).toMatchObject({ reason: 'Held', message: 'a.yaml:1: kind: no' });
  expect(build(now, held, '2026-11-23T00:00:00Z')).toBe(now);
  const again = build(now, published(), '2026-11-24T00:00:00Z');
  expect(types(again)).toEqual(['Ready=True']);
  expect(again.artifact).toBe(status.artifact);
});

test('held from the start has no artifact', () => {
  expect(build(undefined, held).artifact).toBeUndefined();
});

test('an object of another source is not ours', () => {
  const object = buildExternalArtifact('sublet-fleet', 't-a', 'fleet');
  expect([isOurs(object, 'fleet'), isOurs(object, 'other')]).toEqual([true, false]);
  expect(isOurs({ ...object, spec: {} }, 'fleet')).toBe(false);
});
