import { createApplier } from '../../kube/apply.ts';
import { CUSTOMRESOURCEDEFINITIONS } from '../../kube/builtin.ts';
import type { Client } from '../../kube/client.ts';
import { type Clock, sleep } from '../../kube/clock.ts';
import { isNotFound } from '../../kube/errors.ts';
import { type KubeObject, qualifiedName, type Resource } from '../../kube/object.ts';
import { EXTERNALARTIFACTS, GITREPOSITORIES, KUSTOMIZATIONS } from '../../model/flux.ts';
import { GROUP } from '../../model/group.ts';

export type CustomResourceDefinition = KubeObject & {
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
};

/**
 * CustomResourceDefinitions with Flux's names, status subresources, columns and defaults. Of a spec they know the fields that the
 * simulator plays; all others are kept, so that the controllers can refuse them by name.
 */
export function fluxCrds(): readonly CustomResourceDefinition[] {
  return [
    buildCrd(GITREPOSITORIES, {
      shortNames: ['gitrepo'],
      category: 'fluxcd-sources',
      spec: GITREPOSITORY_SPEC,
      status: GITREPOSITORY_STATUS,
      columns: [column('URL', '.spec.url'), AGE, READY, STATUS],
    }),
    buildCrd(EXTERNALARTIFACTS, {
      shortNames: ['ea'],
      category: 'fluxcd-sources',
      spec: OPEN_OBJECT,
      status: { ...OBJECT, properties: { artifact: ARTIFACT, conditions: CONDITIONS } },
      columns: [AGE, READY, STATUS, column('Source', '.spec.sourceRef.name')],
    }),
    buildCrd(KUSTOMIZATIONS, {
      shortNames: ['ks'],
      category: 'fluxcd-appliers',
      spec: KUSTOMIZATION_SPEC,
      status: KUSTOMIZATION_STATUS,
      columns: [AGE, READY, STATUS],
    }),
  ];
}

/**
 * Applies the definitions where they differ and waits until all are served. Rejects, having changed nothing, where one exists that is not
 * the simulator's (a real Flux's), and after `timeoutMs`.
 */
export async function installCrds(
  deps: { readonly client: Client; readonly clock: Clock },
  options: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
): Promise<void> {
  const { client, clock } = deps;
  const { signal } = options;
  const deadline = clock.now() + (options.timeoutMs ?? 30_000);
  const crds = fluxCrds();
  const present = await Promise.all(crds.map(({ metadata }) => findCrd(client, metadata.name, signal)));
  const foreign = present.find((crd) => crd !== undefined && crd.metadata.labels?.[LABEL_MANAGED_BY] !== MANAGER);
  if (foreign !== undefined) {
    throw new Error(
      `${foreign.metadata.name} exists and is not the simulator's: is Flux installed here? Use another cluster.`,
    );
  }
  const applier = createApplier({ client }, { fieldManager: MANAGER, hashAnnotation: ANNOTATION_HASH });
  for (const [index, crd] of crds.entries()) {
    await applier.apply(CUSTOMRESOURCEDEFINITIONS, crd, present[index], { signal });
  }
  for (const { metadata } of crds) {
    while (!isEstablished(await findCrd(client, metadata.name, signal))) {
      if (clock.now() > deadline) throw new Error(`${metadata.name}: not established in time`);
      await sleep(clock, 50, signal);
    }
  }
}

export function isEstablished(crd: CustomResourceDefinition | undefined): boolean {
  return crd?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
}

const MANAGER = 'flux-simulator';
const LABEL_MANAGED_BY = 'app.kubernetes.io/managed-by';
const ANNOTATION_HASH = `simulator.${GROUP}/applied-hash`;

