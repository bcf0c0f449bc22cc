import { describe, expect, it } from 'vitest';
import { computeFolderFacts, parseCommit } from './facts.ts';
import { buildFolder, COMMIT, condition, NOW_MS, OLDER } from './testing/objects.ts';

describe('the facts of a folder', () => {
  it('are read off a folder of the fleet', () => {
    expect(computeFolderFacts(buildFolder({}))).toEqual({
      isFed: true,
      fetched: COMMIT,
      applied: COMMIT,
      attempted: COMMIT,
      isLevel: true,
      held: undefined,
      refusal: undefined,
    });
  });

  it('tell what is applied from what is attempted and from what is only fetched', () => {
    const facts = computeFolderFacts(
      buildFolder({ applied: OLDER, refusal: condition('Ready', 'False', 'ReconciliationFailed', 'no', 5_000) }),
    );
    expect(facts).toMatchObject({
      applied: OLDER,
      attempted: COMMIT,
      isLevel: false,
      refusal: { reason: 'ReconciliationFailed', message: 'no' },
    });
    expect(computeFolderFacts(buildFolder({ applied: OLDER, attempted: false })).attempted).toBeUndefined();
    expect(computeFolderFacts(buildFolder({ published: OLDER }))).toMatchObject({ fetched: COMMIT, applied: OLDER });
    // The same content again, after an attempt at another that may have been carried out in part.
    const refusal = condition('Ready', 'False', 'ReconciliationFailed', 'no');
    expect(computeFolderFacts(buildFolder({ published: OLDER, refusal })).isLevel).toBe(false);
  });

  it('say by what folder or revision is held', () => {
    expect(computeFolderFacts(buildFolder({ held: 'desk.yaml:3: bad', heldAgeMs: 5_000 })).held).toEqual({
      reason: 'Held',
      message: 'desk.yaml:3: bad',
      sinceMs: NOW_MS - 5_000,
    });
    expect(computeFolderFacts(buildFolder({ rootHeld: 'too much goes' })).held).toEqual({
      reason: 'RevisionHeld',
      message: 'too much goes',
      sinceMs: NOW_MS,
    });
  });

  it('of a tenant with its own repository come from the Kustomization alone', () => {
    const { gitRepository } = buildFolder({});
    const revision = `main@sha1:${COMMIT}`;
    const conditions = [condition('Ready', 'True', 'ReconciliationSucceeded')];
    const status = { conditions, lastAppliedRevision: revision, lastAttemptedRevision: revision };
    const kustomization = { metadata: {}, status };
    expect(computeFolderFacts({ gitRepository, kustomization })).toMatchObject({
      isFed: true,
      fetched: COMMIT,
      applied: COMMIT,
      attempted: COMMIT,
      isLevel: true,
    });
  });

  it('are nothing where there is nothing', () => {
    expect(computeFolderFacts({ gitRepository: undefined, kustomization: undefined })).toMatchObject({
      isFed: false,
      fetched: undefined,
      applied: undefined,
      isLevel: false,
    });
  });

  it('read commits out of every way that Flux writes revisions, and out of nothing else', () => {
    expect(parseCommit(`main@sha1:${COMMIT}`)).toBe(COMMIT);
    expect(parseCommit(`refs/heads/main@sha256:${'b'.repeat(64)}`)).toBe('b'.repeat(64));
    expect(parseCommit(COMMIT)).toBe(COMMIT);
    for (const text of ['', 'main', 'main@sha1:abc', `sha1:${COMMIT}x`]) expect(parseCommit(text)).toBeUndefined();
  });
});
