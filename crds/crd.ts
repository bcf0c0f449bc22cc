import type { z } from 'zod';
import { GROUP, VERSION } from '../model/group.ts';
import { convertStructural, type Structural } from './structural.ts';
import type { KINDS } from './v1alpha1/resources.ts';
import { listValidations } from './v1alpha1/schema.ts';

export type KindDefinition = (typeof KINDS)[number];

/** A member of every status says that nobody looked at the resource yet: kstatus. */
const UNOBSERVED = { observedGeneration: -1 };

/** The CustomResourceDefinition of a kind, complete. Throws when the schema holds what a CRD cannot. */
export function buildCrd(definition: KindDefinition) {
  const { resource, shortName } = definition;
  const { plural, kind } = resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${GROUP}`,
      labels: { 'app.kubernetes.io/name': 'sublet' },
      /** Removing a definition would delete every resource of the kind. */
      annotations: { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' },
    },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        plural,
        singular: kind.toLowerCase(),
        kind,
        listKind: `${kind}List`,
        shortNames: [shortName],
        categories: ['sublet'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: buildColumns(definition),
          schema: { openAPIV3Schema: buildKindSchema(definition) },
        },
      ],
    },
  };
}

/** The schema of a whole resource. The API server judges `metadata` itself, and rules at the root may read the name. */
export function buildKindSchema({ schema, resource: { kind } }: KindDefinition): Structural {
  const { spec, status } = schema.shape;
  const convertMember = (member: z.ZodType, name: string) => convertStructural(member, `${kind}.${name}`);
  const root: Structural = {
    type: 'object',
    description: schema.description ?? kind,
    required: ['metadata', 'spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', properties: { name: { type: 'string' } } },
      spec: convertMember(spec, 'spec'),
      status: { ...convertMember(status, 'status'), default: UNOBSERVED },
    },
  };
  const rules = listValidations(schema);
  return rules.length === 0 ? root : { ...root, 'x-kubernetes-validations': rules };
}

const READY = '.status.conditions[?(@.type=="Ready")]';

/** In the order in which they are shown; which apply is the kind's to say. */
const COLUMNS = [
  { name: 'Plan', type: 'string', jsonPath: '.spec.plan' },
  { name: 'Image', type: 'string', jsonPath: '.spec.image' },
  { name: 'Power', type: 'string', jsonPath: '.status.power' },
  { name: 'Address', type: 'string', jsonPath: '.status.address' },
  { name: 'Ready', type: 'string', jsonPath: `${READY}.status` },
  { name: 'Reason', type: 'string', jsonPath: `${READY}.reason` },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
] as const;

function buildColumns({ schema }: KindDefinition) {
  const { spec, status } = schema.shape;
  const members: Readonly<Record<string, object>> = { spec: spec.shape, status: status.unwrap().shape };
  return COLUMNS.filter(({ jsonPath }) => {
    const [, part = '', member = ''] = /^\.(\w+)\.(\w+)/.exec(jsonPath) ?? [];
    const shape = members[part];
    return shape === undefined || member in shape;
  });
}
