import { del, get, merge, post, put } from '../case.ts';
import { CONFIGMAPS, configMap, GADGETS, gadget, LEASES, lease, WIDGETS, widget } from '../resources.ts';
import type { Subject } from '../suite.ts';

const version = { resourceVersion: '<<made:metadata.resourceVersion>>' };

export const update: Subject = {
  subject: 'update',
  cases: [
    {
      name: 'with the right version',
      steps: [
        post(CONFIGMAPS, configMap('a'), { name: 'made' }),
        put(`${CONFIGMAPS}/a`, configMap('a', { b: '2' }, version)),
        post(WIDGETS, widget('a', { size: 2 }), { name: 'made' }),
        put(`${WIDGETS}/a`, widget('a', { size: 3, title: 'new' }, version)),
        get(`${WIDGETS}/a`),
      ],
    },
    {
      name: 'with an old version',
      steps: [
        post(CONFIGMAPS, configMap('a'), { name: 'made' }),
        put(`${CONFIGMAPS}/a`, configMap('a', { b: '2' }, version)),
        put(`${CONFIGMAPS}/a`, configMap('a', { b: '3' }, version)),
        post(WIDGETS, widget('a', { size: 2 }), { name: 'made' }),
        put(`${WIDGETS}/a`, widget('a', { size: 3 }, version)),
        put(`${WIDGETS}/a`, widget('a', { size: 4 }, version)),
        put(`${WIDGETS}/a`, widget('a', { size: 4 }, { resourceVersion: 'abc' })),
        put(`${WIDGETS}/a`, widget('a', { size: 4 }, { resourceVersion: '0' })),
      ],
    },
    {
      name: 'without a version',
      steps: [
        post(CONFIGMAPS, configMap('a')),
        put(`${CONFIGMAPS}/a`, configMap('a', { b: '2' })),
        post(WIDGETS, widget('a', { size: 2 })),
        put(`${WIDGETS}/a`, widget('a', { size: 3 })),
        post(LEASES, lease('a')),
        put(`${LEASES}/a`, lease('a', { holderIdentity: 'x' })),
      ],
    },
    {
      name: 'what is not there',
      steps: [
        put(`${CONFIGMAPS}/none`, configMap('none')),
        put(`${WIDGETS}/none`, widget('none')),
        put(`${WIDGETS}/none`, widget('none', {}, { resourceVersion: '1' })),
        put(`${LEASES}/none`, lease('none')),
        put(`${GADGETS}/none-{id}`, gadget('none-{id}')),
      ],
    },
    {
      name: 'with another uid, name or namespace',
      steps: [
        post(CONFIGMAPS, configMap('a')),
        post(WIDGETS, widget('a')),
        put(`${CONFIGMAPS}/a`, configMap('a', {}, { uid: '00000000-0000-4000-8000-000000000001' })),
        put(`${WIDGETS}/a`, widget('a', {}, { uid: '00000000-0000-4000-8000-000000000001' })),
        put(`${CONFIGMAPS}/a`, configMap('b')),
        put(`${WIDGETS}/a`, widget('b')),
        put(`${WIDGETS}/a`, widget('a', {}, { namespace: '{ns2}' })),
        put(`${WIDGETS}/a`, { apiVersion: 'contract.sublet.dev/v1', kind: 'Widget', spec: {} }),
        put(`${CONFIGMAPS}/a`, { apiVersion: 'v1', kind: 'ConfigMap' }),
        put(`${WIDGETS}/a`, { ...widget('a'), kind: 'Gadget' }),
      ],
    },
    {
      name: 'metadata that the server owns stays',
      steps: [
        post(WIDGETS, widget('a')),
        put(
          `${WIDGETS}/a`,
          widget(
            'a',
            { size: 9 },
            {
              generation: 99,
              creationTimestamp: '2020-01-01T00:00:00Z',
              deletionTimestamp: '2020-01-01T00:00:00Z',
              generateName: 'other-',
              selfLink: '/y',
            },
          ),
        ),
        post(CONFIGMAPS, configMap('a')),
        put(`${CONFIGMAPS}/a`, configMap('a', {}, { creationTimestamp: '2020-01-01T00:00:00Z', generation: 3 })),
      ],
    },
    {
      name: 'counts generations of the spec only',
      steps: [
        post(WIDGETS, widget('a')),
        put(`${WIDGETS}/a`, widget('a', { size: 4 })),
        put(`${WIDGETS}/a`, widget('a', { size: 4 })),
        put(`${WIDGETS}/a`, widget('a', { size: 4 }, { labels: { a: 'b' } })),
        put(`${WIDGETS}/a/status`, { ...widget('a'), status: { phase: 'Ready' } }),
        put(`${WIDGETS}/a`, widget('a', { size: 5 }, { labels: { a: 'b' } })),
        post(GADGETS, gadget('g-{id}', { x: 1 })),
        put(`${GADGETS}/g-{id}`, gadget('g-{id}', { x: 2, status: { any: 'thing' } })),
        put(`${GADGETS}/g-{id}`, gadget('g-{id}', { x: 2 }, { labels: { a: 'b' } })),
      ],
    },
    {
      name: 'that changes nothing keeps the version',
      steps: [
        post(CONFIGMAPS, configMap('a'), { name: 'made' }),
        put(`${CONFIGMAPS}/a`, '<<made:>>'),
        put(`${CONFIGMAPS}/a`, configMap('a')),
        put(`${CONFIGMAPS}/a?fieldManager=other`, configMap('a')),
      ],
    },
    {
      name: 'of an immutable ConfigMap',
      steps: [
        post(CONFIGMAPS, { ...configMap('a'), immutable: true }),
        put(`${CONFIGMAPS}/a`, { ...configMap('a', { a: '2' }), immutable: true }),
        put(`${CONFIGMAPS}/a`, configMap('a')),
        put(`${CONFIGMAPS}/a`, { ...configMap('a', { a: '1' }, { labels: { l: '1' } }), immutable: true }),
      ],
    },
    {
      name: 'ConfigMap data that is refused',
      steps: [
        post(CONFIGMAPS, configMap('a', { 'bad key': '1' })),
        post(CONFIGMAPS, configMap('a', { '..': '1' })),
        post(CONFIGMAPS, configMap('a', { '': '1' })),
        post(CONFIGMAPS, configMap('a', { n: 1 })),
        post(CONFIGMAPS, { ...configMap('a', { x: '1' }), binaryData: { x: 'AA==' } }),
        post(CONFIGMAPS, { ...configMap('b', {}), binaryData: { x: 'not base64!' } }),
        post(CONFIGMAPS, { ...configMap('c', {}), binaryData: { x: 'AAECAw==' } }),
        post(CONFIGMAPS, configMap('d', { big: 'x'.repeat(1_048_577) }), { pick: () => null }),
      ],
    },
    {
      name: 'of finalizers while the object is being deleted',
      steps: [
        post(WIDGETS, widget('a', {}, { finalizers: ['example.com/one'] })),
        del(`${WIDGETS}/a`, undefined, { name: 'made' }),
        merge(`${WIDGETS}/a`, { metadata: { finalizers: ['example.com/one', 'example.com/two'] } }),
        merge(`${WIDGETS}/a`, { metadata: { labels: { still: 'writable' } }, spec: { size: 8 } }),
        merge(`${WIDGETS}/a`, { metadata: { deletionTimestamp: null } }),
        merge(`${WIDGETS}/a`, { metadata: { finalizers: [] } }),
        get(`${WIDGETS}/a`),
      ],
    },
    {
      name: 'to a collection, and create by it',
      steps: [put(WIDGETS, widget('a')), put(CONFIGMAPS, configMap('a')), post(`${WIDGETS}/a`, widget('a'))],
    },
  ],
};
