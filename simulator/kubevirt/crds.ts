import { createApplier } from '../../kube/apply.ts';
import { CUSTOMRESOURCEDEFINITIONS } from '../../kube/builtin.ts';
import type { Client } from '../../kube/client.ts';
import { type Clock, sleep } from '../../kube/clock.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';
import { DATASOURCES, DATAVOLUMES, VIRTUALMACHINEINSTANCES, VIRTUALMACHINES } from '../../kubevirt/index.ts';
import { GROUP } from '../../model/group.ts';
import { findObject } from './status.ts';

/**
 * Small CustomResourceDefinitions with KubeVirt's and CDI's names, status subresources and columns. They keep every field and check
 * only what decides behaviour here: use the upstream description to check whole objects.
 */
export function kubevirtCrds(): readonly CustomResourceDefinition[] {
  return [
    buildCrd(VIRTUALMACHINES, {
      shortNames: ['vm', 'vms'],
      categories: ['all'],
      spec: VIRTUALMACHINE_SPEC,
      columns: [
        AGE,
        column('Status', 'string', '.status.printableStatus'),
        column('Ready', 'string', ".status.conditions[?(@.type=='Ready')].status"),
      ],
    }),
    buildCrd(VIRTUALMACHINEINSTANCES, {
      shortNames: ['vmi', 'vmis'],
      categories: ['all'],
      spec: OPEN_OBJECT,
      columns: [
        AGE,
        column('Phase', 'string', '.status.phase'),
        column('IP', 'string', '.status.interfaces[0].ipAddress'),
        column('NodeName', 'string', '.status.nodeName'),
        column('Ready', 'string', ".status.conditions[?(@.type=='Ready')].status"),
      ],
    }),
    buildCrd(DATAVOLUMES, {
      shortNames: ['dv', 'dvs'],
      categories: ['all'],
      spec: DATAVOLUME_SPEC,
      columns: [
        column('Phase', 'string', '.status.phase'),
        column('Progress', 'string', '.status.progress'),
        column('Restarts', 'integer', '.status.restartCount'),
        AGE,
      ],
    }),
    buildCrd(DATASOURCES, { shortNames: ['das'], categories: ['all'], spec: OPEN_OBJECT, columns: [AGE] }),
  ];
}

export type CustomResourceDefinition = KubeObject & {
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
};

/**
 * Applies the definitions where they differ and waits until all are served. Rejects, having changed nothing, where one exists that is not
 * the simulator's (a real KubeVirt's), and after `timeoutMs`.
 */
export async function installCrds(
  deps: { readonly client: Client; readonly clock: Clock },
  options: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
): Promise<void> {
  const { client, clock } = deps;
  const { signal } = options;
  const deadline = clock.now() + (options.timeoutMs ?? 120_000);
  const find = (name: string) => findObject<CustomResourceDefinition>(client, CUSTOMRESOURCEDEFINITIONS, name, signal);
  const crds = kubevirtCrds();
  const present = await Promise.all(crds.map(({ metadata }) => find(metadata.name)));
  const foreign = present.find((crd) => crd !== undefined && crd.metadata.labels?.[LABEL_MANAGED_BY] !== MANAGER);
  if (foreign !== undefined) {
    throw new Error(
      `${foreign.metadata.name} exists and is not the simulator's: is KubeVirt installed here? Use another cluster.`,
    );
  }
  const applier = createApplier({ client }, { fieldManager: MANAGER, hashAnnotation: ANNOTATION_HASH });
  for (const [index, crd] of crds.entries()) {
    await applier.apply(CUSTOMRESOURCEDEFINITIONS, crd, present[index], { signal });
  }
  for (const { metadata } of crds) {
    while (!isEstablished(await find(metadata.name))) {
      if (clock.now() > deadline) throw new Error(`${metadata.name}: not established in time`);
      await sleep(clock, 50, signal);
    }
  }
}

const MANAGER = 'kubevirt-simulator';
const LABEL_MANAGED_BY = 'app.kubernetes.io/managed-by';
const ANNOTATION_HASH = `simulator.${GROUP}/applied-hash`;

type Schema = Readonly<Record<string, unknown>>;

const OPEN_OBJECT: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const VIRTUALMACHINE_SPEC: Schema = {
  ...OPEN_OBJECT,
  required: ['template'],
  properties: {
    running: { type: 'boolean' },
    runStrategy: {
      type: 'string',
      enum: ['Always', 'Halted', 'Manual', 'Once', 'RerunOnFailure', 'WaitAsReceiver'],
    },
    template: OPEN_OBJECT,
  },
  'x-kubernetes-validations': [
    {
      rule: 'has(self.running) != has(self.runStrategy)',
      message: 'exactly one of running and runStrategy must be set',
    },
  ],
};

const DATAVOLUME_SPEC: Schema = {
  ...OPEN_OBJECT,
  properties: { source: OPEN_OBJECT, sourceRef: OPEN_OBJECT },
  'x-kubernetes-validations': [
    { rule: 'has(self.source) != has(self.sourceRef)', message: 'exactly one of source and sourceRef must be set' },
    { rule: 'self == oldSelf', message: 'the spec of a DataVolume cannot be changed' },
  ],
};

type Column = { readonly name: string; readonly type: string; readonly jsonPath: string };

const AGE = column('Age', 'date', '.metadata.creationTimestamp');

function column(name: string, type: string, jsonPath: string): Column {
  return { name, type, jsonPath };
}

function buildCrd(
  resource: Resource,
  parts: {
    readonly shortNames: readonly string[];
    readonly categories: readonly string[];
    readonly spec: Schema;
    readonly columns: readonly Column[];
  },
): CustomResourceDefinition {
  const { group, version, plural, kind } = resource;
  const singular = kind.toLowerCase();
  const properties = {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    spec: parts.spec,
    status: OPEN_OBJECT,
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels: { [LABEL_MANAGED_BY]: MANAGER } },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        plural,
        singular,
        kind,
        listKind: `${kind}List`,
        shortNames: parts.shortNames,
        categories: parts.categories,
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', required: ['spec'], properties } },
          subresources: { status: {} },
          additionalPrinterColumns: parts.columns,
        },
      ],
    },
  };
}

function isEstablished(crd: CustomResourceDefinition | undefined): boolean {
  return crd?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
}
