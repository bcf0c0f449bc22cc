import { describe, expect, it } from 'vitest';
import { computeFileName, computePlace, isResourceFile, parseFolder } from './layout.ts';

const repository = { type: 'Repository', url: 'https://git.example.com/acme/fleet.git', branch: 'main' } as const;

describe('the place of a namespace', () => {
  const place = (namespace: string, owner?: Parameters<typeof computePlace>[1]['owner']) =>
    computePlace(namespace, { environment: 'production', owner });

  it('is a folder of the fleet, the root included', () => {
    const folder = 'tenants/production/t-acme--bob';
    expect(place('t-acme--bob', { path: 'acme--bob', source: { type: 'Fleet' } })).toEqual({
      type: 'place',
      repository: 'fleet',
      folder,
    });
    expect(place('sublet-root')).toMatchObject({ repository: 'fleet', folder: 'tenants/production/sublet-root' });
  });

  it("is the folder of the tenant's own repository, under an id that no other tenant has", () => {
    const source = { ...repository, path: './sublet/', secret: 'git' };
    expect(place('t-acme', { path: 'acme', source })).toEqual({
      type: 'place',
      repository: 'tenant/t-acme',
      folder: 'sublet',
      remote: { url: repository.url, branch: 'main', secret: { namespace: 't-acme', name: 'git' } },
    });
    expect(place('t-acme--bob', { path: 'acme--bob', source })).toMatchObject({ repository: 'tenant/t-acme--bob' });
    expect(place('t-acme', { path: 'acme', source: repository })).toMatchObject({ folder: '' });
  });

  it('is none where nothing is in Git or nobody owns the namespace', () => {
    expect(place('t-acme', { path: 'acme' })).toMatchObject({ type: 'refused', reason: 'NotInGit' });
    expect(place('kube-system')).toMatchObject({ type: 'refused', reason: 'NoTenant' });
  });

  it.each(['..', '../x', 'a/../b', '.git', 'a/.hidden', 'a\\b', 'a b', 'a\nb', '-x', 'x'.repeat(600)])(
    'is none for the path %j',
    (path) => {
      expect(place('t-acme', { path: 'acme', source: { ...repository, path } })).toMatchObject({ reason: 'BadPath' });
    },
  );

  it.each(['..', '', 'a/b', 'Upper'])('is none for the namespace %j', (namespace) => {
    expect(place(namespace, { path: 'x', source: { type: 'Fleet' } })).toMatchObject({ reason: 'BadPath' });
  });
});

describe('the name of a new file', () => {
  const name = (kind: string, resource: string, taken: readonly string[] = []) =>
    computeFileName({ kind, name: resource }, (file) => taken.some((other) => other.toLowerCase() === file));

  it('is that of kind and resource', () => {
    expect(name('RDPInstance', 'anna-desk')).toBe('rdpinstance-anna-desk.yaml');
  });

  it('is another when one of that name is there, in any letter case', () => {
    expect(name('Plan', 'pro', ['plan-pro.yaml', 'x.yaml'])).toBe('plan-pro.2.yaml');
    expect(name('Plan', 'pro', ['Plan-PRO.yaml', 'plan-pro.2.YAML'])).toBe('plan-pro.3.yaml');
  });

  it('is short enough for the gate, and differs where names do', () => {
    const long = 'x'.repeat(200);
    const names = [name('Plan', `${long}a`), name('Plan', `${long}b`)];
    expect(new Set(names).size).toBe(2);
    for (const each of names) expect(each).toMatch(/^(?=.{1,100}$)[A-Za-z0-9][A-Za-z0-9._-]*\.ya?ml$/);
  });
});

it('takes YAML for resources, but nothing hidden', () => {
  expect(['a.yaml', 'b/c.YML', 'x.yaml/y.yml'].filter(isResourceFile)).toHaveLength(3);
  expect(
    ['a.yaml.txt', '.x.yaml', '.github/a.yaml', 'a/.b/c.yaml', 'README.md', 'yaml'].filter(isResourceFile),
  ).toEqual([]);
});

it('parses folders', () => {
  expect(['', '.', './', '/', 'a', './a//b/', '/a'].map(parseFolder)).toEqual(['', '', '', '', 'a', 'a/b', 'a']);
});
