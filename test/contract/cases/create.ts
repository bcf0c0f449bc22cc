import { get, post } from '../case.ts';
import { type Json, mapJson } from '../json.ts';
import { CONFIGMAPS, configMap, GADGETS, gadget, LEASES, lease, WIDGETS, widget } from '../resources.ts';
import type { Subject } from '../suite.ts';

export const create: Subject = {
  subject: 'create',
  cases: [
    { name: 'a ConfigMap, and read it', steps: [post(CONFIGMAPS, configMap('a')), get(`${CONFIGMAPS}/a`)] },
    { name: 'a custom resource, and read it', steps: [post(WIDGETS, widget('a', { size: 5 })), get(`${WIDGETS}/a`)] },
    {
      name: 'a cluster-wide custom resource',
      steps: [post(GADGETS, gadget('g-{id}', { anything: { goes: [1, 'two', null] } })), get(`${GADGETS}/g-{id}`)],
    },
    { name: 'a Lease', steps: [post(LEASES, lease('a', { holderIdentity: 'me', leaseDurationSeconds: 15 }))] },
    {
      name: 'twice under one name',
      steps: [
        post(CONFIGMAPS, configMap('a')),
        post(CONFIGMAPS, configMap('a')),
        post(WIDGETS, widget('a')),
        post(WIDGETS, widget('a')),
      ],
    },
    {
      name: 'with a field manager',
      steps: [
        post(`${CONFIGMAPS}?fieldManager=someone`, configMap('a', { x: 'y' }, { labels: { l: 'v' } })),
        post(`${WIDGETS}?fieldManager=someone`, widget('a', { tags: ['x'], ports: [{ port: 1 }] })),
      ],
    },
    {
      name: 'with a bad field manager',
      steps: [
        post(`${CONFIGMAPS}?fieldManager=${'x'.repeat(129)}`, configMap('a')),
        post(`${WIDGETS}?fieldManager=${'x'.repeat(129)}`, widget('a')),
        post(`${WIDGETS}?fieldManager=a%0Ab`, widget('a')),
      ],
    },
    {
      name: 'without a name',
      steps: [
        post(CONFIGMAPS, { apiVersion: 'v1', kind: 'ConfigMap', data: {} }),
        post(WIDGETS, { apiVersion: 'contract.sublet.dev/v1', kind: 'Widget', spec: {} }),
        post(WIDGETS, { apiVersion: 'contract.sublet.dev/v1', kind: 'Widget', metadata: {}, spec: {} }),
      ],
    },
    {
      name: 'with a bad name',
      steps: [
        post(CONFIGMAPS, configMap('Not_Good')),
        post(WIDGETS, widget('Not_Good')),
        post(WIDGETS, widget('-a')),
        post(WIDGETS, widget('x'.repeat(254))),
        post(WIDGETS, widget('x'.repeat(253))),
        post(CONFIGMAPS, configMap('')),
        post(WIDGETS, widget('a/b')),
        post(CONFIGMAPS, configMap('..')),
      ],
    },
    {
      name: 'under a generated name',
      steps: [
        post(CONFIGMAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'gen-' } }),
        post(CONFIGMAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'gen-' } }),
        post(WIDGETS, { ...widget(''), metadata: { generateName: 'gen-' } }),
        post(WIDGETS, { ...widget(''), metadata: { generateName: 'gen-', name: 'named' } }),
        post(WIDGETS, { ...widget(''), metadata: { generateName: 'Bad_' } }, { pick: hideSuffix }),
        get(`${WIDGETS}`),
      ],
    },
    {
      name: 'under a generated name that is cut to fit',
      steps: [
        post(WIDGETS, { ...widget(''), metadata: { generateName: 'e'.repeat(62) } }, { pick: hideSuffix }),
        post(CONFIGMAPS, { ...configMap(''), metadata: { generateName: 'e'.repeat(300) } }, { pick: hideSuffix }),
      ],
    },
    {
      name: 'into a namespace that is not there',
      steps: [
        post('/api/v1/namespaces/{id}-none/configmaps', configMap('a')),
        post('/apis/contract.sublet.dev/v1/namespaces/{id}-none/widgets', widget('a')),
      ],
    },
    {
      name: 'with another namespace in the body',
      steps: [
        post(CONFIGMAPS, configMap('a', {}, { namespace: '{ns2}' })),
        post(CONFIGMAPS, configMap('a', {}, { namespace: '{ns}' })),
        post(WIDGETS, widget('a', {}, { namespace: '{ns2}' })),
      ],
    },
    {
      name: 'with another kind or version in the body',
      steps: [
        post(CONFIGMAPS, { ...configMap('a'), kind: 'Secret' }),
        post(CONFIGMAPS, { ...configMap('a'), apiVersion: 'v2' }),
        post(WIDGETS, { ...widget('a'), kind: 'Gadget' }),
        post(WIDGETS, { ...widget('a'), apiVersion: 'contract.sublet.dev/v2' }),
        post(WIDGETS, { ...widget('a'), apiVersion: 'other.example/v1' }),
      ],
    },
    {
      name: 'without kind or apiVersion',
      steps: [
        post(CONFIGMAPS, { metadata: { name: 'a' } }),
        post(CONFIGMAPS, { kind: 'ConfigMap', metadata: { name: 'b' } }),
        post(CONFIGMAPS, { apiVersion: 'v1', metadata: { name: 'c' } }),
        post(WIDGETS, { metadata: { name: 'a' }, spec: {} }),
        post(WIDGETS, { kind: 'Widget', metadata: { name: 'b' }, spec: {} }),
        post(WIDGETS, { apiVersion: 'contract.sublet.dev/v1', metadata: { name: 'c' }, spec: {} }),
      ],
    },
    {
      name: 'with metadata that the server owns',
      steps: [
        post(
          CONFIGMAPS,
          configMap(
            'a',
            {},
            {
              uid: '00000000-0000-4000-8000-000000000001',
              generation: 7,
              creationTimestamp: '2020-01-01T00:00:00Z',
              deletionTimestamp: '2020-01-01T00:00:00Z',
              deletionGracePeriodSeconds: 5,
              selfLink: '/x',
            },
          ),
        ),
        post(
          WIDGETS,
          widget(
            'a',
            {},
            {
              uid: '00000000-0000-4000-8000-000000000001',
              generation: 7,
              creationTimestamp: '2020-01-01T00:00:00Z',
              deletionTimestamp: '2020-01-01T00:00:00Z',
              deletionGracePeriodSeconds: 5,
              selfLink: '/x',
            },
          ),
        ),
      ],
    },
    {
      name: 'with a resourceVersion',
      steps: [
        post(CONFIGMAPS, configMap('a', {}, { resourceVersion: '1' })),
        post(WIDGETS, widget('a', {}, { resourceVersion: '1' })),
      ],
    },
    {
      name: 'with a status, which is dropped',
      steps: [post(WIDGETS, { ...widget('a'), status: { phase: 'Ready' } }), get(`${WIDGETS}/a/status`)],
    },
    {
      name: 'with labels and annotations, good and bad',
      steps: [
        post(WIDGETS, widget('a', {}, { labels: { 'a/b': 'c', plain: '' }, annotations: { 'x.y/z': 'any Text ✓' } })),
        post(WIDGETS, widget('b', {}, { labels: { 'bad key': 'v' } })),
        post(WIDGETS, widget('c', {}, { labels: { key: 'bad value!' } })),
        post(WIDGETS, widget('d', {}, { labels: { key: 'x'.repeat(64) } })),
        post(WIDGETS, widget('e', {}, { annotations: { 'a/b/c': 'v' } })),
        post(CONFIGMAPS, configMap('f', {}, { labels: { 'bad key': 'v' }, annotations: { 'a/b/c': 'v' } })),
        post(CONFIGMAPS, configMap('g', {}, { annotations: { big: 'x'.repeat(262_200) } })),
      ],
    },
    {
      name: 'with labels of the wrong type',
      steps: [
        post(CONFIGMAPS, configMap('a', {}, { labels: { n: 1 } })),
        post(CONFIGMAPS, configMap('a', {}, { labels: ['x'] })),
        post(WIDGETS, widget('a', {}, { labels: { n: 1 } })),
        post(WIDGETS, widget('b', {}, { labels: 'x' })),
        post(WIDGETS, { ...widget('a'), metadata: 'x' }),
        post(WIDGETS, { ...widget('a'), metadata: null }),
        post(WIDGETS, widget('c', {}, { annotations: { n: true } })),
        post(WIDGETS, widget('d', {}, { labels: null, annotations: null, finalizers: null, ownerReferences: null })),
      ],
    },
    {
      name: 'with finalizers, good and bad',
      steps: [
        post(WIDGETS, widget('a', {}, { finalizers: ['example.com/one', 'example.com/two'] })),
        post(WIDGETS, widget('b', {}, { finalizers: ['unqualified'] })),
        post(WIDGETS, widget('c', {}, { finalizers: ['Bad Name/x'] })),
        post(CONFIGMAPS, configMap('d', {}, { finalizers: ['unqualified'] })),
        post(WIDGETS, widget('e', {}, { finalizers: ['foregroundDeletion', 'orphan'] })),
        post(WIDGETS, widget('f', {}, { finalizers: ['example.com/one', 'example.com/one'] })),
      ],
    },
    {
      name: 'with owner references, good and bad',
      steps: [
        post(CONFIGMAPS, configMap('owner'), { name: 'owner' }),
        post(WIDGETS, widget('a', {}, { ownerReferences: [reference('<<owner:metadata.uid>>')] })),
        post(WIDGETS, widget('b', {}, { ownerReferences: [{ ...reference('u'), name: '' }] })),
        post(WIDGETS, widget('c', {}, { ownerReferences: [{ ...reference('u'), apiVersion: '' }] })),
        post(WIDGETS, widget('d', {}, { ownerReferences: [{ ...reference(''), kind: '' }] })),
        post(
          CONFIGMAPS,
          configMap(
            'e',
            {},
            {
              ownerReferences: [
                { ...reference('u1'), controller: true },
                { ...reference('u2'), controller: true, name: 'other' },
              ],
            },
          ),
        ),
        post(WIDGETS, widget('f', {}, { ownerReferences: [{ ...reference('u'), kind: 'Event' }] })),
      ],
    },
  ],
};

function reference(uid: string) {
  return { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid };
}

/** Names of which nothing says that they were generated. */
function hideSuffix(body: Json): Json {
  return mapJson(body, (text) => text.replaceAll(/(Bad_|e{58})[b-df-z0-9]{5}/g, '$1<generated>'));
}
