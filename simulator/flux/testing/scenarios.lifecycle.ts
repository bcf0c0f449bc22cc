import { CONFIGMAPS, SERVICEACCOUNTS } from '../../../kube/builtin.ts';
import { EXTERNALARTIFACTS, KUSTOMIZATIONS } from '../../../model/flux.ts';
import { findMark } from '../conditions.ts';
import type { Kustomization } from '../resources.ts';
import { configMap, type Scenario, withAllRights } from './scenario.ts';
import type { Stage } from './stage.ts';

const DISABLED = '  annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}\n';

/** A Kustomization `app` that has applied `x` and `y`. */
export async function applyTwo(stage: Stage, spec = {}): Promise<void> {
  await stage.publish('app', { 'x.yaml': configMap('x'), 'y.yaml': configMap('y') });
  await stage.kustomize('app', spec);
  await stage.untilReady('app', { ready: 'True' });
}

/** How a Kustomization lives. */
export const LIFECYCLE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'external-artifact',
    run: async (stage) => {
      await stage.publish('app', { 'x.yaml': configMap('x') }, { origin: 'main@sha1:0123' });
      await stage.kustomize('app', { timeout: '1m', retryInterval: '30s', wait: false });
      await stage.untilReady('app', { ready: 'True' });
      await stage.show('first');
      const revision = await stage.publish(
        'app',
        { 'x.yaml': configMap('x', { key: 'second' }) },
        { origin: 'main@sha1:4567' },
      );
      await stage.untilReady('app', { ready: 'True', revision });
      await stage.show('second');
    },
  },
  {
    name: 'prune',
    run: async (stage) => {
      await applyTwo(stage);
      const revision = await stage.publish('app', { 'y.yaml': configMap('y') });
      await stage.untilReady('app', { ready: 'True', revision });
      await stage.untilGone(CONFIGMAPS, 'x');
      await stage.show('pruned');
    },
  },
  {
    name: 'emptied-folder',
    run: async (stage) => {
      await applyTwo(stage);
      const revision = await stage.publish('app', {});
      await stage.untilReady('app', { ready: 'True', revision });
      await stage.show('emptied');
    },
  },
  {
    name: 'prune-disabled',
    run: async (stage) => {
      await stage.publish('app', { 'x.yaml': configMap('x', undefined, DISABLED), 'y.yaml': configMap('y') });
      await stage.kustomize('app');
      await stage.untilReady('app', { ready: 'True' });
      const revision = await stage.publish('app', {});
      await stage.untilReady('app', { ready: 'True', revision });
      await stage.show('one stays');
    },
  },
  {
    name: 'prune-off',
    run: async (stage) => {
      await applyTwo(stage, { prune: false });
      const revision = await stage.publish('app', { 'y.yaml': configMap('y') });
      await stage.untilReady('app', { ready: 'True', revision });
      await stage.show('both stay');
    },
  },
  {
    name: 'not-ours-any-more',
    run: async (stage) => {
      await applyTwo(stage);
      await stage.patch(
        CONFIGMAPS,
        'x',
        { metadata: { labels: { 'kustomize.toolkit.fluxcd.io/name': 'other' } } },
        'other',
      );
      const revision = await stage.publish('app', {});
      await stage.untilReady('app', { ready: 'True', revision });
      await stage.show('the other stays');
    },
  },
  {
    name: 'suspend',
    run: async (stage) => {
      await applyTwo(stage);
      await stage.patch(KUSTOMIZATIONS, 'app', { spec: { suspend: true } });
      // Flux hears of the two kinds by two watches.
      await stage.request(KUSTOMIZATIONS, 'app');
      const revision = await stage.publish('app', { 'z.yaml': configMap('z') });
      await stage.request(KUSTOMIZATIONS, 'app');
      await stage.show('suspended');
      await stage.patch(KUSTOMIZATIONS, 'app', { spec: { suspend: false } });
      await stage.untilReady('app', { ready: 'True', revision });
      await stage.show('resumed');
    },
  },
  {
    name: 'requested',
    run: async (stage) => {
      await applyTwo(stage);
      await stage.remove(CONFIGMAPS, 'x');
      await stage.request(KUSTOMIZATIONS, 'app');
      await stage.untilReady('app', { ready: 'True' });
      await stage.show('made again');
    },
  },
  {
    name: 'depends-on',
    run: async (stage) => {
      await stage.publish('app', { 'x.yaml': configMap('x') });
      await stage.kustomize('app', { dependsOn: [{ name: 'base' }] });
      await stage.untilReady('app', { ready: 'False', reason: 'DependencyNotReady' });
      await stage.show('the other is missing');
      await stage.kustomize('base', { suspend: true });
      await stage.until(KUSTOMIZATIONS, 'base', ({ metadata }) => metadata.finalizers !== undefined);
      await stage.request(KUSTOMIZATIONS, 'app');
      await stage.untilReady('app', { ready: 'False', reason: 'DependencyNotReady' });
      await stage.show('the other is not ready');
      await stage.publish('base', { 'y.yaml': configMap('y') });
      await stage.patch(KUSTOMIZATIONS, 'base', { spec: { suspend: false } });
      await stage.untilReady('base', { ready: 'True' });
      await stage.untilReady('app', { ready: 'True' });
      await stage.show('both');
    },
  },
  {
    name: 'depends-on-same-source',
    run: async (stage) => {
      const source = { sourceRef: { kind: 'ExternalArtifact', name: 'app' } };
      await stage.publish('app', { 'a/x.yaml': configMap('x'), 'b/y.yaml': configMap('y') });
      await stage.kustomize('base', { ...source, path: './a' });
      await stage.untilReady('base', { ready: 'True' });
      await stage.patch(KUSTOMIZATIONS, 'base', { spec: { suspend: true } });
      // Flux hears of the two kinds by two watches.
      await stage.request(KUSTOMIZATIONS, 'base');
      const files = { 'a/x.yaml': configMap('x', { key: 'second' }), 'b/y.yaml': configMap('y') };
      const revision = await stage.publish('app', files);
      await stage.request(KUSTOMIZATIONS, 'base');
      await stage.kustomize('witness', { ...source, path: './b' });
      await stage.untilReady('witness', { ready: 'True', revision });
      await stage.kustomize('app', { ...source, path: './b', dependsOn: [{ name: 'base' }] });
      await stage.untilReady('app', { ready: 'False', reason: 'DependencyNotReady' });
      await stage.show('the other is behind');
    },
  },
  {
    name: 'missing-source',
    run: async (stage) => {
      await stage.kustomize('app');
      await stage.untilReady('app', { ready: 'False', reason: 'ArtifactFailed' });
      await stage.show('missing');
      await stage.publish('app', { 'x.yaml': configMap('x') });
      await stage.untilReady('app', { ready: 'True' });
      await stage.show('there');
    },
  },
  {
    name: 'source-without-artifact',
    run: async (stage) => {
      await stage.create(EXTERNALARTIFACTS, 'app', {});
      await stage.kustomize('app');
      const says = 'Source artifact not found, retrying in';
      await stage.requestUntil<Kustomization>(
        KUSTOMIZATIONS,
        'app',
        ({ status }) => findMark(status?.conditions, 'Ready')?.message.startsWith(says) === true,
      );
      await stage.untilReady('app', { ready: 'False', reason: 'ArtifactFailed', says });
      await stage.show('waiting');
    },
  },
  {
    name: 'wrong-digest',
    run: async (stage) => {
      await applyTwo(stage);
      const digest = `sha256:${'0'.repeat(64)}`;
      await stage.publish('app', { 'x.yaml': configMap('x', { key: 'second' }) }, { digest });
      await stage.untilReady('app', { ready: 'False', reason: 'ArtifactFailed' });
      await stage.show('failed');
    },
  },
  {
    name: 'archive-gone',
    run: async (stage) => {
      await stage.publish('app', { 'x.yaml': configMap('x') }, { gone: true });
      await stage.kustomize('app');
      await stage.untilReady('app', { ready: 'False', reason: 'ArtifactFailed', says: 'Source is not ready' });
      await stage.show('failed');
    },
  },
  {
    name: 'other-namespace',
    run: async (stage) => {
      const sourceRef = { kind: 'ExternalArtifact', name: 'app', namespace: 'default' };
      await stage.kustomize('app', { sourceRef });
      await stage.untilReady('app', { ready: 'False', reason: 'AccessDenied' });
      await stage.show('refused');
    },
  },
  {
    name: 'namespace-missing',
    run: (stage) =>
      withAllRights(stage, async () => {
        await stage.publish('app', { 'x.yaml': configMap('x') });
        await stage.kustomize('app', { targetNamespace: 'flux-nowhere' });
        await stage.untilReady('app', { ready: 'False', reason: 'ReconciliationFailed' });
        await stage.show('failed');
      }),
  },
  {
    name: 'forbidden',
    refusal:
      /ConfigMap\/flux-forbidden\/x dry-run failed \(Forbidden\): configmaps \\"x\\" is forbidden: User \\"system:serviceaccount:flux-forbidden:weak\\" cannot patch/,
    run: async (stage) => {
      await stage.create(SERVICEACCOUNTS, 'weak', {});
      await stage.publish('app', { 'x.yaml': configMap('x') });
      await stage.kustomize('app', { serviceAccountName: 'weak' });
      await stage.untilReady('app', { ready: 'False', reason: 'ReconciliationFailed' });
      await stage.show('failed');
    },
  },
];
