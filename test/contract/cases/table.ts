import { call, del, get, merge, post, put, watch } from '../case.ts';
import { at, isArray, type Json } from '../json.ts';
import {
  CONFIGMAPS,
  CRDS,
  configMap,
  GADGETS,
  gadget,
  LEASES,
  lease,
  NAMESPACES,
  PLANS,
  QUOTAS,
  RDPINSTANCES,
  ROLES,
  SECRETS,
  SERVICEACCOUNTS,
  SERVICES,
  secret,
  sublet,
  TENANTS,
  WIDGETS,
  widget,
} from '../resources.ts';
import type { Subject } from '../suite.ts';

const TABLE =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';
const table = { headers: { accept: TABLE } };
const as = (form: string) => ({ headers: { accept: `application/json;as=${form};v=v1;g=meta.k8s.io` } });
const ready = {
  type: 'Ready',
  status: 'True',
  reason: 'Done',
  message: '',
  lastTransitionTime: '2020-01-01T00:00:00Z',
};
const tenant = { id: 'acme-1', displayName: 'Acme', plan: 'team', type: 'Customer' };

export const tables: Subject = {
  subject: 'other forms of objects',
  cases: [
    {
      name: 'a Table of custom resources',
      steps: [
        post(WIDGETS, widget('a', { title: 'one', ratio: 0.5, enabled: true, since: '2020-01-01T00:00:00Z' })),
        post(WIDGETS, widget('b', { size: 7 })),
        merge(`${WIDGETS}/b/status`, { status: { conditions: [{ type: 'Ready', status: 'True' }] } }),
        get(WIDGETS, table),
        get(`${WIDGETS}/a`, table),
        get(`${WIDGETS}?includeObject=None`, table),
        get(`${WIDGETS}?includeObject=Object`, table),
        get(`${WIDGETS}?includeObject=Metadata`, table),
        get(`${WIDGETS}?includeObject=Everything`, table),
        get(`${WIDGETS}/none`, table),
      ],
    },
    {
      name: 'a Table of cells that do not fit their column',
      steps: [
        post(WIDGETS, widget('a', { since: '1999-12-31T23:59:59Z', ratio: 0.1, precise: 1e21 })),
        post(WIDGETS, widget('b', { size: 3, enabled: false, title: 'with\ttab' })),
        get(WIDGETS, table),
      ],
    },
    { name: 'an empty Table', steps: [get(WIDGETS, table), get(`${GADGETS}?labelSelector=case%3D{id}`, table)] },
    {
      name: 'a Table of a kind without columns',
      steps: [
        post(GADGETS, gadget('g-{id}', {}, { labels: { case: '{id}' } })),
        get(`${GADGETS}?labelSelector=case%3D{id}`, table),
      ],
    },
    {
      name: 'a Table in pages',
      steps: [
        ...['a', 'b', 'c'].map((name) => post(WIDGETS, widget(name))),
        get(`${WIDGETS}?limit=2`, { ...table, name: 'first' }),
        get(`${WIDGETS}?limit=2&continue=<<first:metadata.continue>>`, table),
      ],
    },
    {
      name: 'a watch of Tables',
      steps: [
        post(WIDGETS, widget('a'), { name: 'made' }),
        watch(`${WIDGETS}?watch=true&resourceVersion=<<made:metadata.resourceVersion>>`, {
          ...table,
          during: [post(WIDGETS, widget('b')), merge(`${WIDGETS}/a`, { spec: { size: 9 } }), del(`${WIDGETS}/a`)],
          lines: 3,
        }),
        watch(`${WIDGETS}?watch=true&resourceVersion=1`, table),
      ],
    },
    {
      name: 'a watch of Tables with initial events',
      steps: [
        post(WIDGETS, widget('a')),
        watch(
          `${WIDGETS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
          { ...table, lines: 2 },
        ),
      ],
    },
    {
      name: "the columns of Sublet's kinds",
      steps: [
        post(TENANTS, sublet('Tenant', 'acme', tenant)),
        merge(`${TENANTS}/acme/status`, { status: { conditions: [ready] } }),
        get(TENANTS, table),
        post(PLANS, sublet('Plan', 'p', { title: 'P', offers: 'Tenant', currency: 'USD' })),
        get(PLANS, table),
        post(QUOTAS, sublet('Quota', 'q', { hard: { vcpu: 1 } })),
        get(QUOTAS, table),
        post(RDPINSTANCES, sublet('RDPInstance', 'desk', { plan: 'pro', image: 'ubuntu-24', username: 'anna' })),
        merge(`${RDPINSTANCES}/desk/status`, { status: { address: '192.0.2.1', conditions: [ready] } }),
        get(RDPINSTANCES, table),
      ],
    },
    {
      name: 'Tables of built-in kinds: their names and objects',
      steps: [
        post(CONFIGMAPS, configMap('a', { x: '1', y: '2' }, { labels: { t: '' } })),
        get(`${CONFIGMAPS}?labelSelector=t`, table),
        post(SECRETS, secret('a', { stringData: { x: '1' } })),
        get(SECRETS, table),
        post(LEASES, lease('a', { holderIdentity: 'me' })),
        get(LEASES, table),
        get(`${NAMESPACES}/{ns}`, table),
        post(SERVICES, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { ports: [{ port: 80 }] } }),
        get(SERVICES, { ...table, pick: firstCells }),
        post(SERVICEACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a' } }),
        get(`${SERVICEACCOUNTS}/a`, table),
        post(ROLES, { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'a' } }),
        get(`${ROLES}/a`, table),
        get(`${CRDS}/tenants.sublet.dev`, { ...table, pick: firstCells }),
      ],
    },
    {
      name: 'metadata of one and of many',
      steps: [
        post(WIDGETS, widget('a', { title: 'one' }, { labels: { l: 'm' } })),
        get(`${WIDGETS}/a`, as('PartialObjectMetadata')),
        get(WIDGETS, as('PartialObjectMetadataList')),
        get(WIDGETS, as('PartialObjectMetadata')),
        get(`${WIDGETS}/a`, as('PartialObjectMetadataList')),
        get(`${WIDGETS}/none`, as('PartialObjectMetadata')),
        post(SECRETS, secret('a', { stringData: { x: '1' } })),
        get(`${SECRETS}/a`, as('PartialObjectMetadata')),
        get(`${SECRETS}?limit=1`, as('PartialObjectMetadataList')),
      ],
    },
    {
      name: 'what a write answers in another form',
      steps: [
        post(WIDGETS, widget('a'), as('PartialObjectMetadata')),
        put(`${WIDGETS}/a`, widget('a', { size: 5 }), as('PartialObjectMetadata')),
        merge(`${WIDGETS}/a`, { spec: { size: 6 } }, as('PartialObjectMetadata')),
        merge(`${WIDGETS}/a`, { spec: { size: 7 } }, table),
        del(`${WIDGETS}/a`, undefined, as('PartialObjectMetadata')),
        post(CONFIGMAPS, configMap('a'), table),
        del(`${CONFIGMAPS}/a`, undefined, as('PartialObjectMetadata')),
      ],
    },
    {
      name: 'forms that are not known',
      steps: [
        post(WIDGETS, widget('a')),
        get(`${WIDGETS}/a`, as('Picture')),
        get(`${WIDGETS}/a`, { headers: { accept: 'application/json;as=Table;v=v9;g=meta.k8s.io' } }),
        get(`${WIDGETS}/a`, { headers: { accept: 'application/json;as=Table;v=v1;g=other.example' } }),
        get(`${WIDGETS}/a`, { headers: { accept: 'application/json;as=Table;v=v1beta1;g=meta.k8s.io' } }),
        get(`${WIDGETS}/a`, { headers: { accept: 'text/plain' } }),
        get(`${WIDGETS}/a`, { headers: { accept: 'text/plain, application/json;q=0.1' } }),
        get(`${WIDGETS}/a`, { headers: { accept: '' } }),
        get(`${WIDGETS}/a`, { headers: { accept: '*/*' } }),
        get(`${WIDGETS}/a`, { headers: { accept: 'application/*' } }),
        get(`${WIDGETS}/a`, { headers: { accept: 'application/json; charset=utf-8' } }),
        get(`${WIDGETS}/a`, { headers: { accept: 'not a type' } }),
      ],
    },
    {
      name: 'YAML',
      steps: [
        call(
          'POST',
          WIDGETS,
          'apiVersion: contract.sublet.dev/v1\nkind: Widget\nmetadata:\n  name: a\nspec:\n  size: 5\n',
          'application/yaml',
        ),
        get(`${WIDGETS}/a`, { headers: { accept: 'application/yaml' }, pick: lines }),
        call(
          'POST',
          CONFIGMAPS,
          'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: "1"}\n',
          'application/yaml',
        ),
        call(
          'POST',
          CONFIGMAPS,
          'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: {k: 1}\n',
          'application/yaml',
        ),
        call(
          'PUT',
          `${WIDGETS}/a`,
          'apiVersion: contract.sublet.dev/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: 6}\n',
          'application/yaml',
        ),
        call('POST', WIDGETS, 'a: [', 'application/yaml'),
        call('POST', WIDGETS, '', 'application/yaml'),
      ],
    },
    {
      name: 'pretty',
      steps: [
        post(CONFIGMAPS, configMap('a')),
        get(`${CONFIGMAPS}/a?pretty=true`),
        get(`${CONFIGMAPS}/a`, { headers: { accept: 'application/json;pretty=1' } }),
      ],
    },
  ],
};

/** Cells of the built-in kinds beyond the name need what only real nodes and addresses have. */
function firstCells(body: Json): Json {
  const rows = at(body, 'rows');
  const columns = at(body, 'columnDefinitions');
  if (!isArray(rows) || !isArray(columns)) return body;
  return {
    columns: columns.map((column) => at(column, 'name') ?? null),
    cells: rows.map((row) => at(row, 'cells.0') ?? null),
  };
}

/** The top of a YAML document; times and uids in it are no JSON texts that could be replaced. */
function lines(body: Json): Json {
  return String(body)
    .split('\n')
    .filter((line) => /^\S/.test(line) || line.startsWith('  size'));
}
