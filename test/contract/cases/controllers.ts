import { del, get, merge, pause, post, put, status, type Until, watch } from '../case.ts';
import { at, isArray, type Json, type JsonObject } from '../json.ts';
import { conditionOf, member, nothing } from '../picks.ts';
import {
  CONFIGMAPS,
  configMap,
  GADGETS,
  gadget,
  NAMESPACES,
  namespace,
  RESOURCEQUOTAS,
  SECRETS,
  SERVICEACCOUNTS,
  secret,
  WIDGETS,
  widget,
} from '../resources.ts';
import type { Subject } from '../suite.ts';

/** More than the real controllers take to hear of a write by their watches. */
const HEARD_MS = 3_000;

import { collectorCases } from './collector.ts';

const OWN = '/api/v1/namespaces/{id}-own';
const gone = status(404);
const reference = (kind: string, name: string, rest: JsonObject = {}): JsonObject => ({
  apiVersion: kind === 'Widget' || kind === 'Gadget' ? 'contract.sublet.dev/v1' : 'v1',
  kind,
  name,
  uid: '<<owner:metadata.uid>>',
  ...rest,
});
const quota = (hard: JsonObject) =>
  post(RESOURCEQUOTAS, { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q' }, spec: { hard } });
const counted =
  (name: string, used: string): Until =>
  ({ body }) =>
    (at(body, 'status.used') as JsonObject | undefined)?.[name] === used;

export const controllers: Subject = {
  subject: 'controllers',
  cases: [
    {
      name: 'what is owned goes after its owner',
      steps: [
        post(WIDGETS, widget('owner'), { name: 'owner' }),
        post(CONFIGMAPS, configMap('child', {}, { ownerReferences: [reference('Widget', 'owner')] })),
        post(WIDGETS, widget('child', {}, { ownerReferences: [reference('Widget', 'owner', { controller: true })] })),
        del(`${WIDGETS}/owner`),
        get(`${CONFIGMAPS}/child`, { until: gone }),
        get(`${WIDGETS}/child`, { until: gone }),
      ],
    },
    {
      name: 'what has two owners goes after the last',
      steps: [
        post(WIDGETS, widget('first'), { name: 'first' }),
        post(WIDGETS, widget('owner'), { name: 'owner' }),
        post(
          CONFIGMAPS,
          configMap(
            'child',
            {},
            {
              ownerReferences: [
                reference('Widget', 'owner'),
                { ...reference('Widget', 'first'), uid: '<<first:metadata.uid>>' },
              ],
            },
          ),
        ),
        del(`${WIDGETS}/first`),
        get(`${CONFIGMAPS}/child`, {
          until: ({ body }) => (at(body, 'metadata.ownerReferences') as readonly Json[])?.length === 1,
        }),
        del(`${WIDGETS}/owner`),
        get(`${CONFIGMAPS}/child`, { until: gone }),
      ],
    },
    {
      name: 'what names an owner that never was goes',
      steps: [
        post(
          CONFIGMAPS,
          configMap(
            'child',
            {},
            {
              ownerReferences: [{ ...reference('Widget', 'none'), uid: '00000000-0000-4000-8000-000000000009' }],
            },
          ),
        ),
        get(`${CONFIGMAPS}/child`, { until: gone }),
      ],
    },
    {
      name: 'an owner of the same name with another uid does not count',
      steps: [
        post(WIDGETS, widget('owner'), { name: 'owner' }),
        post(
          CONFIGMAPS,
          configMap(
            'child',
            {},
            {
              ownerReferences: [{ ...reference('Widget', 'owner'), uid: '00000000-0000-4000-8000-000000000009' }],
            },
          ),
        ),
        get(`${CONFIGMAPS}/child`, { until: gone }),
        get(`${WIDGETS}/owner`),
      ],
    },
    {
      name: 'a cluster-wide owner',
      steps: [
        post(GADGETS, gadget('g-{id}'), { name: 'owner' }),
        post(CONFIGMAPS, configMap('child', {}, { ownerReferences: [reference('Gadget', 'g-{id}')] })),
        del(`${GADGETS}/g-{id}`),
        get(`${CONFIGMAPS}/child`, { until: gone }),
      ],
    },
    {
      name: 'in the foreground, a custom resource with a finalizer below it',
      steps: [
        post(WIDGETS, widget('owner'), { name: 'owner' }),
        post(
          WIDGETS,
          widget(
            'child',
            {},
            {
              finalizers: ['example.com/hold'],
              ownerReferences: [reference('Widget', 'owner', { blockOwnerDeletion: true })],
            },
          ),
        ),
        del(`${WIDGETS}/owner?propagationPolicy=Foreground`),
        get(`${WIDGETS}/child`, { until: ({ body }) => at(body, 'metadata.deletionTimestamp') !== undefined }),
        get(`${WIDGETS}/owner`),
        merge(`${WIDGETS}/child`, { metadata: { finalizers: null } }),
        get(`${WIDGETS}/owner`, { until: gone }),
      ],
    },
    {
      name: 'a chain of owners',
      steps: [
        post(CONFIGMAPS, configMap('one'), { name: 'owner' }),
        post(CONFIGMAPS, configMap('two', {}, { ownerReferences: [reference('ConfigMap', 'one')] }), { name: 'owner' }),
        post(CONFIGMAPS, configMap('three', {}, { ownerReferences: [reference('ConfigMap', 'two')] })),
        del(`${CONFIGMAPS}/one`),
        get(`${CONFIGMAPS}/three`, { until: gone }),
        get(`${CONFIGMAPS}/two`, { until: gone }),
      ],
    },
    {
      name: 'a new namespace',
      steps: [
        post(NAMESPACES, namespace('{id}-own', { labels: { a: 'b' } })),
        get(OWN),
        get(`${OWN}/serviceaccounts/default`, { until: status(200) }),
        del(OWN, undefined, { pick: nothing }),
      ],
    },
    {
      name: 'namespaces with bad names',
      steps: [
        post(NAMESPACES, namespace('With.Dots')),
        post(NAMESPACES, namespace('a.b')),
        post(NAMESPACES, namespace('x'.repeat(64))),
        post(NAMESPACES, namespace('-x')),
        post(NAMESPACES, namespace('default')),
        post(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { generateName: '{id}-g-' } }),
      ],
    },
    {
      name: 'a namespace is emptied and goes',
      steps: [
        post(NAMESPACES, namespace('{id}-own')),
        post(`${OWN}/configmaps`, configMap('a')),
        post('/apis/contract.sublet.dev/v1/namespaces/{id}-own/widgets', widget('a')),
        del(OWN, undefined, { pick: withoutConditions }),
        get(OWN, { until: gone }),
        get(`${OWN}/configmaps/a`),
        get('/apis/contract.sublet.dev/v1/namespaces/{id}-own/widgets'),
        post(`${OWN}/configmaps`, configMap('a')),
      ],
    },
    {
      name: 'a namespace waits for a finalizer inside it, and takes nothing new',
      steps: [
        post(NAMESPACES, namespace('{id}-own')),
        post(
          '/apis/contract.sublet.dev/v1/namespaces/{id}-own/widgets',
          widget('a', {}, { finalizers: ['example.com/hold'] }),
        ),
        del(OWN, undefined, { pick: nothing }),
        get(OWN, { until: ({ body }) => conditionOf(body, 'NamespaceFinalizersRemaining') === 'True' }),
        post(`${OWN}/configmaps`, configMap('b')),
        post('/apis/contract.sublet.dev/v1/namespaces/{id}-own/widgets', widget('b')),
        merge(OWN, { metadata: { labels: { late: 'x' } } }, { pick: member('metadata.labels') }),
        del(OWN, undefined, { pick: withoutConditions }),
        merge(
          '/apis/contract.sublet.dev/v1/namespaces/{id}-own/widgets/a',
          { metadata: { finalizers: null } },
          { pick: nothing },
        ),
        get(OWN, { until: gone }),
      ],
    },
    {
      name: 'a namespace with a finalizer of its own',
      steps: [
        post(NAMESPACES, namespace('{id}-own', { finalizers: ['example.com/hold'] })),
        del(OWN, undefined, { pick: withoutConditions }),
        get(OWN, { until: ({ body }) => !isArray(at(body, 'spec.finalizers')), pick: withoutConditions }),
        merge(OWN, { metadata: { finalizers: [] } }, { pick: nothing }),
        get(OWN, { until: gone }),
      ],
    },
    {
      name: "a namespace's finalizers in its spec",
      steps: [
        post(NAMESPACES, namespace('{id}-own'), { name: 'made' }),
        merge(OWN, { spec: { finalizers: null } }),
        put(`${OWN}/finalize`, { ...namespace('{id}-own'), spec: { finalizers: ['kubernetes', 'example.com/x'] } }),
        put(`${OWN}/finalize`, { ...namespace('{id}-own'), spec: { finalizers: ['kubernetes'] } }),
        del(`${OWN}?dryRun=All`, undefined, { pick: withoutConditions }),
        get(OWN),
        del(OWN, { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'other' } }),
        del(OWN, undefined, { pick: nothing }),
      ],
    },
    {
      name: 'a namespace seen by a watch',
      steps: [
        get(`${NAMESPACES}?limit=1`, { name: 'before', pick: nothing }),
        watch(
          `${NAMESPACES}?watch=true&fieldSelector=metadata.name%3D{id}-own&resourceVersion=<<before:metadata.resourceVersion>>`,
          { during: [post(NAMESPACES, namespace('{id}-own'))], lines: 1 },
        ),
        del(OWN, undefined, { pick: nothing }),
      ],
    },
    {
      name: 'a quota of objects is counted and holds',
      steps: [
        quota({ 'count/secrets': '2', 'count/widgets.contract.sublet.dev': '1' }),
        get(`${RESOURCEQUOTAS}/q`, { until: counted('count/secrets', '0') }),
        post(SECRETS, secret('a')),
        post(SECRETS, secret('b')),
        post(SECRETS, secret('c')),
        post(WIDGETS, widget('a')),
        post(WIDGETS, widget('b')),
        get(`${RESOURCEQUOTAS}/q`, { until: counted('count/widgets.contract.sublet.dev', '1') }),
        del(`${SECRETS}/a`),
        // A changed limit is counted anew at once, of what the real controller has heard of by then; after a mere deletion it may take minutes.
        pause(HEARD_MS),
        merge(`${RESOURCEQUOTAS}/q`, { spec: { hard: { 'count/configmaps': '9' } } }, { pick: nothing }),
        get(`${RESOURCEQUOTAS}/q`, { until: counted('count/secrets', '1'), pick: member('status.used.count/secrets') }),
        post(SECRETS, secret('c')),
      ],
    },
    {
      name: 'a quota by the old names of kinds',
      steps: [
        quota({ configmaps: '3', services: '1', persistentvolumeclaims: '0' }),
        get(`${RESOURCEQUOTAS}/q`, { until: counted('services', '0'), pick: withoutConfigMaps }),
        post('/api/v1/namespaces/{ns}/services', service('a')),
        post('/api/v1/namespaces/{ns}/services', service('b')),
        post('/api/v1/namespaces/{ns}/persistentvolumeclaims', {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'a' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        }),
      ],
    },
    {
      name: 'a quota and a dry run, an update, a raised limit',
      steps: [
        quota({ 'count/secrets': '1' }),
        get(`${RESOURCEQUOTAS}/q`, { until: counted('count/secrets', '0') }),
        post(`${SECRETS}?dryRun=All`, secret('a')),
        post(SECRETS, secret('a')),
        post(`${SECRETS}?dryRun=All`, secret('b')),
        put(`${SECRETS}/a`, secret('a', { stringData: { x: 'y' } })),
        pause(HEARD_MS),
        merge(`${RESOURCEQUOTAS}/q`, { spec: { hard: { 'count/secrets': '5' } } }),
        get(`${RESOURCEQUOTAS}/q`, {
          until: ({ body }) => (at(body, 'status.hard') as JsonObject)?.['count/secrets'] === '5',
        }),
        post(SECRETS, secret('b')),
      ],
    },
    {
      name: 'two quotas, both of which must hold',
      steps: [
        quota({ 'count/secrets': '1' }),
        post(RESOURCEQUOTAS, {
          apiVersion: 'v1',
          kind: 'ResourceQuota',
          metadata: { name: 'r' },
          spec: { hard: { secrets: '5' } },
        }),
        get(`${RESOURCEQUOTAS}/q`, { until: counted('count/secrets', '0'), pick: member('status') }),
        get(`${RESOURCEQUOTAS}/r`, { until: counted('secrets', '0'), pick: member('status') }),
        post(SECRETS, secret('a')),
        post(SECRETS, secret('b')),
        get(`${RESOURCEQUOTAS}/r`, { until: counted('secrets', '1'), pick: member('status') }),
      ],
    },
    {
      name: 'quotas that are refused',
      steps: [
        quota({ 'count/secrets': 'many' }),
        quota({ 'count/secrets': '-1' }),
        quota({ 'count/secrets': '1.5' }),
        quota({ 'bad name': '1' }),
        post(RESOURCEQUOTAS, { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'n' } }),
      ],
    },
    {
      name: 'ServiceAccounts are there in every namespace',
      steps: [get(`${SERVICEACCOUNTS}/default`, { until: status(200) }), get(SERVICEACCOUNTS)],
    },
    ...collectorCases,
  ],
};

/** How far the namespace's controller is when it is answered is by chance. */
function withoutConditions(body: Json): Json {
  const { status: state, metadata, ...rest } = body as JsonObject;
  const { managedFields: _, resourceVersion: __, ...kept } = metadata as JsonObject;
  return { ...rest, metadata: kept, status: at(state, 'phase') ?? state ?? null };
}

/** The real cluster puts its certificate into every namespace. */
function withoutConfigMaps(body: Json): Json {
  return at(body, 'status.used.services') ?? body;
}

function service(name: string): JsonObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 80 }] } };
}
