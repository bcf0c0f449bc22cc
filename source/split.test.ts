import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitTree } from './split.ts';

const file = (path: string, text = '') => ({ path, validName: true, bytes: new TextEncoder().encode(text) });
const isNamespace = (name: string): boolean => name === 'sublet-root' || name.startsWith('t-');

test('takes its environment only, a folder a namespace, and names what belongs to none', () => {
  const tree = [
    'README.md',
    'clusters/production/fleet.yaml',
    'tenants/production/README.md',
    'tenants/production/stray.yaml',
    'tenants/production/sublet-root/plans.yaml',
    'tenants/production/t-acme/b.yaml',
    'tenants/production/t-acme/a.yml',
    'tenants/production/t-acme/notes.txt',
    'tenants/production/t-empty/README.md',
    'tenants/production/kube-system/pod.yaml',
    'tenants/production/kube-system/more.yaml',
    'tenants/productionx/t-acme/c.yaml',
    'tenants/staging/t-acme/d.yaml',
    'x/tenants/production/t-acme/e.yaml',
  ];
  const { folders, strays } = splitTree(
    tree.map((path) => file(path)),
    'production',
    isNamespace,
  );
  expect([...folders].map(([name, folder]) => [name, folder.files.map((one) => one.name)])).toEqual([
    ['sublet-root', ['plans.yaml']],
    ['t-acme', ['a.yml', 'b.yaml']],
    ['t-empty', []],
  ]);
  expect(strays).toEqual([
    {
      path: 'tenants/production/kube-system',
      message: expect.stringContaining('is not the name of a tenant namespace'),
    },
    {
      path: 'tenants/production/stray.yaml',
      message: 'belongs to no namespace; move it to tenants/production/<namespace>/',
    },
  ]);
});

test('a digest depends on names and bytes of the YAML files, and on nothing else', () => {
  const digest = (...files: Parameters<typeof splitTree>[0]): string | undefined =>
    splitTree(files, 'x', () => true).folders.get('t-a')?.rawDigest;
  const a = file('tenants/x/t-a/a.yaml', 'one');
  const b = file('tenants/x/t-a/b.yaml', 'two');
  const base = digest(a, b);
  expect(digest(b, a, file('tenants/x/t-b/a.yaml'), file('README.md'), file('tenants/x/t-a/README.md'))).toBe(base);
  expect(digest(a)).not.toBe(base);
  expect(digest(a, file('tenants/x/t-a/b.yaml', 'twO'))).not.toBe(base);
  expect(digest(file('tenants/x/t-a/a.yaml', 'two'), file('tenants/x/t-a/b.yaml', 'one'))).not.toBe(base);
});

test('no two trees that differ share a digest by shifting bytes between names and texts', () => {
  const tree = fc.dictionary(fc.stringMatching(/^[ab]{1,3}\.yaml$/), fc.stringMatching(/^[ab0-9 .yml\n]{0,8}$/), {
    maxKeys: 4,
  });
  const digest = (files: Readonly<Record<string, string>>): string | undefined =>
    splitTree(
      Object.entries(files).map(([name, text]) => file(`tenants/x/t-a/${name}`, text)),
      'x',
      () => true,
    ).folders.get('t-a')?.rawDigest;
  const canonical = (files: Readonly<Record<string, string>>): string => JSON.stringify(Object.entries(files).sort());
  fc.assert(
    fc.property(tree, tree, (one, two) => {
      expect(digest(one) === digest(two)).toBe(canonical(one) === canonical(two));
    }),
  );
});
