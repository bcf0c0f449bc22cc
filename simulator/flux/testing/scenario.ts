import { CLUSTERROLEBINDINGS } from '../../../kube/builtin.ts';
import type { Stage } from './stage.ts';

/** The same steps under real Flux and under the simulated one; what `show` kept has to be the same. */
export type Scenario = {
  /** Lower case and hyphens: part of a namespace's name. */
  readonly name: string;
  readonly run: (stage: Stage) => Promise<void>;
  /** It is about rights, which the embedded server does not know: what is said where they count. */
  readonly refusal?: RegExp;
};

export function configMap(name: string, data: Readonly<Record<string, unknown>> = { key: 'value' }, more = ''): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}data: ${JSON.stringify(data)}\n`;
}

/** Lets the stage's account `default` do everything everywhere meanwhile. */
export async function withAllRights(stage: Stage, run: () => Promise<void>): Promise<void> {
  const { namespace } = stage;
  const name = `all-rights-${namespace}`;
  await stage.create(CLUSTERROLEBINDINGS, name, {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: 'default', namespace }],
  });
  try {
    await stage.untilAllowed('default', 'default');
    await run();
  } finally {
    await stage.remove(CLUSTERROLEBINDINGS, name);
  }
}
