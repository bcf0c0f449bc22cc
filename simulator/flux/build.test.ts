import { describe, expect, it } from 'vitest';
import { parseArchive, renderArchive } from './archive.ts';
import { buildManifests, normalisePath } from './build.ts';
import { identityOf, type Manifest, renderSubject } from './manifest.ts';
import { normaliseManifest } from './normalise.ts';

const cm = (name: string, namespace?: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}${namespace === undefined ? '' : `, namespace: ${namespace}`}}\n`;

function build(files: Readonly<Record<string, string>>, folder = '', targetNamespace?: string): readonly string[] {
  const archive = renderArchive(Object.entries(files).map(([path, text]) => ({ path, bytes: Buffer.from(text) })));
  return buildManifests(parseArchive(archive.bytes), folder, targetNamespace).map((one) =>
    renderSubject(identityOf(one)),
  );
}

describe('a folder without a kustomization', () => {
  it('is all its YAML files, deep ones too, and nothing else', () => {
    const files = { 'a/x.yaml': cm('x'), 'a/deep/y.yml': cm('y'), 'a/README.md': '# no', 'z.yaml': cm('z') };
    expect(build(files, 'a')).toEqual(['ConfigMap/y', 'ConfigMap/x']);
  });

  it('takes every document, expands lists, and passes comments over', () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n  - {apiVersion: v1, kind: ConfigMap, metadata: {name: l}}\n`;
    expect(build({ 'x.yaml': `# only words\n---\n${cm('a')}---\n---\n${cm('b')}`, 'y.yaml': list })).toEqual([
      'ConfigMap/a',
      'ConfigMap/b',
      'ConfigMap/l',
    ]);
  });

  it('is nothing when it has no files', () => {
    expect(build({})).toEqual([]);
  });

  it('builds a folder below that has a kustomization by that', () => {
    const files = {
      'x.yaml': cm('x'),
      'b/kustomization.yaml': 'resources: [in.yaml]',
      'b/in.yaml': cm('in'),
      'b/out.yaml': cm('out'),
    };
    expect(build(files)).toEqual(['ConfigMap/in', 'ConfigMap/x']);
  });

  it.each([
    ['a: [', /^failed to decode Kubernetes YAML from x\.yaml: MalformedYAMLError: yaml: line 1: /],
    ['a: 1\na: 2', /yaml: line 2: Map keys must be unique/],
    ['just words', /^failed to decode Kubernetes YAML from x\.yaml: the document is no map$/],
    ['kind: ConfigMap\nmetadata: {name: x}', /missing Resource metadata/],
    ['apiVersion: v1\nkind: ConfigMap\nmetadata: {}', /missing metadata\.name in object \{v1 ConfigMap\}/],
    ['apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ""}', /missing metadata\.name/],
  ])('refuses %j', (text, words) => {
    expect(() => build({ 'x.yaml': text })).toThrow(words);
  });

  it('refuses with a word what would take forever or too deep', () => {
    const nested = `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const laughs = [
      'a: &a [x, x]',
      ...'bcdefgh'
        .split('')
        .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(', ')}]`),
    ];
    for (const text of [nested, laughs.join('\n')]) {
      expect(() => build({ 'x.yaml': text })).toThrow(/^failed to decode Kubernetes YAML from x\.yaml: /);
    }
  });

  it('takes __proto__ for a name like any other', () => {
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, labels: {__proto__: y}}\ndata: {__proto__: z}\n';
    const { bytes } = renderArchive([{ path: 'x.yaml', bytes: Buffer.from(text) }]);
    const [manifest] = buildManifests(parseArchive(bytes), '', undefined);
    expect(Object.entries(manifest?.metadata.labels ?? {})).toEqual([['__proto__', 'y']]);
    const sent = normaliseManifest(manifest as Manifest, { name: 'app', namespace: 'n' }, true);
    expect(JSON.stringify(sent)).toContain('"data":{"__proto__":"z"}');
    expect(JSON.stringify(sent)).toContain('"__proto__":"y"');
  });

  it('refuses an object that stands twice, also once the namespace is over both', () => {
    expect(() => build({ 'a.yaml': cm('x'), 'b.yaml': cm('x') })).toThrow('already registered id: ConfigMap/x');
    const apart = { 'a.yaml': cm('x', 'one'), 'b.yaml': cm('x', 'two') };
    expect(build(apart)).toEqual(['ConfigMap/one/x', 'ConfigMap/two/x']);
    expect(() => build(apart, '', 'three')).toThrow('already registered id: ConfigMap/three/x');
  });
});

describe('a kustomization', () => {
  it('lists files and folders, sets a namespace, and the target goes over it', () => {
    const files = {
      'kustomization.yaml': 'resources: [x.yaml, ../base]\nnamespace: own',
      'x.yaml': cm('x', 'other'),
    };
    const base = { 'base/kustomization.yaml': 'namespace: lower\nresources: [y.yaml]', 'base/y.yaml': cm('y') };
    const all = { ...base, 'app/kustomization.yaml': files['kustomization.yaml'], 'app/x.yaml': files['x.yaml'] };
    expect(build(all, 'app')).toEqual(['ConfigMap/own/x', 'ConfigMap/own/y']);
    expect(build(all, 'app', 'target')).toEqual(['ConfigMap/target/x', 'ConfigMap/target/y']);
  });

  it.each([
    ['resources: [gone.yaml]', /accumulating resources from 'gone\.yaml': gone\.yaml is not in the archive/],
    ['resources: [https://example.com/x]', /'https:\/\/example\.com\/x' is not in the archive/],
    ['resources: [empty]', /unable to find one of kustomization\.yaml/],
    ['resources: [a]', /cycle detected: a/],
    ['resources: x', /resources is no list of paths/],
    ['commonLabels: {a: b}', /commonLabels is not supported by the simulated Flux/],
    ['patches: []', /patches is not supported by the simulated Flux/],
    ['[]', /it is no map/],
    ['a: [', /invalid Kustomization kustomization\.yaml/],
  ])('refuses %j', (text, words) => {
    const files = { 'kustomization.yaml': text, 'empty/x.txt': '', 'a/kustomization.yaml': 'resources: [../b]' };
    expect(() => build({ ...files, 'b/kustomization.yaml': 'resources: [../a]' })).toThrow(words);
  });
});

describe('a target namespace', () => {
  it('goes over what is written, renames a Namespace, and leaves other cluster-wide kinds', () => {
    const files = {
      'a.yaml': cm('x', 'written'),
      'b.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n',
      'c.yaml': 'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n',
      'd.yaml': 'apiVersion: sublet.dev/v1alpha1\nkind: Tenant\nmetadata: {name: t}\n',
    };
    expect(build(files, '', 'target')).toEqual([
      'ConfigMap/target/x',
      'Namespace/target',
      'ClusterRole/r',
      'Tenant/target/t',
    ]);
  });
});

it.each([
  ['./', ''],
  ['', ''],
  ['./a/b/', 'a/b'],
  ['/a/../b', 'b'],
  ['../../x', 'x'],
])('%j is the folder %j', (path, folder) => {
  expect(normalisePath(path)).toBe(folder);
});
