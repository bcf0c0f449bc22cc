import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../crds/v1alpha1/conditions.ts';
import type { FluxObject } from '../../context.ts';
import { computeRepositoryState, type RepositoryFacts } from './repository.ts';

const condition = (over: Partial<Condition>): Condition => ({
  type: 'Ready',
  status: 'True',
  reason: 'Succeeded',
  message: 'stored artifact',
  lastTransitionTime: '2026-11-21T09:00:00Z',
  observedGeneration: 2,
  ...over,
});

const flux = (kind: string, ...conditions: readonly Condition[]): FluxObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'sublet-repository', namespace: 't-bob', generation: 2 },
  status: { conditions },
});

function facts(over: Partial<RepositoryFacts> = {}): RepositoryFacts {
  return {
    namespace: 't-bob',
    repository: { url: 'https://git.example.com/bob', branch: 'main', secretRef: { name: 'git.git.example.com' } },
    allowedGitHosts: [],
    hasSecret: true,
    gitRepository: flux('GitRepository', condition({})),
    kustomization: flux('Kustomization', condition({})),
    ...over,
  };
}

const failed = { status: 'False', reason: 'BuildFailed', message: 'a.yaml: not YAML' } as const;
const progressing = { status: 'Unknown', reason: 'Progressing', message: 'Reconciliation in progress' } as const;
const refusedByGit = { reason: 'GitOperationFailed', message: 'authentication required' } as const;

describe('computeRepositoryState', () => {
  it('is fine while everything is, or is not there yet', () => {
    expect(computeRepositoryState(facts())).toEqual({ state: 'fine' });
    expect(computeRepositoryState(facts({ kustomization: undefined }))).toEqual({ state: 'fine' });
    expect(computeRepositoryState(facts({ gitRepository: undefined }))).toEqual({ state: 'fine' });
  });

  it('names a host inside, whatever Flux says', () => {
    const repository = { url: 'https://10.0.0.1/bob', branch: 'main' };
    expect(computeRepositoryState(facts({ repository }))).toEqual({
      state: 'failed',
      reason: 'HostNotAllowed',
      message:
        'spec.source.repository.url names 10.0.0.1, which is a private address; use a repository on the internet, or ask the provider to list 10.0.0.1 in allowedGitHosts',
    });
    expect(computeRepositoryState(facts({ repository, allowedGitHosts: ['10.0.0.1'] }))).toEqual({ state: 'fine' });
  });

  it('names the Secret that is missing and who makes it, and asks for none of a public repository', () => {
    expect(computeRepositoryState(facts({ hasSecret: false }))).toEqual({
      state: 'failed',
      reason: 'SecretNotFound',
      message:
        'spec.source.repository.secretRef: namespace t-bob has no Secret git.git.example.com of type sublet.dev/git; an Owner or Admin of the tenant makes it with kubectl apply --server-side',
    });
    const repository = { url: 'https://git.example.com/bob', branch: 'main' };
    expect(computeRepositoryState(facts({ repository, hasSecret: false }))).toEqual({ state: 'fine' });
  });

  it('says in Flux’s words, bounded and on one line, why it cannot be fetched, also while Flux tries again', () => {
    const words = condition({
      ...refusedByGit,
      type: 'FetchFailed',
      message: `no\r\n\u0000access${'!'.repeat(2_000)}`,
    });
    for (const ready of [failed, progressing]) {
      const state = computeRepositoryState(facts({ gitRepository: flux('GitRepository', condition(ready), words) }));
      expect(state).toEqual({
        state: 'failed',
        reason: 'FetchFailed',
        message: `the repository cannot be fetched, and what was applied last stays: GitOperationFailed: no access${'!'.repeat(991)}...`,
      });
    }
  });

  it('says why it cannot be applied', () => {
    expect(computeRepositoryState(facts({ kustomization: flux('Kustomization', condition(failed)) }))).toEqual({
      state: 'failed',
      reason: 'ApplyFailed',
      message: 'the repository cannot be applied, and what was applied last stays: BuildFailed: a.yaml: not YAML',
    });
  });

  it.each<[string, Partial<RepositoryFacts>, readonly string[]]>([
    ['has said nothing', { gitRepository: flux('GitRepository') }, ['FetchFailed', 'ApplyFailed']],
    ['fetches', { gitRepository: flux('GitRepository', condition(progressing)) }, ['FetchFailed', 'ApplyFailed']],
    [
      'speaks of an older spec',
      { gitRepository: flux('GitRepository', condition({ ...failed, observedGeneration: 1 })) },
      ['FetchFailed', 'ApplyFailed'],
    ],
    ['applies', { kustomization: flux('Kustomization', condition(progressing)) }, ['ApplyFailed']],
    [
      'waits for the source',
      {
        kustomization: flux(
          'Kustomization',
          condition({
            status: 'False',
            reason: 'ArtifactFailed',
            message: 'Source artifact not found, retrying in 30s',
          }),
        ),
      },
      ['ApplyFailed'],
    ],
  ])('keeps what was told while Flux %s', (_, over, keeps) => {
    expect(computeRepositoryState(facts(over))).toEqual({ state: 'unsettled', keeps });
  });
});
