import type { KubeObject } from '../../kube/object.ts';
import type { Expectation } from '../../simulator/scenario/steps.ts';
import type { World } from './contract.ts';

type Condition = { readonly type: string; readonly status: string; readonly reason: string; readonly message: string };
type Conditioned = KubeObject & {
  readonly status?: { readonly conditions?: readonly Condition[]; readonly observedGeneration?: number };
};
type Guest = KubeObject & { readonly status?: { readonly phase?: string } };

/** What is not as people have to find it, in plain words; empty when all is well. */
export function findUnmet(world: World, expectations: readonly Expectation[]): readonly string[] {
  return expectations.flatMap((expectation) => {
    const { kind, namespace, name, expect } = expectation;
    const found = check(world, expectation);
    return found === undefined ? [] : [`${kind} ${namespace}/${name} should be ${expect}: ${found}`];
  });
}

function check(world: World, { kind, namespace, name, expect }: Expectation): string | undefined {
  if (expect === 'Unclear') return undefined;
  const resource = kind === 'Tenant' ? 'tenants.sublet.dev' : 'rdpinstances.sublet.dev';
  const object = world.peek<Conditioned>(resource, `${namespace}/${name}`);
  if (object === undefined) return expect === 'Gone' ? undefined : 'it is not there';
  if (expect === 'Gone') return 'it is still there';
  const conditions = object.status?.conditions ?? [];
  const ready = conditions.find(({ type }) => type === 'Ready');
  const said =
    ready === undefined ? 'it has no condition' : `Ready is ${ready.status}, ${ready.reason}: ${ready.message}`;
  if (object.status?.observedGeneration !== object.metadata.generation) return 'its status is of an older generation';
  if (kind === 'Tenant') {
    const suspended = conditions.some(({ type, status }) => type === 'Suspended' && status === 'True');
    return ready?.status === 'True' && suspended === (expect === 'Suspended') ? undefined : said;
  }
  const runs =
    world.peek<Guest>('virtualmachineinstances.kubevirt.io', `${namespace}/rdp-${name}`)?.status?.phase === 'Running';
  if (expect === 'Ready')
    return ready?.status === 'True' && runs ? undefined : `${said}; its guest ${runs ? 'runs' : 'does not run'}`;
  if (ready?.status === 'True') return said;
  if (runs && expect !== 'Refused') return `${said}; its guest runs`;
  return expect === 'Refused' || ready?.reason === expect ? undefined : said;
}
