import { explainHost } from '../../model/address.ts';
import { isAllowedGitHost, parseGitUrl } from '../../model/repository.ts';
import type { Rule } from './facts.ts';

/** A tenant's repository is on the internet, or on a forge that the provider allows: nobody has the provider's Flux look around inside. */
export const checkRepositoryHost: Rule = (resource, { allowedGitHosts }) => {
  if (resource.kind !== 'Tenant' || allowedGitHosts === undefined) return [];
  const url = resource.spec.source?.repository?.url;
  const message = url === undefined ? undefined : explainRepositoryHost(url, allowedGitHosts);
  if (message === undefined) return [];
  return [{ rule: 'RepositoryHost', path: ['spec', 'source', 'repository', 'url'], message }];
};

/** Why Flux may not fetch the URL, and what to do; undefined when it may. */
export function explainRepositoryHost(url: string, allowedGitHosts: readonly string[]): string | undefined {
  const parsed = parseGitUrl(url);
  if (parsed === undefined) return 'is no https:// or ssh:// URL of a repository';
  if (isAllowedGitHost(parsed, allowedGitHosts)) return undefined;
  const why = explainHost(parsed.host);
  if (why === undefined) return undefined;
  const allowance = parsed.port === undefined ? parsed.host : `${parsed.host}:${parsed.port}`;
  return `names ${parsed.host}, which ${why}; use a repository on the internet, or ask the provider to list ${allowance} in allowedGitHosts`;
}
