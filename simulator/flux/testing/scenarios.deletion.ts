import { NAMESPACES, SERVICEACCOUNTS } from '../../../kube/builtin.ts';
import { KUSTOMIZATIONS } from '../../../model/flux.ts';
import type { Scenario } from './scenario.ts';
import { applyTwo } from './scenarios.lifecycle.ts';
import { allow } from './stage.ts';

/** How a Kustomization ends. */
export const DELETION_SCENARIOS: readonly Scenario[] = [
  deletion('deletion-default', {}),
  deletion('deletion-default-without-prune', { prune: false }),
  deletion('deletion-orphan', { deletionPolicy: 'Orphan' }),
  deletion('deletion-delete', { deletionPolicy: 'Delete', prune: false }),
  {
    name: 'deletion-suspended',
    run: async (stage) => {
      await applyTwo(stage);
      await stage.patch(KUSTOMIZATIONS, 'app', { spec: { suspend: true } });
      await stage.remove(KUSTOMIZATIONS, 'app');
      await stage.untilGone(KUSTOMIZATIONS, 'app');
      await stage.show('deleted');
    },
  },
  {
    name: 'deletion-without-account',
    run: async (stage) => {
      await stage.create(SERVICEACCOUNTS, 'temporary', {});
      await allow(stage, 'temporary');
      await applyTwo(stage, { serviceAccountName: 'temporary' });
      await stage.remove(SERVICEACCOUNTS, 'temporary');
      // Real Flux asks its cache, which has to hear of it first.
      await new Promise((resolve) => setTimeout(resolve, 15_000));
      await stage.remove(KUSTOMIZATIONS, 'app');
      await stage.untilGone(KUSTOMIZATIONS, 'app');
      await stage.show('its objects stay');
    },
  },
  {
    name: 'terminating-namespace',
    run: async (stage) => {
      await applyTwo(stage);
      await stage.remove(NAMESPACES, stage.namespace);
      await stage.untilGone(NAMESPACES, stage.namespace);
      await stage.show('gone');
    },
  },
];

function deletion(name: string, spec: Readonly<Record<string, unknown>>): Scenario {
  return {
    name,
    run: async (stage) => {
      await applyTwo(stage, spec);
      await stage.remove(KUSTOMIZATIONS, 'app');
      await stage.untilGone(KUSTOMIZATIONS, 'app');
      await stage.show('deleted');
    },
  };
}
