import { CONFIGMAPS, CUSTOMRESOURCEDEFINITIONS } from '../../../kube/builtin.ts';
import { KUSTOMIZATIONS } from '../../../model/flux.ts';
import { GIZMOS } from './gizmo.ts';
import { configMap, type Scenario, withAllRights } from './scenario.ts';
import type { Stage } from './stage.ts';

async function applyOne(stage: Stage, text = configMap('x'), spec = {}): Promise<void> {
  await stage.publish('app', { 'x.yaml': text });
  await stage.kustomize('app', spec);
  await stage.untilReady('app', { ready: 'True' });
}

async function again(stage: Stage): Promise<void> {
  await stage.request(KUSTOMIZATIONS, 'app');
  await stage.untilReady('app', { ready: 'True' });
}

const annotated = (key: string, value: string) => `  annotations: {kustomize.toolkit.fluxcd.io/${key}: ${value}}\n`;

function gizmo(spec: Readonly<Record<string, unknown>>): string {
  return `apiVersion: flux.example.com/v1\nkind: Gizmo\nmetadata: {name: g}\nspec: ${JSON.stringify(spec)}\n`;
}

/** Whose fields are whose. */
export const OWNERSHIP_SCENARIOS: readonly Scenario[] = [
  {
    name: 'edited-by-hand',
    run: async (stage) => {
      await applyOne(stage);
      await stage.patch(CONFIGMAPS, 'x', { data: { key: 'edited', more: 'added' } }, 'kubectl-edit');
      await stage.show('edited');
      await again(stage);
      await stage.show('restored');
    },
  },
  {
    name: 'edited-by-a-program',
    run: async (stage) => {
      await applyOne(stage);
      await stage.patch(CONFIGMAPS, 'x', { data: { key: 'edited', more: 'added' } }, 'some-operator');
      await again(stage);
      await stage.show('its own field stays');
    },
  },
  {
    name: 'applied-by-hand',
    run: async (stage) => {
      await applyOne(stage);
      const { client, namespace } = stage;
      const metadata = { name: 'x', namespace, labels: { hand: 'made' } };
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { key: 'applied' } };
      await client.apply(CONFIGMAPS, object, { fieldManager: 'kubectl', force: true });
      await again(stage);
      await stage.show('restored');
    },
  },
  {
    name: 'made-by-hand-before',
    run: async (stage) => {
      const last = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', other: 'kept' };
      const body = { metadata: { annotations: last }, data: { key: 'old', more: 'old' } };
      await stage.create(CONFIGMAPS, 'x', body, { fieldManager: 'kubectl-client-side-apply' });
      await applyOne(stage);
      await stage.show('taken over');
    },
  },
  {
    name: 'field-taken-away',
    run: async (stage) => {
      await applyOne(stage, configMap('x', { key: 'value', more: 'value' }, '  labels: {a: b}\n'));
      const revision = await stage.publish('app', { 'x.yaml': configMap('x') });
      await stage.untilReady('app', { ready: 'True', revision });
      await stage.show('taken away');
    },
  },
  {
    name: 'custom-resource',
    run: async (stage) => {
      const parts = (...names: readonly string[]) => names.map((name) => ({ name }));
      await applyOne(stage, gizmo({ size: 1, parts: parts('a', 'b') }));
      await stage.show('defaults are nobody’s');
      const body = { spec: { colour: 'green', parts: [{ name: 'a', count: 2 }, { name: 'b' }, { name: 'c' }] } };
      await stage.patch(GIZMOS, 'g', body, 'some-operator');
      const { client, namespace } = stage;
      const key = { namespace, name: 'g' };
      const status = { type: 'merge', body: { status: { seen: true } } } as const;
      await client.patch(GIZMOS, key, status, { subresource: 'status', fieldManager: 'some-operator' });
      await again(stage);
      await stage.show('shared');
      const revision = await stage.publish('app', { 'x.yaml': gizmo({ size: 1, parts: parts('b') }) });
      await stage.untilReady('app', { ready: 'True', revision });
      await stage.show('one part is taken away');
      await stage.publish('app', { 'x.yaml': gizmo({ size: 1, colour: 'blue' }) });
      await stage.untilReady('app', { ready: 'False', reason: 'ReconciliationFailed' });
      await stage.show('refused');
    },
  },
  {
    name: 'unknown-field',
    run: async (stage) => {
      await stage.publish('app', { 'x.yaml': gizmo({ size: 1, wings: 2 }) });
      await stage.kustomize('app');
      await stage.untilReady('app', { ready: 'False', reason: 'ReconciliationFailed' });
      await stage.show('failed');
    },
  },
  {
    name: 'immutable',
    run: async (stage) => {
      await applyOne(stage, gizmo({ size: 1 }));
      await stage.publish('app', { 'x.yaml': gizmo({ size: 2 }) });
      await stage.untilReady('app', { ready: 'False', reason: 'ReconciliationFailed' });
      await stage.show('failed');
    },
  },
  {
    name: 'immutable-forced',
    run: async (stage) => {
      await applyOne(stage, gizmo({ size: 1 }), { force: true });
      const revision = await stage.publish('app', { 'x.yaml': gizmo({ size: 2 }) });
      await stage.untilReady('app', { ready: 'True', revision });
      await stage.show('replaced');
    },
  },
  {
    name: 'reconcile-disabled',
    run: async (stage) => {
      await applyOne(stage, configMap('x', undefined, annotated('reconcile', 'disabled')));
      await stage.show('never made');
    },
  },
  {
    name: 'if-not-present',
    run: async (stage) => {
      const text = (value: string) => configMap('x', { key: value }, annotated('ssa', 'IfNotPresent'));
      await applyOne(stage, text('first'));
      const revision = await stage.publish('app', { 'x.yaml': text('second') });
      await stage.untilReady('app', { ready: 'True', revision });
      await stage.show('stays as first made');
    },
  },
  {
    name: 'merge',
    run: async (stage) => {
      await stage.create(CONFIGMAPS, 'x', { data: { more: 'old' } }, { fieldManager: 'kubectl-create' });
      await applyOne(stage, configMap('x', { key: 'value' }, annotated('ssa', 'Merge')));
      await stage.show('both');
    },
  },
  {
    name: 'definition-first',
    run: async (stage) => {
      const names = '{kind: Gadget, listKind: GadgetList, plural: gadgets, singular: gadget}';
      const schema = '{openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}';
      const definition = `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: gadgets.flux.example.com}\nspec: {group: flux.example.com, scope: Namespaced, names: ${names}, versions: [{name: v1, served: true, storage: true, schema: ${schema}}]}\n`;
      const gadget = 'apiVersion: flux.example.com/v1\nkind: Gadget\nmetadata: {name: g}\nspec: {size: 1}\n';
      await withAllRights(stage, async () => {
        await applyOne(stage, `${gadget}---\n${definition}`);
        await stage.show('applied');
        await stage.remove(KUSTOMIZATIONS, 'app');
        await stage.untilGone(KUSTOMIZATIONS, 'app');
        await stage.untilGone(CUSTOMRESOURCEDEFINITIONS, 'gadgets.flux.example.com');
        await stage.show('gone again');
      });
    },
  },
];
