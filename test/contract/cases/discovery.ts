import { get } from '../case.ts';
import { at, isArray, isObject, type Json, type JsonObject, parseJson } from '../json.ts';
import type { Subject } from '../suite.ts';

const AGGREGATED =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';
const OURS = ['sublet.dev', 'contract.sublet.dev'];
/** What the product uses of the built-in groups; an embedded server need not have the others. */
const USED: Readonly<Record<string, readonly string[]>> = {
  v1: [
    'configmaps',
    'events',
    'namespaces',
    'namespaces/finalize',
    'namespaces/status',
    'persistentvolumeclaims',
    'persistentvolumeclaims/status',
    'resourcequotas',
    'resourcequotas/status',
    'secrets',
    'serviceaccounts',
    'serviceaccounts/token',
    'services',
    'services/status',
  ],
  'apps/v1': [],
  'coordination.k8s.io/v1': ['leases'],
  'networking.k8s.io/v1': ['networkpolicies'],
  'rbac.authorization.k8s.io/v1': ['clusterrolebindings', 'clusterroles', 'rolebindings', 'roles'],
  'events.k8s.io/v1': ['events'],
  'apiextensions.k8s.io/v1': ['customresourcedefinitions', 'customresourcedefinitions/status'],
};
const accept = (value: string) => ({ headers: { accept: value } });

export const discovery: Subject = {
  subject: 'discovery',
  cases: [
    {
      name: 'the core versions',
      steps: [get('/api', { pick: withoutAddress }), get('/api/', { pick: withoutAddress })],
    },
    { name: 'the groups', steps: [get('/apis', { pick: ourGroups }), get('/apis/', { pick: ourGroups })] },
    { name: 'our groups', steps: OURS.map((group) => get(`/apis/${group}`)) },
    {
      name: 'our kinds',
      steps: ['/apis/sublet.dev/v1alpha1', '/apis/contract.sublet.dev/v1'].map((path) =>
        get(path, { pick: sortedKinds }),
      ),
    },
    {
      name: 'the built-in kinds that are used',
      steps: Object.keys(USED)
        .filter((version) => version !== 'apps/v1')
        .map((version) => get(version === 'v1' ? '/api/v1' : `/apis/${version}`, { pick: usedKinds })),
    },
    {
      name: 'the built-in groups that are used',
      steps: Object.keys(USED)
        .filter((version) => version.includes('/') && version !== 'apps/v1')
        .map((version) => get(`/apis/${version.split('/')[0]}`)),
    },
    {
      name: 'what is not there',
      steps: [
        get('/apis/none.example'),
        get('/apis/none.example/v1'),
        get('/apis/sublet.dev/v9'),
        get('/api/v9'),
        get('/apis/sublet.dev/v1alpha1/nothings'),
        get('/apis/sublet.dev/v1alpha1/namespaces/{ns}/nothings'),
      ],
    },
    {
      name: 'aggregated',
      steps: [
        get('/apis', { ...accept(AGGREGATED), pick: ourAggregated }),
        get('/api', { ...accept(AGGREGATED), pick: usedAggregated }),
        get('/apis', {
          ...accept('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'),
          pick: ourAggregated,
        }),
        get('/apis', {
          ...accept('application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList'),
          pick: ourGroups,
        }),
        get('/apis/sublet.dev', accept(AGGREGATED)),
      ],
    },
    {
      name: 'in other forms',
      steps: [
        get('/apis/sublet.dev', accept('application/yaml')),
        get('/apis/sublet.dev', accept('text/html')),
        get('/apis/sublet.dev', accept('*/*')),
        get('/apis/sublet.dev', accept('application/*')),
      ],
    },
    {
      name: 'version',
      steps: [get('/version', { pick: versionKeys }), get('/version/', { pick: versionKeys })],
    },
    {
      name: 'health',
      steps: [
        get('/healthz'),
        get('/livez'),
        get('/readyz'),
        get('/healthz/ping'),
        get('/readyz/ping'),
        get('/livez/ping'),
        get('/healthz/nothing'),
        get('/readyz?verbose', { pick: lastLine }),
      ],
    },
    {
      name: 'OpenAPI v3: the index',
      steps: [get('/openapi/v3', { pick: openApiPaths }), get('/openapi/v3/apis/none.example/v1')],
    },
    {
      name: 'OpenAPI v3 of our kinds',
      steps: [
        get('/openapi/v3/apis/contract.sublet.dev/v1', { pick: schemasOf('Widget') }),
        get('/openapi/v3/apis/sublet.dev/v1alpha1', { pick: schemasOf('Tenant') }),
        get('/openapi/v3/apis/sublet.dev/v1alpha1', { pick: schemasOf('RDPInstance') }),
      ],
    },
    {
      name: 'OpenAPI v3 of our kinds: what kubectl reads of a patch',
      steps: [get('/openapi/v3/apis/sublet.dev/v1alpha1', { pick: patchOperation })],
    },
    {
      name: 'the root',
      steps: [get('/', { pick: rootPaths }), get('/nothing'), get('/apis/sublet.dev/v1alpha1/', { pick: sortedKinds })],
    },
  ],
};

function withoutAddress(body: Json): Json {
  return isObject(body) ? { ...body, serverAddressByClientCIDRs: null } : body;
}

