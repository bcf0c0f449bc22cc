import { type Forge, ForgeError, type ForgeType } from './forge.ts';
import { createGiteaForge } from './gitea.ts';
import { createGitHubForge } from './github.ts';
import { createGitLabForge } from './gitlab.ts';
import type { ForgeDeps } from './request.ts';

export type ForgePlace = {
  readonly type: ForgeType;
  /** The address from which the repository is cloned. */
  readonly repositoryUrl: string;
  /**
   * Where the API is, if not on the host of the repository: the address of the instance for Gitea and GitLab, which have it at a path that is known; the API itself for GitHub.
   */
  readonly apiUrl?: string | undefined;
};

/**
 * The forge of a repository, by the address from which it is cloned: the API is on the same host, for github.com on the one that it has for it. The type is
 * stated and not guessed: a host's name says nothing of what runs there. Throws `Refused` for an address that is none of a repository.
 */
export function createForge({ type, repositoryUrl, apiUrl }: ForgePlace, deps: ForgeDeps): Forge {
  const { origin, path } = parseRepositoryUrl(repositoryUrl);
  const [owner = '', repository = ''] = path.slice(-2);
  switch (type) {
    case 'Gitea':
      return createGiteaForge({ url: apiUrl ?? [origin, ...path.slice(0, -2)].join('/'), owner, repository }, deps);
    case 'GitHub':
      return createGitHubForge({ url: apiUrl ?? apiOfGitHub(origin), owner, repository }, deps);
    case 'GitLab':
      return createGitLabForge({ url: apiUrl ?? origin, project: path.join('/') }, deps);
  }
}

/** GitHub's own API has a host of its own; that of an own server is a path. */
export function apiOfGitHub(origin: string): string {
  return origin === 'https://github.com' ? 'https://api.github.com' : `${origin}/api/v3`;
}

function parseRepositoryUrl(text: string): { readonly origin: string; readonly path: readonly string[] } {
  const url = URL.parse(text);
  const path = (url?.pathname ?? '')
    .replace(/\.git\/?$/, '')
    .split('/')
    .filter((part) => part !== '');
  if (url === null || !/^https?:$/.test(url.protocol) || path.length < 2) {
    throw new ForgeError('Refused', `no forge has a repository at ${JSON.stringify(text.slice(0, 200))}`);
  }
  return { origin: url.origin, path };
}
