import { explainRepositoryHost } from '../../../crds/rules/index.ts';
import type { Condition, Reason } from '../../../crds/v1alpha1/conditions.ts';
import type { Repository } from '../../../crds/v1alpha1/tenant.ts';
import { findCondition } from '../../../kube/conditions.ts';
import { GIT_SECRET_TYPE } from '../../../model/repository.ts';
import type { FluxObject } from '../../context.ts';

/** What is known of a tenant's own repository. */
export type RepositoryFacts = {
  readonly namespace: string;
  readonly repository: Repository;
  readonly allowedGitHosts: readonly string[];
  /** The namespace has the Secret that `secretRef` names, of the type for Git. */
  readonly hasSecret: boolean;
  readonly gitRepository: FluxObject | undefined;
  readonly kustomization: FluxObject | undefined;
};

export type RepositoryProblem = { readonly reason: Reason; readonly message: string };

/** `unsettled`: Flux is at it; a problem that was told stays told while its reason is one of `keeps`. */
export type RepositoryState =
  | { readonly state: 'fine' }
  | ({ readonly state: 'failed' } & RepositoryProblem)
  | { readonly state: 'unsettled'; readonly keeps: readonly Reason[] };

/** Why Flux is not asked to fetch the repository at all; undefined when it is. */
export function refuseRepository(facts: RepositoryFacts): RepositoryProblem | undefined {
  const { namespace, repository, allowedGitHosts, hasSecret } = facts;
  const why = explainRepositoryHost(repository.url, allowedGitHosts);
  if (why !== undefined) return { reason: 'HostNotAllowed', message: `spec.source.repository.url ${why}` };
  if (repository.secretRef === undefined || hasSecret) return undefined;
  const { name } = repository.secretRef;
  return {
    reason: 'SecretNotFound',
    message: `spec.source.repository.secretRef: namespace ${namespace} has no Secret ${name} of type ${GIT_SECRET_TYPE}; an Owner or Admin of the tenant makes it with kubectl apply --server-side`,
  };
}

/** What is to be told of the repository: what keeps Flux from being asked, or what Flux says. */
export function computeRepositoryState(facts: RepositoryFacts): RepositoryState {
  const refused = refuseRepository(facts);
  if (refused !== undefined) return { state: 'failed', ...refused };
  const { gitRepository, kustomization } = facts;
  if (gitRepository === undefined) return { state: 'fine' };
  const fetched = readState(gitRepository);
  if (fetched === 'unsettled') return { state: 'unsettled', keeps: ['FetchFailed', 'ApplyFailed'] };
  if (fetched !== 'fine') return { state: 'failed', reason: 'FetchFailed', message: render('fetched', fetched) };
  if (kustomization === undefined) return { state: 'fine' };
  const applied = readState(kustomization);
  if (applied === 'unsettled') return { state: 'unsettled', keeps: ['ApplyFailed'] };
  return applied === 'fine'
    ? { state: 'fine' }
    : { state: 'failed', reason: 'ApplyFailed', message: render('applied', applied) };
}

/** Flux waits for a source that is on its way, and looks again. */
const WAITS = /, retrying in \S+$/;

/** What a Flux object says of its present spec. source-controller keeps `FetchFailed` while it tries again, kustomize-controller keeps nothing. */
function readState({ metadata, status }: FluxObject): 'fine' | 'unsettled' | Condition {
  const ready = findCondition(status?.conditions, 'Ready');
  const failed = findCondition(status?.conditions, 'FetchFailed');
  const said = failed?.status === 'True' ? failed : ready;
  if (said === undefined || said.observedGeneration !== metadata.generation) return 'unsettled';
  if (said === failed) return failed;
  if (said.status === 'Unknown' || WAITS.test(said.message)) return 'unsettled';
  return said.status === 'True' ? 'fine' : said;
}

const MAX_WORDS = 1_000;

/** Words of other programs, and through them of a foreign server: bounded, and on one line. */
function render(what: 'fetched' | 'applied', { reason, message }: Condition): string {
  const words = message.replaceAll(/\p{Cc}+/gu, ' ');
  const bounded = words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS)}...` : words;
  return `the repository cannot be ${what}, and what was applied last stays: ${reason}: ${bounded}`;
}
