import { Agent, fetch as fetchBy } from 'undici';
import { type Forge, PUSH_INTERVAL_MS } from '../../gitops/forges/forge.ts';
import { createForge } from '../../gitops/forges/open.ts';
import type { ForgeDeps } from '../../gitops/forges/request.ts';
import type { Clock } from '../../kube/clock.ts';
import type { ApiConfig, ForgeSettings } from '../config.ts';
import { readSetting } from './access.ts';
import type { Remote } from './remotes.ts';

export type ForgeOptions = Pick<ApiConfig['git'], 'forge' | 'pushWindowMs' | 'authorityFile'>;

/**
 * The forge of a remote, if it is the fleet's and one is stated. The token is the provider's, so it goes to no address that a tenant wrote: in tenants' own
 * repositories a pushed branch is the proposal.
 */
export async function openForge(
  clock: Clock,
  { forge: settings, authorityFile }: ForgeOptions,
  remote: Remote,
): Promise<Forge | undefined> {
  if (settings === undefined || remote.isOwn) return undefined;
  const { type, apiUrl } = settings;
  const deps: ForgeDeps = {
    fetch: authorityFile === undefined ? fetch : createFetch(await readSetting('git.authorityFile', authorityFile)),
    token: () => readToken(settings),
    now: () => clock.now(),
  };
  return createForge({ type, repositoryUrl: remote.url, apiUrl }, deps);
}

export async function readToken({ tokenFile }: ForgeSettings): Promise<string> {
  return (await readSetting('git.forge.tokenFile', tokenFile)).trim();
}

/** The connections end by themselves a few seconds after they were used. */
function createFetch(ca: string): ForgeDeps['fetch'] {
  const dispatcher = new Agent({ connect: { ca } });
  // The same standard; the types of Node's own and of the package differ in names only.
  return (url, init) => fetchBy(url, { ...init, dispatcher } as Parameters<typeof fetchBy>[1]) as Promise<never>;
}

/** On these hosts runs what their names say. */
const HOSTED: Readonly<Record<string, keyof typeof PUSH_INTERVAL_MS>> = {
  'github.com': 'GitHub',
  'gitlab.com': 'GitLab',
};

/** Least time between two pushes to a remote: as stated, or as its forge asks for. */
export function choosePushWindow({ forge, pushWindowMs }: ForgeOptions, { url, isOwn }: Remote): number {
  if (pushWindowMs !== undefined) return pushWindowMs;
  const hosted = HOSTED[URL.parse(url)?.hostname ?? ''] ?? 'Git';
  return PUSH_INTERVAL_MS[(isOwn ? undefined : forge?.type) ?? hosted];
}