function ourGroups(body: Json): Json {
  const groups = at(body, 'groups');
  if (!isArray(groups)) return body;
  const wanted = [...OURS, ...Object.keys(USED).map((version) => version.split('/')[0] ?? '')];
  const kept = groups.filter((group) => wanted.includes(String(at(group, 'name'))) && at(group, 'name') !== 'apps');
  return { ...(body as JsonObject), groups: [...kept].sort(byName) };
}

function byName(a: Json, b: Json): number {
  return String(at(a, 'name') ?? at(a, 'metadata.name')) < String(at(b, 'name') ?? at(b, 'metadata.name')) ? -1 : 1;
}

function usedKinds(body: Json): Json {
  const resources = at(body, 'resources');
  if (!isArray(resources)) return body;
  const used = USED[String(at(body, 'groupVersion'))] ?? [];
  return { ...(body as JsonObject), resources: resources.filter((one) => used.includes(String(at(one, 'name')))) };
}

/** Our groups as they are; the order of groups is by priority, which differs when others are missing. */
function ourAggregated(body: Json): Json {
  const items = at(body, 'items');
  if (!isArray(items)) return body;
  const kept = items.filter((item) => OURS.includes(String(at(item, 'metadata.name'))));
  const sorted = [...kept].sort(byName).map((item) => {
    const versions = at(item, 'versions');
    return { ...(item as JsonObject), versions: isArray(versions) ? versions.map(sortedKinds) : null };
  });
  return { ...(body as JsonObject), items: sorted };
}

function usedAggregated(body: Json): Json {
  const items = at(body, 'items');
  if (!isArray(items)) return body;
  const resources = at(items[0], 'versions.0.resources');
  const used = isArray(resources) ? resources.filter((one) => USED.v1?.includes(String(at(one, 'resource')))) : [];
  const withUsedParts = used.map((one) => {
    const parts = at(one, 'subresources');
    const isUsed = (part: Json) => USED.v1?.includes(`${at(one, 'resource')}/${at(part, 'subresource')}`) === true;
    return isArray(parts) ? { ...(one as JsonObject), subresources: parts.filter(isUsed) } : one;
  });
  return { apiVersion: at(body, 'apiVersion') ?? null, kind: at(body, 'kind') ?? null, used: withUsedParts };
}

/** The real server lists the kinds of a group in an order of chance. */
function sortedKinds(body: Json): Json {
  const resources = at(body, 'resources');
  if (!isArray(resources)) return body;
  const key = (one: Json) => String(at(one, 'name') ?? at(one, 'resource'));
  return { ...(body as JsonObject), resources: [...resources].sort((a, b) => (key(a) < key(b) ? -1 : 1)) };
}

function versionKeys(body: Json): Json {
  return isObject(body)
    ? Object.keys(body)
        .sort()
        .filter((key) => !key.startsWith('git') && !key.includes('Major') && !key.includes('Minor'))
    : body;
}

function lastLine(body: Json): Json {
  return String(body).trimEnd().split('\n').at(-1) ?? '';
}

function openApiPaths(body: Json): Json {
  // The real server calls it plain text.
  const paths = at(typeof body === 'string' ? parseJson(body) : body, 'paths');
  if (!isObject(paths)) return body;
  return OURS.map((group) => {
    const found = Object.keys(paths).filter((path) => path.startsWith(`apis/${group}/`));
    return found.map((path) => [path, String(at(paths[path], 'serverRelativeURL')).replace(/hash=.*/, 'hash=')]);
  });
}

/** The schemas of a kind and its list; what upstream's own members are described as is upstream's text. */
function schemasOf(kind: string): (body: Json) => Json {
  return (body) => {
    const schemas = at(body, 'components.schemas');
    if (!isObject(schemas)) return body;
    const found = Object.entries(schemas).filter(
      ([name]) => name.endsWith(`.${kind}`) || name.endsWith(`.${kind}List`),
    );
    return Object.fromEntries(found.map(([name, schema]) => [name, withoutCommonTexts(schema, name.endsWith('List'))]));
  };
}

function withoutCommonTexts(schema: Json, all: boolean): Json {
  if (isArray(schema)) return schema.map((one) => withoutCommonTexts(one, all));
  if (!isObject(schema)) return schema;
  const entries = Object.entries(schema).filter(([name]) => !all || name !== 'description');
  return Object.fromEntries(
    entries.map(([name, one]) => [
      name,
      withoutCommonTexts(one, all || ['apiVersion', 'kind', 'metadata'].includes(name)),
    ]),
  );
}

function patchOperation(body: Json): Json {
  const paths = at(body, 'paths');
  const item = isObject(paths) ? paths['/apis/sublet.dev/v1alpha1/namespaces/{namespace}/tenants/{name}'] : undefined;
  const patch = at(item, 'patch');
  if (!isObject(patch)) return null;
  const parameters = at(patch, 'parameters');
  return {
    kind: patch['x-kubernetes-group-version-kind'] ?? null,
    parameters: isArray(parameters) ? parameters.map((one) => at(one, 'name') ?? null) : null,
    content: Object.keys((at(patch, 'requestBody.content') ?? {}) as JsonObject),
  };
}

/** Which of the paths that we use are listed. */
function rootPaths(body: Json): Json {
  const paths = at(body, 'paths');
  if (!isArray(paths)) return body;
  return paths.filter((path) =>
    /^\/(apis?|version|readyz|livez|healthz|openapi\/v3|apis\/(contract\.)?sublet\.dev.*)$/.test(String(path)),
  );
}
