import type { Tenant } from '../crds/v1alpha1/tenant.ts';
import type { Intent } from '../gitops/intent.ts';
import type { Author, Change, Journal } from '../gitops/journal.ts';
import { computePlace, type Place, type SourceFacts } from '../gitops/layout.ts';
import type { Random } from '../kube/clock.ts';
import { parseGitUrl } from '../model/repository.ts';
import { type Principal, renderAsker } from './authorize.ts';
import { renderChange } from './change.ts';
import type { ApiConfig } from './config.ts';
import { keyReused, parseIdempotencyKey, type RequestKey } from './idempotency.ts';
import { chooseMode } from './mode.ts';
import { parseTags } from './preconditions.ts';
import { Problem } from './problem.ts';
import type { Answer, Call } from './route.ts';
import { computeTrace, type Telemetry } from './telemetry.ts';
import type { Owner, Tree } from './tree.ts';

export type SubmitDeps = {
  readonly journal: Journal;
  readonly random: Random;
  readonly tree: Tree;
  readonly config: Pick<ApiConfig, 'environment' | 'modes'>;
  readonly telemetry?: Telemetry | undefined;
};

/** What was asked for in one request, its idempotency key read. */
export type Request = { readonly call: Call; readonly key: RequestKey | undefined };

/** Reads the key of a write; the body and what was seen are part of what it stands for. Throws a 400 on another form of either header, also when the key is known. */
export function readRequest(call: Call, operationId: string): Request {
  const { body, place, params } = call;
  const match = call.header('if-match');
  if (match !== undefined) parseTags('If-Match', match);
  const parts = [operationId, place.namespace, JSON.stringify(params), JSON.stringify(body ?? null), match ?? ''];
  return { call, key: parseIdempotencyKey(call.header('idempotency-key'), parts) };
}

/** The answer to an earlier request with the same key, before anything is judged anew: what it made would be in its own way. */
export async function recall(deps: SubmitDeps, { call, key }: Request): Promise<Answer | undefined> {
  const earlier = key === undefined ? undefined : await deps.journal.recall(call.principal.username, key);
  if (earlier === undefined) return undefined;
  if (earlier.type === 'key-reused') throw keyReused();
  return accepted(deps, earlier.change, true);
}

/** Hands a change in. The 202 is sent once it is a row that survives this process. */
export async function submit(deps: SubmitDeps, { call, key }: Request, owner: Owner, intent: Intent): Promise<Answer> {
  const place = computePlace(owner.namespace, { environment: deps.config.environment, owner: layoutOwner(owner) });
  if (place.type === 'refused') {
    throw new Problem(409, 'conflict', `${place.message}; ask its seller to give the Tenant a source, or use kubectl`);
  }
  assertWritten(place, owner);
  await assertRoom(deps, owner);
  const id = `I${Buffer.from(deps.random.bytes(20)).toString('hex')}`;
  const { traceparent, parentId } = computeTrace(id, call.header('traceparent'));
  const change = {
    id,
    repository: place.repository,
    intent,
    mode: chooseMode(deps.config.modes, { path: owner.path, intent }),
    author: authorOf(call.principal),
    requestId: call.requestId,
    traceparent,
  };
  const result = await deps.journal.accept(change, key);
  if (result.type === 'key-reused') throw keyReused();
  if (result.type === 'accepted') deps.telemetry?.follow(result.change, parentId);
  return accepted(deps, result.change, result.type === 'replayed');
}

/** Flux reads by ssh; what is written here goes by https alone, so the change would wait for ever. */
function assertWritten({ remote }: Place, { path }: Owner): void {
  if (remote === undefined || parseGitUrl(remote.url)?.scheme !== 'ssh') return;
  const detail =
    `the repository of ${path} is named by ssh, which Flux reads and the API does not write; ` +
    'commit to it by git, or name it by https:// in spec.source.repository.url';
  throw new Problem(409, 'conflict', detail);
}

/** Of one namespace. All that is on its way is laid over each read, and judged with each order. */
export const MOST_OPEN_CHANGES = 5_000;
export const MOST_OPEN_BYTES = 4 * 1_024 * 1_024;
const RETRY_SECONDS = 10;

/** Where nothing gets through, as to a repository that does not answer, what waits would grow without end; and it is read as a whole, by everybody who shares this server. */
async function assertRoom({ journal }: SubmitDeps, { namespace }: Owner): Promise<void> {
  const { changes, bytes } = await journal.load(namespace);
  if (changes < MOST_OPEN_CHANGES && bytes < MOST_OPEN_BYTES) return;
  const detail =
    `${changes} changes of ${namespace} have not ended, of ${bytes} bytes together; at most ${MOST_OPEN_CHANGES} and ` +
    `${MOST_OPEN_BYTES} bytes may be on their way. Look at the oldest to see what they wait for, and come again`;
  throw new Problem(429, 'rate-limited', detail, { headers: { 'retry-after': String(RETRY_SECONDS) } });
}

function accepted({ tree }: SubmitDeps, change: Change, isReplay: boolean): Answer {
  return {
    status: 202,
    headers: { location: `/v1/changes/${change.id}`, ...(isReplay ? { 'idempotency-replayed': 'true' } : {}) },
    body: renderChange(change, tree),
  };
}

/** What `layout.ts` reads of whoever owns the namespace. The provider's needs nothing. */
export function layoutOwner({
  path,
  tenant,
}: Owner): { readonly path: string; readonly source?: SourceFacts | undefined } | undefined {
  if (path === undefined || tenant === undefined) return undefined;
  return { path, source: parseSource(tenant.spec.source) };
}

function parseSource(source: Tenant['spec']['source']): SourceFacts | undefined {
  if (source?.type !== 'Repository') return source?.type === 'Fleet' ? { type: 'Fleet' } : undefined;
  const { repository } = source;
  if (repository === undefined) return undefined;
  const { url, branch, path, secretRef } = repository;
  return { type: 'Repository', url, branch, path, secret: secretRef?.name };
}

const EMAIL = /^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,32}$/;

/** How the commit names its author: the user as the API server does; an address only where the user name is one. */
function authorOf({ username, key }: Principal): Author {
  const bare = username.slice(username.lastIndexOf(':') + 1);
  const name = username.slice(0, 200);
  return {
    subject: username,
    name: renderAsker(name, key?.id),
    email: EMAIL.test(bare) ? bare : 'noreply@sublet.invalid',
  };
}
