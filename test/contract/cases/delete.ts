import { del, get, merge, post, put, status } from '../case.ts';
import type { JsonObject } from '../json.ts';
import {
  CONFIGMAPS,
  configMap,
  GADGETS,
  gadget,
  LEASES,
  lease,
  SECRETS,
  secret,
  WIDGETS,
  widget,
} from '../resources.ts';
import type { Subject } from '../suite.ts';

const options = (rest: JsonObject): JsonObject => ({ apiVersion: 'v1', kind: 'DeleteOptions', ...rest });
const made = { name: 'made' };
const labelled = (name: string) => post(WIDGETS, widget(name, {}, { labels: { app: 'x' } }));
const owned = (name: string, rest: JsonObject = {}) =>
  configMap(
    name,
    {},
    {
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: '<<made:metadata.uid>>', ...rest }],
    },
  );

export const deletion: Subject = {
  subject: 'delete',
  cases: [
    {
      name: 'an object, and again',
      steps: [
        post(CONFIGMAPS, configMap('a')),
        del(`${CONFIGMAPS}/a`),
        del(`${CONFIGMAPS}/a`),
        post(WIDGETS, widget('a')),
        del(`${WIDGETS}/a`),
        del(`${WIDGETS}/a`),
        post(LEASES, lease('a')),
        del(`${LEASES}/a`),
        post(SECRETS, secret('a')),
        del(`${SECRETS}/a`),
        post(GADGETS, gadget('g-{id}')),
        del(`${GADGETS}/g-{id}`),
      ],
    },
    {
      name: 'with preconditions',
      steps: [
        post(WIDGETS, widget('a'), made),
        del(`${WIDGETS}/a`, options({ preconditions: { uid: '00000000-0000-4000-8000-000000000001' } })),
        del(`${WIDGETS}/a`, options({ preconditions: { resourceVersion: '1' } })),
        del(`${WIDGETS}/a`, options({ preconditions: { uid: '<<made:metadata.uid>>', resourceVersion: '1' } })),
        del(
          `${WIDGETS}/a`,
          options({
            preconditions: { uid: '<<made:metadata.uid>>', resourceVersion: '<<made:metadata.resourceVersion>>' },
          }),
        ),
      ],
    },
    {
      name: 'with preconditions, a built-in kind',
      steps: [
        post(CONFIGMAPS, configMap('a'), made),
        del(`${CONFIGMAPS}/a`, options({ preconditions: { uid: '00000000-0000-4000-8000-000000000001' } })),
        del(`${CONFIGMAPS}/a`, options({ preconditions: { resourceVersion: '1' } })),
        del(`${CONFIGMAPS}/a`, options({ preconditions: { uid: '<<made:metadata.uid>>' } })),
        del(`${CONFIGMAPS}/a`, options({ preconditions: { uid: '<<made:metadata.uid>>' } })),
      ],
    },
    {
      name: 'with a finalizer',
      steps: [
        post(WIDGETS, widget('a', {}, { finalizers: ['example.com/hold'] })),
        del(`${WIDGETS}/a`),
        get(`${WIDGETS}/a`),
        del(`${WIDGETS}/a`),
        put(`${WIDGETS}/a`, widget('a')),
        get(`${WIDGETS}/a`),
      ],
    },
    {
      name: 'with a finalizer, a built-in kind',
      steps: [
        post(CONFIGMAPS, configMap('a', {}, { finalizers: ['example.com/hold'] })),
        del(`${CONFIGMAPS}/a`),
        del(`${CONFIGMAPS}/a`),
        merge(`${CONFIGMAPS}/a`, { metadata: { finalizers: null } }),
        get(`${CONFIGMAPS}/a`),
      ],
    },
    {
      name: 'with a grace period',
      steps: [
        post(WIDGETS, widget('a')),
        del(`${WIDGETS}/a?gracePeriodSeconds=30`),
        post(WIDGETS, widget('b', {}, { finalizers: ['example.com/hold'] })),
        del(`${WIDGETS}/b`, options({ gracePeriodSeconds: 30 })),
        post(CONFIGMAPS, configMap('a', {}, { finalizers: ['example.com/hold'] })),
        del(`${CONFIGMAPS}/a`, options({ gracePeriodSeconds: 10 })),
        del(`${CONFIGMAPS}/a`, options({ gracePeriodSeconds: -1 })),
        del(`${WIDGETS}/b?gracePeriodSeconds=x`),
      ],
    },
    {
      name: 'with propagation policies',
      steps: [
        post(CONFIGMAPS, configMap('a', {}, { finalizers: ['example.com/hold'] })),
        post(CONFIGMAPS, configMap('b', {}, { finalizers: ['example.com/hold'] })),
        post(CONFIGMAPS, configMap('c', {}, { finalizers: ['example.com/hold'] })),
        del(`${CONFIGMAPS}/a?propagationPolicy=Background`),
        del(`${CONFIGMAPS}/b?propagationPolicy=Wrong`),
        del(`${CONFIGMAPS}/b`, options({ propagationPolicy: 'Foreground', orphanDependents: true })),
        del(`${CONFIGMAPS}/c`, options({ orphanDependents: false })),
      ],
    },
    {
      name: 'in the foreground: after what it owns',
      steps: [
        post(CONFIGMAPS, configMap('owner'), made),
        post(CONFIGMAPS, owned('child', { blockOwnerDeletion: true })),
        del(`${CONFIGMAPS}/owner`, options({ propagationPolicy: 'Foreground' })),
        get(`${CONFIGMAPS}/owner`, { until: status(404) }),
        get(`${CONFIGMAPS}/child`),
      ],
    },
    {
      name: 'in the background: before what it owns',
      steps: [
        post(CONFIGMAPS, configMap('owner'), made),
        post(CONFIGMAPS, owned('child')),
        del(`${CONFIGMAPS}/owner?propagationPolicy=Background`),
        get(`${CONFIGMAPS}/owner`),
        get(`${CONFIGMAPS}/child`, { until: status(404) }),
      ],
    },
    {
      name: 'leaving orphans',
      steps: [
        post(CONFIGMAPS, configMap('owner'), made),
        post(CONFIGMAPS, owned('child')),
        del(`${CONFIGMAPS}/owner`, options({ propagationPolicy: 'Orphan' })),
        get(`${CONFIGMAPS}/owner`, { until: status(404) }),
        get(`${CONFIGMAPS}/child`),
      ],
    },
    {
      name: 'as a dry run',
      steps: [
        post(WIDGETS, widget('a')),
        del(`${WIDGETS}/a?dryRun=All`),
        get(`${WIDGETS}/a`),
        post(WIDGETS, widget('b', {}, { finalizers: ['example.com/hold'] })),
        del(`${WIDGETS}/b`, options({ dryRun: ['All'] })),
        get(`${WIDGETS}/b`),
        del(`${WIDGETS}/a`, options({ dryRun: ['Some'] })),
        post(CONFIGMAPS, configMap('a')),
        del(`${CONFIGMAPS}/a?dryRun=All`),
        get(`${CONFIGMAPS}/a`),
      ],
    },
    {
      name: 'with options that are malformed',
      steps: [
        post(WIDGETS, widget('a')),
        del(`${WIDGETS}/a`, '{'),
        del(`${WIDGETS}/a`, { kind: 'Other', apiVersion: 'v1' }),
        del(`${WIDGETS}/a`, options({ preconditions: { uid: 5 } })),
        del(`${WIDGETS}/a`, options({ unknown: true, gracePeriodSeconds: 1 })),
        post(WIDGETS, widget('b')),
        del(`${WIDGETS}/b`, 'null'),
        post(WIDGETS, widget('c')),
        del(`${WIDGETS}/c`, {}),
        post(WIDGETS, widget('d')),
        del(`${WIDGETS}/d`, { apiVersion: 'meta.k8s.io/v1', kind: 'DeleteOptions' }),
        del(`${WIDGETS}/d`, []),
      ],
    },
    {
      name: 'a collection',
      steps: [
        post(WIDGETS, widget('a')),
        post(WIDGETS, widget('b', {}, { finalizers: ['example.com/hold'] })),
        del(WIDGETS),
        get(WIDGETS),
        del(WIDGETS),
      ],
    },
    {
      name: 'a collection of a built-in kind',
      steps: [post(LEASES, lease('a')), post(LEASES, lease('b')), del(LEASES), get(LEASES)],
    },
    {
      name: 'a collection by selectors',
      steps: [
        labelled('a'),
        labelled('b'),
        post(WIDGETS, widget('c')),
        del(`${WIDGETS}?labelSelector=app%3Dnone`),
        del(`${WIDGETS}?fieldSelector=metadata.name%3Da`),
        del(`${WIDGETS}?labelSelector=app%3Dx`),
        get(WIDGETS),
        del(`${WIDGETS}?labelSelector=%3D`),
      ],
    },
    {
      name: 'a collection as a dry run, and in pages',
      steps: [
        labelled('a'),
        labelled('b'),
        labelled('c'),
        del(`${WIDGETS}?dryRun=All`),
        get(WIDGETS),
        del(`${WIDGETS}?limit=2`),
        get(WIDGETS),
      ],
    },
    {
      name: 'collections that cannot be deleted',
      steps: [
        del('/api/v1/namespaces'),
        del('/apis/contract.sublet.dev/v1/namespaces/none-{id}/widgets'),
        del('/apis/contract.sublet.dev/v1/widgets?labelSelector=case%3D{id}'),
        del(`${WIDGETS}/a/status`),
        post(WIDGETS, widget('a')),
        del(`${WIDGETS}/a/status`),
        get(`${WIDGETS}/a`),
      ],
    },
  ],
};
