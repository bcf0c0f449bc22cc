import { KUSTOMIZATIONS } from '../../../model/flux.ts';
import { configMap, type Scenario, withAllRights } from './scenario.ts';

const FAILS_TO_BUILD: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'broken-yaml': { 'good.yaml': configMap('good'), 'bad.yaml': 'a: [\n' },
  'no-name': { 'bad.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n' },
  'no-kind': { 'bad.yaml': 'metadata: {name: x}\n' },
  duplicate: { 'a.yaml': configMap('x'), 'b.yaml': configMap('x') },
  'missing-resource': { 'kustomization.yaml': 'resources: [gone.yaml]\n' },
};

const FAILS_TO_APPLY: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'one-bad-object': { 'good.yaml': configMap('good'), 'bad.yaml': configMap('Bad_Name') },
  'bad-type': { 'good.yaml': configMap('good'), 'bad.yaml': configMap('bad', { key: ['list'] }) },
  'unknown-kind': {
    'good.yaml': configMap('good'),
    'bad.yaml': 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: x}\n',
  },
};

/** What is made of an archive. */
export const CONTENT_SCENARIOS: readonly Scenario[] = [
  ...Object.entries(FAILS_TO_BUILD).map(([name, files]): Scenario => {
    return {
      name,
      run: async (stage) => {
        await stage.publish('app', files);
        await stage.kustomize('app');
        await stage.untilReady('app', { ready: 'False', reason: 'BuildFailed' });
        await stage.show('failed');
      },
    };
  }),
  ...Object.entries(FAILS_TO_APPLY).map(([name, files]): Scenario => {
    return {
      name,
      run: async (stage) => {
        await stage.publish('app', files);
        await stage.kustomize('app');
        await stage.untilReady('app', { ready: 'False', reason: 'ReconciliationFailed' });
        await stage.show('nothing is applied');
        await stage.publish('app', { 'good.yaml': configMap('good') });
        await stage.untilReady('app', { ready: 'True' });
        await stage.show('mended');
      },
    };
  }),
  {
    name: 'many-documents',
    run: async (stage) => {
      const list = `apiVersion: v1\nkind: List\nitems:\n  - {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n`;
      const files = { 'a.yaml': `# words\n---\n${configMap('a')}---\n${configMap('b')}`, 'deep/er/c.yml': list };
      await stage.publish('app', { ...files, 'README.md': '# no' });
      await stage.kustomize('app');
      await stage.untilReady('app', { ready: 'True' });
      await stage.show('applied');
    },
  },
  {
    name: 'own-kustomization',
    run: async (stage) => {
      await stage.publish('app', {
        'app/kustomization.yaml': `resources: [a.yaml, ../base]\nnamespace: ${stage.namespace}\n`,
        'app/a.yaml': configMap('a'),
        'app/unused.yaml': configMap('unused'),
        'base/kustomization.yaml': 'resources:\n  - b.yaml\n',
        'base/b.yaml': configMap('b', undefined, '  namespace: elsewhere\n'),
      });
      await stage.kustomize('app', { path: './app', targetNamespace: null });
      await stage.untilReady('app', { ready: 'True' });
      await stage.show('applied');
    },
  },
  {
    name: 'target-namespace',
    run: async (stage) => {
      const binding = `apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\nsubjects: [{kind: ServiceAccount, name: default, namespace: other}, {kind: ServiceAccount, name: x, namespace: other}]\n`;
      await stage.publish('app', {
        'x.yaml': configMap('x', undefined, '  namespace: elsewhere\n'),
        'b.yaml': binding,
      });
      await stage.kustomize('app');
      await stage.untilReady('app', { ready: 'True' });
      await stage.show('applied');
    },
  },
  {
    name: 'no-namespace',
    run: (stage) =>
      withAllRights(stage, async () => {
        await stage.publish('app', { 'x.yaml': configMap('x') });
        await stage.kustomize('app', { targetNamespace: null });
        await stage.untilReady('app', { ready: 'False', reason: 'ReconciliationFailed' });
        await stage.show('failed');
      }),
  },
  {
    name: 'secret',
    run: async (stage) => {
      const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: text}\ndata: {b: Yg==}\n';
      await stage.publish('app', { 's.yaml': secret });
      await stage.kustomize('app');
      await stage.untilReady('app', { ready: 'True' });
      await stage.request(KUSTOMIZATIONS, 'app');
      await stage.untilReady('app', { ready: 'True' });
      await stage.show('applied');
    },
  },
  {
    name: 'missing-path',
    run: async (stage) => {
      await stage.publish('app', { 'x.yaml': configMap('x') });
      await stage.kustomize('app', { path: './gone' });
      await stage.untilReady('app', { ready: 'False', reason: 'ArtifactFailed', says: 'kustomization path not found' });
      await stage.show('failed');
    },
  },
];
