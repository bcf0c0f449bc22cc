import { describe, expect, it } from 'vitest';
import { mark, unmark } from './conditions.ts';
import { parseDuration, renderDuration } from './duration.ts';
import { findStale, parseEntry, renderEntry } from './inventory.ts';
import { cleanupPatch } from './managedfields.ts';
import { compareIdentity, identityOf, type Manifest, stageOf } from './manifest.ts';
import { fingerprint, normaliseManifest } from './normalise.ts';
import { parseOptions } from './options.ts';
import { findUnsupported, GITREPOSITORY_FIELDS, KUSTOMIZATION_FIELDS } from './unsupported.ts';

it.each([
  ['10m', 600_000, '10m0s'],
  ['1m30s', 90_000, '1m30s'],
  ['500ms', 500, '1s'],
  ['1.5h', 5_400_000, '1h30m0s'],
  ['45s', 45_000, '45s'],
])('%s is %d ms, shown as %s', (text, ms, shown) => {
  expect(parseDuration(text)).toBe(ms);
  expect(renderDuration(ms)).toBe(shown);
});

it('refuses what is no duration', () => {
  for (const text of ['', '10', 'm', '-1s', '1d']) expect(() => parseDuration(text)).toThrow(RangeError);
});

describe('an inventory entry', () => {
  it.each([
    ['apps', 'v1', 'Deployment', 'ns', 'web', 'ns_web_apps_Deployment'],
    ['', 'v1', 'Namespace', '', 'n', '_n__Namespace'],
    ['rbac.authorization.k8s.io', 'v1', 'ClusterRole', '', 'a:b', '_a__b_rbac.authorization.k8s.io_ClusterRole'],
    ['sublet.dev', 'v1alpha1', 'Tenant', 't-acme', 'bob', 't-acme_bob_sublet.dev_Tenant'],
  ])('of %s/%s %s %s/%s is %s', (group, version, kind, namespace, name, id) => {
    const identity = { group, version, kind, namespace, name };
    expect(renderEntry(identity)).toEqual({ id, v: version });
    expect(parseEntry({ id, v: version })).toEqual(identity);
  });

  it('is stale when it is only in the older inventory', () => {
    const [a, b] = [
      { id: '_a__X', v: 'v1' },
      { id: '_b__X', v: 'v1' },
    ];
    expect(findStale([a, b], [{ ...b, v: 'v2' }])).toEqual([a]);
    expect(() => parseEntry({ id: 'x', v: 'v1' })).toThrow('unable to parse stored object metadata: x');
  });
});

it('marks as Flux does: the time moves with the message, the generation always, and the order is fixed', () => {
  const at = (generation: number, nowIso: string) => ({ generation, nowIso });
  const stored = { type: 'ArtifactInStorage', status: 'True', reason: 'Succeeded', message: 'a' } as const;
  const one = mark(mark([], stored, at(1, 't1')), { ...stored, type: 'Ready' }, at(1, 't1'));
  expect(one.map(({ type }) => type)).toEqual(['Ready', 'ArtifactInStorage']);
  const same = mark(one, stored, at(2, 't2'));
  expect(same[1]).toMatchObject({ lastTransitionTime: 't1', observedGeneration: 2 });
  expect(mark(same, { ...stored, message: 'b' }, at(2, 't3'))[1]).toMatchObject({ lastTransitionTime: 't3' });
  const long = mark([], { ...stored, message: 'x'.repeat(40_000) }, at(1, 't'))[0]?.message;
  expect(long).toHaveLength(32_768);
  expect(unmark(one, 'Ready')).toHaveLength(1);
});

