import { describe, expect, it } from 'vitest';
import { gitSecretName, parseGitUrl } from '../../model/repository.ts';
import { HOSTILE_URLS } from '../../model/testing/hostileurls.ts';
import { checkResource, renderPath } from './index.ts';

const facts = { namespace: 't-acme', owner: 'Reseller', allowedGitHosts: ['git.corp', '10.1.2.3:3000'] } as const;

/** A Tenant with a repository there, and the Secret of its host, so that nothing but the URL can be wrong. */
function tenant(url: string) {
  const parsed = parseGitUrl(url);
  const name = parsed === undefined ? '' : gitSecretName(parsed);
  const secretRef = name === '' || name.length > 253 ? {} : { secretRef: { name } };
  return {
    apiVersion: 'sublet.dev/v1alpha1',
    kind: 'Tenant',
    metadata: { name: 'bob' },
    spec: { id: 'bob-1', plan: 'team', source: { type: 'Repository', repository: { url, ...secretRef } } },
  };
}

const check = (url: string, more: object = {}) =>
  checkResource(tenant(url), { ...facts, ...more }).map(
    ({ rule, path, message }) => `${rule} ${renderPath(path)} ${message}`,
  );

describe('RepositoryHost', () => {
  it('is tried on enough hostile URLs', () => {
    expect(new Set(HOSTILE_URLS).size).toBeGreaterThanOrEqual(200);
  });

  it.each(HOSTILE_URLS)('refuses %j', (url) => {
    const refusals = check(url);
    expect(refusals.join('\n')).toMatch(/^(Schema|RepositoryHost) spec\.source\.repository\.url /);
  });

  it.each([
    'https://github.com/acme/fleet.git',
    'https://git.example.com:8443/fleet',
    'ssh://git@git.example.com/fleet',
    'https://xn--bcher-kva.example/fleet',
    'https://203.0.113.7/fleet',
    'https://git.corp/fleet',
    'ssh://git@git.corp/fleet',
    'https://10.1.2.3:3000/fleet',
  ])('takes %s', (url) => {
    expect(check(url)).toEqual([]);
  });

  it('names the host, why, and both ways out', () => {
    expect(check('ssh://git@10.1.2.3:22/fleet')).toEqual([
      'RepositoryHost spec.source.repository.url names 10.1.2.3, which is a private address; use a repository on the internet, or ask the provider to list 10.1.2.3:22 in allowedGitHosts',
    ]);
    expect(check('https://gitlab.internal/fleet')).toEqual([
      'RepositoryHost spec.source.repository.url names gitlab.internal, which ends in internal, which is not on the internet; use a repository on the internet, or ask the provider to list gitlab.internal in allowedGitHosts',
    ]);
  });

  it('says nothing while it is not known what the provider allows, nor of a Tenant of the fleet', () => {
    expect(check('https://10.1.2.3/fleet', { allowedGitHosts: undefined })).toEqual([]);
    const fleet = { ...tenant('https://10.1.2.3/x').spec, source: { type: 'Fleet' } };
    expect(checkResource({ ...tenant('https://10.1.2.3/x'), spec: fleet }, facts)).toEqual([]);
  });
});
