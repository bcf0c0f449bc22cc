import { del, get, post, put, status, watch } from '../case.ts';
import { kind, names } from '../picks.ts';
import { ALL_WIDGETS, CONFIGMAPS, configMap, GADGETS, WIDGETS, widget } from '../resources.ts';
import type { Subject } from '../suite.ts';

const three = [
  post(WIDGETS, widget('a', { size: 1 }, { labels: { app: 'x', tier: 'front', case: '{id}' } })),
  post(WIDGETS, widget('b', { size: 2 }, { labels: { app: 'y', case: '{id}' } })),
  post(WIDGETS, widget('c', { size: 3 }, { labels: { tier: 'back', case: '{id}' } })),
];
const four = [1, 2, 3, 4].map((i) => post(CONFIGMAPS, configMap(`m${i}`, { i: String(i) }, { labels: { case: 'x' } })));
const listed = `${CONFIGMAPS}?labelSelector=case%3Dx`;

export const read: Subject = {
  subject: 'get and list',
  cases: [
    {
      name: 'what is not there',
      steps: [
        get(`${CONFIGMAPS}/none`),
        get(`${WIDGETS}/none`),
        get(`${WIDGETS}/none/status`),
        get(`${GADGETS}/none`),
        get('/api/v1/namespaces/none-{id}'),
      ],
    },
    {
      name: 'with a resourceVersion',
      steps: [
        post(WIDGETS, widget('a'), { name: 'made' }),
        get(`${WIDGETS}/a?resourceVersion=0`, { until: status(200) }),
        get(`${WIDGETS}/a?resourceVersion=<<made:metadata.resourceVersion>>`),
        get(`${WIDGETS}/a?resourceVersion=abc`),
        get(`${CONFIGMAPS}/a?resourceVersion=abc`),
      ],
    },
    {
      name: 'list an empty collection',
      steps: [
        get(WIDGETS),
        get('/apis/contract.sublet.dev/v1/namespaces/none-{id}/widgets'),
        get(`${CONFIGMAPS}?labelSelector=none%3Dx`),
      ],
    },
    { name: 'list in the order of names', steps: [...[...three].reverse(), get(WIDGETS)] },
    {
      name: 'list over all namespaces',
      steps: [
        ...three,
        post('/apis/contract.sublet.dev/v1/namespaces/{ns2}/widgets', widget('a', {}, { labels: { case: '{id}' } })),
        get(`${ALL_WIDGETS}?labelSelector=case%3D{id}`),
      ],
    },
    {
      name: 'list by labels',
      steps: [
        ...three,
        ...[
          'app=x',
          'app==x',
          'app!=x',
          'app',
          '!app',
          'app in (x,y)',
          'app notin (x)',
          'app=x,tier=front',
          'tier in (back),!app',
          'app=',
          ' app = x ',
          'app in (x, y),tier',
          'missing',
          '',
        ].map((selector) => get(`${WIDGETS}?labelSelector=${encodeURIComponent(selector)}`, { pick: names })),
      ],
    },
    {
      name: 'list by a malformed label selector',
      steps: [
        'a=b=c',
        '=',
        'a in',
        'a in (',
        'a in ()',
        ',',
        'a,,b',
        '!',
        'bad key=x',
        'a=bad value!',
        'a>b',
        'a>1',
        'A/B/C',
        '(x)',
      ].map((selector) => get(`${WIDGETS}?labelSelector=${encodeURIComponent(selector)}`)),
    },
    {
      name: 'list by field selectors',
      steps: [
        ...three,
        ...[
          'metadata.name=a',
          'metadata.name!=a',
          'metadata.name==b',
          'metadata.namespace={ns}',
          'metadata.namespace=x',
          'metadata.name=a,metadata.name!=b',
          'metadata.name=a,metadata.name=b',
          '',
        ].map((selector) =>
          get(`${WIDGETS}?fieldSelector=${selector.replaceAll('=', '%3D').replaceAll(',', '%2C')}`, { pick: names }),
        ),
      ],
    },
    {
      name: 'list by a field selector that is not known or malformed',
      steps: [
        ...[
          'spec.size=1',
          'metadata.uid=x',
          'a',
          '=',
          'metadata.name',
          'metadata.name>a',
          'status.phase=x',
          'metadata.name=a\\',
        ].map((selector) => get(`${WIDGETS}?fieldSelector=${encodeURIComponent(selector)}`)),
        get(`${CONFIGMAPS}?fieldSelector=data.a%3D1`),
        get(`${CONFIGMAPS}?fieldSelector=metadata.name%3Da,labelSelector=x`),
      ],
    },
    {
      name: 'list in pages',
      steps: [
        ...four,
        get(`${listed}&limit=2`, { name: 'first' }),
        get(`${listed}&limit=2&continue=<<first:metadata.continue>>`),
        get(`${listed}&limit=1&continue=<<first:metadata.continue>>`, { name: 'third' }),
        get(`${listed}&continue=<<third:metadata.continue>>`),
        get(`${listed}&limit=4`),
        get(`${listed}&limit=3`),
        get(`${listed}&limit=0`),
        get(`${listed}&limit=1000`),
      ],
    },
    {
      name: 'list custom resources in pages, with the number that remains',
      steps: [
        ...three,
        get(`${WIDGETS}?limit=1`, { name: 'first' }),
        get(`${WIDGETS}?limit=1&continue=<<first:metadata.continue>>`, { name: 'second' }),
        get(`${WIDGETS}?limit=1&continue=<<second:metadata.continue>>`),
        get(`${WIDGETS}?limit=1&labelSelector=app`),
        get(`${WIDGETS}?limit=1&fieldSelector=metadata.name%3Da`),
      ],
    },
    {
      name: 'pages show one moment',
      steps: [
        ...three,
        get(`${WIDGETS}?limit=1`, { name: 'first' }),
        post(WIDGETS, widget('aa')),
        post(WIDGETS, widget('d')),
        del(`${WIDGETS}/b`),
        get(`${WIDGETS}/c`, { name: 'c' }),
        put(`${WIDGETS}/c`, widget('c', { size: 50 }, { resourceVersion: '<<c:metadata.resourceVersion>>' })),
        get(`${WIDGETS}?limit=5&continue=<<first:metadata.continue>>`),
        get(WIDGETS),
      ],
    },
    {
      name: 'bad limits and continue tokens',
      steps: [
        ...three,
        get(`${WIDGETS}?limit=-1`),
        get(`${WIDGETS}?limit=x`),
        get(`${WIDGETS}?limit=1&continue=x`),
        get(`${WIDGETS}?limit=1&continue=${Buffer.from('{"v":"meta.k8s.io/v1"}').toString('base64url')}`),
        get(`${WIDGETS}?limit=1&continue=${Buffer.from('{"v":"other","rv":1,"start":"a"}').toString('base64url')}`),
        get(
          `${WIDGETS}?limit=1&continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"../a"}').toString('base64url')}`,
        ),
        get(`${WIDGETS}?limit=1`, { name: 'first' }),
        get(`${WIDGETS}?limit=1&continue=<<first:metadata.continue>>&resourceVersion=5`),
        get(`${WIDGETS}?limit=1&continue=<<first:metadata.continue>>&resourceVersion=0`),
        get(`${WIDGETS}?limit=1&continue=<<first:metadata.continue>>&resourceVersionMatch=Exact`),
      ],
    },
    {
      name: 'resourceVersionMatch',
      steps: [
        ...three.slice(0, 2),
        get(WIDGETS, { name: 'before' }),
        post(WIDGETS, widget('z')),
        get(`${WIDGETS}?resourceVersion=<<before:metadata.resourceVersion>>&resourceVersionMatch=Exact`),
        get(`${WIDGETS}?resourceVersion=<<before:metadata.resourceVersion>>&resourceVersionMatch=NotOlderThan`, {
          pick: kind,
        }),
        get(`${WIDGETS}?resourceVersion=<<before:metadata.resourceVersion>>&limit=1&resourceVersionMatch=Exact`),
        get(`${WIDGETS}?resourceVersion=0&resourceVersionMatch=NotOlderThan`, { pick: kind }),
        get(`${WIDGETS}?resourceVersion=0&resourceVersionMatch=Exact`),
        get(`${WIDGETS}?resourceVersionMatch=Exact`),
        get(`${WIDGETS}?resourceVersionMatch=NotOlderThan`),
        get(`${WIDGETS}?resourceVersion=5&resourceVersionMatch=Wrong`),
        get(`${WIDGETS}?resourceVersion=x`),
        get(`${WIDGETS}?resourceVersion=-1`),
        get(`${WIDGETS}?resourceVersion=x&resourceVersionMatch=Exact`),
      ],
    },
    {
      name: 'list at a version of the future',
      steps: [
        get(`${WIDGETS}?resourceVersion=99999999999`),
        get(`${WIDGETS}?resourceVersion=99999999999&resourceVersionMatch=Exact`),
        get(`${WIDGETS}/a?resourceVersion=99999999999`),
      ],
    },
    {
      name: 'list with parameters that it does not have',
      steps: [
        ...three.slice(0, 1),
        get(`${WIDGETS}?unknown=1`),
        get(`${WIDGETS}?pretty=true`),
        get(`${WIDGETS}?timeoutSeconds=x`),
        get(`${WIDGETS}?allowWatchBookmarks=x`, { pick: kind }),
        get(`${WIDGETS}?sendInitialEvents=true`),
        get(`${WIDGETS}?watch=false`),
        get(`${WIDGETS}?watch=0`),
        watch(`${WIDGETS}?watch=maybe`, { lines: 1 }),
      ],
    },
  ],
};
