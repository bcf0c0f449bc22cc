import { CONFIGMAPS, ROLEBINDINGS, SECRETS, SERVICEACCOUNTS } from '../../../kube/builtin.ts';
import type { Client } from '../../../kube/client.ts';
import { isNotFound } from '../../../kube/errors.ts';
import type { KubeObject, Resource } from '../../../kube/object.ts';
import { EXTERNALARTIFACTS, GITREPOSITORIES, KUSTOMIZATIONS } from '../../../model/flux.ts';
import { GIZMOS } from './gizmo.ts';

/** What a namespace looks like, without what differs from cluster to cluster or from moment to moment. */
export type Observation = { readonly label: string; readonly objects: Readonly<Record<string, unknown>> };

export async function observeNamespace(client: Client, namespace: string, label: string): Promise<Observation> {
  const lists = await Promise.all(
    [
      GITREPOSITORIES,
      KUSTOMIZATIONS,
      EXTERNALARTIFACTS,
      CONFIGMAPS,
      SECRETS,
      SERVICEACCOUNTS,
      ROLEBINDINGS,
      GIZMOS,
    ].map(async (resource) => (await listAll(client, resource, namespace)).map((object) => observe(resource, object))),
  );
  const entries = lists.flat().filter(([name]) => !MADE_BY_OTHERS.has(name));
  return { label, objects: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

const MADE_BY_OTHERS: ReadonlySet<string> = new Set([
  'ConfigMap/kube-root-ca.crt',
  'ServiceAccount/default',
  'RoleBinding/default-may',
]);

async function listAll(client: Client, resource: Resource, namespace: string): Promise<readonly KubeObject[]> {
  try {
    return (await client.list<KubeObject>(resource, { namespace })).items;
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

function observe(resource: Resource, object: KubeObject): [string, unknown] {
  const name = `${resource.kind}/${object.metadata.name}`;
  if (resource === EXTERNALARTIFACTS) return [name, 'there'];
  const isFlux = resource === GITREPOSITORIES || resource === KUSTOMIZATIONS;
  return [name, normalise(isFlux ? observeFlux(object) : observeApplied(object))];
}

/** Flux's own objects: everything in their status but the history, and their finalizers. */
function observeFlux({ metadata, ...rest }: KubeObject): unknown {
  const { status = {} } = rest as { readonly status?: Readonly<Record<string, unknown>> };
  const { history: _history, ...kept } = status;
  return { finalizers: metadata.finalizers, generation: metadata.generation, status: kept };
}

/** What was applied: content, labels, annotations, and who owns which field. */
function observeApplied({ metadata, ...rest }: KubeObject): unknown {
  const { labels, annotations, managedFields = [] } = metadata;
  const managers = managedFields.map(({ manager, operation, subresource, fieldsV1 }) => {
    return { manager, operation, subresource, fieldsV1 };
  });
  const sorted = managers.sort((a, b) => (`${a.manager} ${a.operation}` < `${b.manager} ${b.operation}` ? -1 : 1));
  return { ...rest, labels, annotations, managers: sorted };
}

function normalise(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => normalise(item, key));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, member]) => [name, normalise(member, name)]),
    );
  }
  if (key === 'lastTransitionTime' || key === 'lastUpdateTime') return '<time>';
  // How often it was asked depends on when Flux hears of things.
  if (key === 'lastHandledReconcileAt') return '<request>';
  // Two compressors make different bytes of the same files.
  if (key === 'digest' || key === 'size' || key === 'ca.crt') return `<${key}>`;
  return typeof value === 'string' ? normaliseText(value) : value;
}

/** Addresses, temporary folders, and words that come from a parser or a library and not from Flux. */
function normaliseText(text: string): string {
  return text
    .replace(/(https?):\/\/127\.0\.0\.1:\d+\/(real|embedded)-/g, '$1://host/')
    .replace(/(https?):\/\/127\.0\.0\.1:\d+/g, '$1://host')
    .replace(/(\/[\w.-]+)*\/kustomization-\d+\//g, '/')
    .replace(/(failed to decode Kubernetes YAML from )\/?([^:]*): .*$/s, '$1$2: <words of the parser>')
    .replace(/(kustomize build failed: ).*$/s, '$1<words of kustomize>')
    .replace(/(unable to clone '[^']*': )(?!couldn't find remote ref).*$/s, '$1<words of git>');
}
