import { describe, expect, it } from 'vitest';
import { buildObject, checkDeclaration, type Surroundings } from './checks.ts';
import { TENANTS } from './collections.ts';

const around = (allowedGitHosts: readonly string[]): Surroundings => ({
  owner: { namespace: 'sublet-root' } as Surroundings['owner'],
  plans: { get: () => ({ spec: { offers: 'Tenant' }, metadata: { name: 'team', namespace: 'sublet-root' } }) as never },
  tenants: [],
  allowedGitHosts,
});
const tenant = buildObject(TENANTS, 'acme', {
  id: 'acme-1',
  plan: 'team',
  source: { type: 'Repository', repository: { url: 'https://git.corp:3000/fleet', path: 'x' } },
});

describe('a repository inside', () => {
  it('is refused unless the provider allows its host', () => {
    expect(() => checkDeclaration(tenant, around([]))).toThrow(/git\.corp, which ends in corp/);
    expect(() => checkDeclaration(tenant, around(['git.corp']))).toThrow('list git.corp:3000 in allowedGitHosts');
    expect(() => checkDeclaration(tenant, around(['git.corp:3000']))).not.toThrow();
  });
});
