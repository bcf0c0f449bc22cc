import { CUSTOMRESOURCEDEFINITIONS } from '../../../kube/builtin.ts';
import type { Client } from '../../../kube/client.ts';
import type { KubeObject, Resource } from '../../../kube/object.ts';

/** A kind for the contract's scenarios: has a default, a list that is a map, and a field that cannot change. */
export const GIZMOS: Resource = {
  group: 'flux.example.com',
  version: 'v1',
  plural: 'gizmos',
  kind: 'Gizmo',
  namespaced: true,
};

const NAME = `${GIZMOS.plural}.${GIZMOS.group}`;

export async function installGizmos(client: Client): Promise<void> {
  await client.create<KubeObject>(CUSTOMRESOURCEDEFINITIONS, buildDefinition());
  for (;;) {
    const { status } = await client.get<KubeObject & { readonly status?: Status }>(CUSTOMRESOURCEDEFINITIONS, {
      name: NAME,
    });
    if (status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True')) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function removeGizmos(client: Client): Promise<void> {
  return client.delete(CUSTOMRESOURCEDEFINITIONS, { name: NAME });
}

type Status = { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };

function buildDefinition(): KubeObject {
  const part = {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string' }, count: { type: 'integer' } },
  };
  const spec = {
    type: 'object',
    properties: {
      size: {
        type: 'integer',
        'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'size is immutable' }],
      },
      colour: { type: 'string', default: 'red', enum: ['red', 'green'] },
      parts: { type: 'array', items: part, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
    },
  };
  const { group, plural, kind } = GIZMOS;
  const schema = {
    openAPIV3Schema: {
      type: 'object',
      properties: { spec, status: { type: 'object', properties: { seen: { type: 'boolean' } } } },
    },
  };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: NAME },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: 'gizmo', kind, listKind: 'GizmoList' },
      versions: [{ name: 'v1', served: true, storage: true, schema, subresources: { status: {} } }],
    },
  };
  return definition;
}
