import { PLANS, QUOTAS, RDPINSTANCES, TENANTS } from '../../../crds/v1alpha1/resources.ts';
import { CONFIGMAPS, CUSTOMRESOURCEDEFINITIONS, NAMESPACES } from '../../../kube/builtin.ts';
import { type KubeObject, qualifiedName, type Resource } from '../../../kube/object.ts';
import { DATAVOLUMES, VIRTUALMACHINES } from '../../../kubevirt/index.ts';
import { ANNOTATION_REMOVED_AT } from '../../../model/labels.ts';
import type { World } from '../../simulation/contract.ts';
import {
  annotate,
  type Claim,
  desktop,
  edit,
  exists,
  givenReseller,
  guestRuns,
  hasAnnotation,
  hasStrategy,
  isReady,
  order,
  peek,
  type Scenario,
  tenant,
} from '../story.ts';

const OURS: Readonly<Record<string, Resource>> = {
  tenants: TENANTS,
  plans: PLANS,
  quotas: QUOTAS,
  rdpinstances: RDPINSTANCES,
};
const RUNNING = ['t-acme--eve/desk', 't-bob/desk'] as const;
const ASLEEP = 't-idle/sleepy';
const BREAKER = 'sublet-system/sublet-breaker';

/** What `kubectl delete crd` does, by accident, and how it is mended. `plurals`: of our kinds. */
export function loseDefinitions(name: string, plurals: readonly string[]): Scenario {
  const kinds = plurals.flatMap((plural) => OURS[plural] ?? []);
  const definitions: KubeObject[] = [];
  const orders: KubeObject[] = [];
  const removals = plurals.some((plural) => plural === 'tenants' || plural === 'rdpinstances');
  return {
    name,
    title: `the definitions of ${plurals.join(', ')} are deleted and come back`,
    given: givenFleet,
    steps: [
      {
        does: 'they are deleted, and everything of these kinds with them',
        act: async ({ world }) => {
          for (const kind of kinds) {
            orders.push(...world.list<KubeObject>(qualifiedName(kind)).map(asOrdered));
            const found = peek(world, CUSTOMRESOURCEDEFINITIONS, qualifiedName(kind));
            if (found !== undefined) definitions.push(asOrdered(found));
            await world.admin.delete(CUSTOMRESOURCEDEFINITIONS, { name: qualifiedName(kind) });
          }
        },
        thenMs: 600_000,
        claims: (world) => [...isUntouched(world), ...(removals ? [exists(world, CONFIGMAPS, BREAKER)] : [])],
      },
      {
        does: 'they are installed again, and what was ordered is applied again',
        act: async ({ world }) => {
          for (const definition of definitions) await world.admin.create(CUSTOMRESOURCEDEFINITIONS, definition);
          await world.runFor(60_000);
          await order(world, ...orders);
        },
        thenMs: 600_000,
        claims: (world) => [
          ...isUntouched(world),
          ...isBack(world),
          isReady(world, TENANTS, 't-acme/eve'),
          ...RUNNING.map((key) => isReady(world, RDPINSTANCES, key)),
        ],
      },
      {
        does: 'a person confirms what the breaker held, of which nothing is left',
        act: async ({ world }) => {
          const record = peek(world, CONFIGMAPS, BREAKER) as
            | { readonly data?: Readonly<Record<string, string>> }
            | undefined;
          if (record !== undefined)
            await annotate(world, CONFIGMAPS, BREAKER, { 'sublet.dev/confirm': record.data?.id ?? '' });
        },
        thenMs: 600_000,
        claims: (world) => [
          ...isUntouched(world),
          ...isBack(world),
          ...RUNNING.map((key) => isReady(world, RDPINSTANCES, key)),
        ],
      },
    ],
  };
}

/** Beside a reseller's customer and one of the provider's there is one that is suspended: it must not come to life. */
async function givenFleet(world: World): Promise<void> {
  await givenReseller(world);
  await order(world, tenant('sublet-root', 'bob'), tenant('sublet-root', 'idle'));
  await world.runUntilQuiet({ what: 'the tenants are there' });
  await order(world, desktop('t-bob', 'desk'), desktop('t-idle', 'sleepy'));
  await world.runUntilQuiet({ what: 'their desktops are there' });
  await edit(world, TENANTS, 'sublet-root/idle', { suspensions: [{ reason: 'Payment' }] });
}

function isUntouched(world: World): readonly Claim[] {
  return [
    ...RUNNING.flatMap((key) => [
      guestRuns(world, key),
      hasStrategy(world, key, 'RerunOnFailure'),
      exists(world, DATAVOLUMES, key.replace('/', '/rdp-')),
    ]),
    hasStrategy(world, ASLEEP, 'Halted'),
    ...['t-acme', 't-acme--eve', 't-bob', 't-idle'].map((name) => exists(world, NAMESPACES, name)),
  ];
}

function isBack(world: World): readonly Claim[] {
  return [
    ...RUNNING.map((key) =>
      hasAnnotation(world, VIRTUALMACHINES, key.replace('/', '/rdp-'), ANNOTATION_REMOVED_AT, false),
    ),
    hasAnnotation(world, NAMESPACES, 't-bob', ANNOTATION_REMOVED_AT, false),
  ];
}

/** As it stands in a backup or in Git. */
function asOrdered(object: KubeObject & { readonly spec?: unknown }): KubeObject {
  const { apiVersion, kind, spec } = object;
  const { namespace, name } = object.metadata;
  const metadata = namespace === undefined ? { name } : { namespace, name };
  return { apiVersion, kind, metadata, ...(spec === undefined ? {} : { spec }) } satisfies KubeObject & {
    spec?: unknown;
  };
}