describe('objects', () => {
  const manifest = (kind: string, name = 'x', apiVersion = 'v1'): Manifest => ({
    apiVersion,
    kind,
    metadata: { name },
  });

  it('go in Flux’s order, in three stages', () => {
    const kinds = [
      manifest('Secret'),
      manifest('Tenant', 'b', 'sublet.dev/v1alpha1'),
      manifest('StorageClass', 'x', 'storage.k8s.io/v1'),
      manifest('ValidatingWebhookConfiguration', 'x', 'admissionregistration.k8s.io/v1'),
      manifest('Tenant', 'a', 'sublet.dev/v1alpha1'),
      manifest('Namespace'),
      manifest('CustomResourceDefinition', 'x', 'apiextensions.k8s.io/v1'),
    ].map(identityOf);
    const sorted = [...kinds].sort(compareIdentity);
    expect(sorted.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'CustomResourceDefinition x',
      'Namespace x',
      'StorageClass x',
      'Secret x',
      'Tenant a',
      'Tenant b',
      'ValidatingWebhookConfiguration x',
    ]);
    expect(sorted.map(stageOf)).toEqual(['definitions', 'definitions', 'classes', ...Array(4).fill('resources')]);
  });

  it('are sent with the owner’s labels, without what the server fills in, with a Secret’s texts encoded', () => {
    const written = {
      ...manifest('Secret'),
      metadata: { name: 'x', namespace: 'n', uid: 'u', resourceVersion: '7', labels: { a: 'b' } },
      stringData: { k: 'v' },
      status: { done: true },
    };
    expect(normaliseManifest(written, { name: 'ks', namespace: 'fleet' }, true)).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'x',
        namespace: 'n',
        labels: { a: 'b', 'kustomize.toolkit.fluxcd.io/name': 'ks', 'kustomize.toolkit.fluxcd.io/namespace': 'fleet' },
      },
      data: { k: 'dg==' },
    });
  });

  it('look the same while only status, versions and times move', () => {
    const entry = { manager: 'kustomize-controller', operation: 'Apply', time: 't1', fieldsV1: { 'f:data': {} } };
    const live = {
      ...manifest('ConfigMap'),
      data: { a: '1' },
      metadata: { name: 'x', resourceVersion: '1', managedFields: [entry] },
    };
    const moved = {
      ...live,
      status: { x: 1 },
      metadata: {
        ...live.metadata,
        resourceVersion: '2',
        managedFields: [
          { ...entry, time: 't2' },
          { manager: 'o', operation: 'Update', subresource: 'status', fieldsV1: {} },
        ],
      },
    };
    expect(fingerprint(moved)).toBe(fingerprint(live));
    expect(fingerprint({ ...live, data: { a: '2' } })).not.toBe(fingerprint(live));
    const edited = { ...entry, manager: 'kubectl-edit', operation: 'Update' };
    const metadata = { ...live.metadata, managedFields: [entry, edited] };
    expect(fingerprint({ ...live, metadata })).not.toBe(fingerprint(live));
  });
});

describe('field managers of people', () => {
  const entry = (manager: string, operation: string, fieldsV1: unknown, subresource?: string) => ({
    manager,
    operation,
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(subresource === undefined ? {} : { subresource }),
  });
  const live = (managedFields: readonly ReturnType<typeof entry>[], annotations = {}): Manifest => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'x', annotations, managedFields },
  });

  it('become the applier’s', () => {
    const own = entry('kustomize-controller', 'Apply', { 'f:data': { 'f:a': {} } });
    const edit = entry('kubectl-edit', 'Update', { 'f:data': { 'f:b': {} } });
    const status = entry('kubectl', 'Update', {}, 'status');
    const other = entry('operator', 'Update', {});
    const value = [status, other, { ...own, fieldsV1: { 'f:data': { 'f:a': {}, 'f:b': {} } } }];
    expect(cleanupPatch(live([own, edit, status, other]), 'kustomize-controller')).toEqual([
      { op: 'replace', path: '/metadata/managedFields', value },
    ]);
    expect(cleanupPatch(live([own, other]), 'kustomize-controller')).toEqual([]);
    const adopted = { ...edit, manager: 'kustomize-controller', operation: 'Apply' };
    expect(cleanupPatch(live([edit]), 'kustomize-controller')[0]).toMatchObject({ value: [adopted] });
  });

  it('take their annotation with them', () => {
    const name = 'kubectl.kubernetes.io/last-applied-configuration';
    expect(cleanupPatch(live([], { [name]: '{}' }), 'kustomize-controller')).toEqual([
      { op: 'remove', path: '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration' },
    ]);
  });
});

it('names the field that it does not play', () => {
  const spec = { interval: '1m', wait: false, patches: [], ref: { branch: 'main' } };
  expect(findUnsupported(spec, GITREPOSITORY_FIELDS)).toBeUndefined();
  expect(findUnsupported({ secretRef: { name: 'x' } }, GITREPOSITORY_FIELDS)).toBeUndefined();
  expect(findUnsupported({ proxySecretRef: { name: 'x' } }, GITREPOSITORY_FIELDS)).toMatch(
    /^spec\.proxySecretRef is not supported/,
  );
  expect(findUnsupported({ ref: { semver: '1.x' } }, GITREPOSITORY_FIELDS)).toMatch(/^spec\.ref\.semver /);
  expect(findUnsupported({ wait: true }, KUSTOMIZATION_FIELDS)).toMatch(/^spec\.wait /);
  const dependsOn = [{ name: 'a' }, { name: 'b', readyExpr: 'true' }];
  expect(findUnsupported({ dependsOn }, KUSTOMIZATION_FIELDS)).toMatch(/^spec\.dependsOn\.readyExpr /);
});

it('names the option that is out of bounds', () => {
  expect(parseOptions({}).workers).toBe(4);
  expect(() => parseOptions({ workers: 0 })).toThrow('workers: 0');
  expect(() => parseOptions({ intervalJitter: 1 })).toThrow('intervalJitter: 1');
  expect(() => parseOptions({ requeueDependencyMs: 0 })).toThrow('requeueDependencyMs: 0');
});