async function findCrd(client: Client, name: string, signal: AbortSignal | undefined) {
  try {
    return await client.get<CustomResourceDefinition>(CUSTOMRESOURCEDEFINITIONS, { name }, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

type Schema = Readonly<Record<string, unknown>>;

const OBJECT = { type: 'object' } as const;
const OPEN_OBJECT = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } as const;
const STRING = { type: 'string' } as const;
const BOOLEAN = { type: 'boolean' } as const;
const INTEGER = { type: 'integer', format: 'int64' } as const;
const DURATION = { type: 'string', pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$' } as const;
const NAMESPACE = { type: 'string', minLength: 1, maxLength: 63 } as const;
const TIME = { type: 'string', format: 'date-time' } as const;

const GITREPOSITORY_SPEC: Schema = {
  ...OPEN_OBJECT,
  required: ['interval', 'url'],
  properties: {
    url: { type: 'string', pattern: '^(http|https|ssh|file)://.*$' },
    interval: DURATION,
    timeout: { type: 'string', pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m))+$', default: '60s' },
    ignore: STRING,
    suspend: BOOLEAN,
    secretRef: { ...OPEN_OBJECT, required: ['name'], properties: { name: STRING } },
    ref: { ...OPEN_OBJECT, properties: { branch: STRING, tag: STRING, name: STRING, commit: STRING } },
  },
};

const KUSTOMIZATION_SPEC: Schema = {
  ...OPEN_OBJECT,
  required: ['interval', 'prune', 'sourceRef'],
  properties: {
    interval: DURATION,
    retryInterval: DURATION,
    timeout: DURATION,
    path: STRING,
    prune: BOOLEAN,
    deletionPolicy: { type: 'string', enum: ['MirrorPrune', 'Delete', 'WaitForTermination', 'Orphan'] },
    targetNamespace: NAMESPACE,
    serviceAccountName: STRING,
    suspend: BOOLEAN,
    force: { type: 'boolean', default: false },
    wait: BOOLEAN,
    dependsOn: {
      type: 'array',
      items: { ...OPEN_OBJECT, required: ['name'], properties: { name: STRING, namespace: STRING } },
    },
    sourceRef: {
      ...OBJECT,
      required: ['kind', 'name'],
      properties: {
        apiVersion: STRING,
        kind: { type: 'string', enum: ['OCIRepository', 'GitRepository', 'Bucket', 'ExternalArtifact'] },
        name: STRING,
        namespace: STRING,
      },
    },
  },
};

const ARTIFACT: Schema = {
  ...OBJECT,
  required: ['digest', 'lastUpdateTime', 'path', 'revision', 'url'],
  properties: {
    digest: { type: 'string', pattern: '^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$' },
    lastUpdateTime: TIME,
    metadata: { ...OBJECT, additionalProperties: STRING },
    path: STRING,
    revision: STRING,
    size: INTEGER,
    url: STRING,
  },
};

const CONDITIONS: Schema = {
  type: 'array',
  items: {
    ...OBJECT,
    required: ['lastTransitionTime', 'message', 'reason', 'status', 'type'],
    properties: {
      lastTransitionTime: TIME,
      message: { type: 'string', maxLength: 32_768 },
      observedGeneration: { ...INTEGER, minimum: 0 },
      reason: { type: 'string', minLength: 1, maxLength: 1_024, pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$' },
      status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
      type: { type: 'string', maxLength: 316 },
    },
  },
};

const HANDLED = { lastHandledReconcileAt: STRING, observedGeneration: INTEGER, conditions: CONDITIONS };

const GITREPOSITORY_STATUS: Schema = {
  ...OBJECT,
  default: { observedGeneration: -1 },
  properties: { ...HANDLED, artifact: ARTIFACT, observedIgnore: STRING },
};

const KUSTOMIZATION_STATUS: Schema = {
  ...OBJECT,
  default: { observedGeneration: -1 },
  properties: {
    ...HANDLED,
    lastAppliedRevision: STRING,
    lastAppliedOriginRevision: STRING,
    lastAttemptedRevision: STRING,
    inventory: {
      ...OBJECT,
      required: ['entries'],
      properties: {
        entries: {
          type: 'array',
          items: { ...OBJECT, required: ['id', 'v'], properties: { id: STRING, v: STRING } },
        },
      },
    },
  },
};

type Column = { readonly name: string; readonly type: string; readonly jsonPath: string };

const AGE: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
const READY = column('Ready', '.status.conditions[?(@.type=="Ready")].status');
const STATUS = column('Status', '.status.conditions[?(@.type=="Ready")].message');

function column(name: string, jsonPath: string): Column {
  return { name, type: 'string', jsonPath };
}

function buildCrd(
  resource: Resource,
  parts: {
    readonly shortNames: readonly string[];
    readonly category: string;
    readonly spec: Schema;
    readonly status: Schema;
    readonly columns: readonly Column[];
  },
): CustomResourceDefinition {
  const { group, version, plural, kind } = resource;
  const { shortNames, category, spec, status } = parts;
  const properties = { apiVersion: STRING, kind: STRING, metadata: OBJECT, spec, status };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: qualifiedName(resource), labels: { [LABEL_MANAGED_BY]: MANAGER } },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        plural,
        singular: kind.toLowerCase(),
        kind,
        listKind: `${kind}List`,
        shortNames,
        categories: ['all', 'fluxcd', category],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties } },
          subresources: { status: {} },
          additionalPrinterColumns: parts.columns,
        },
      ],
    },
  };
}
