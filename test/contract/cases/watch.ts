import { del, get, merge, post, put, status, watch } from '../case.ts';
import { nothing } from '../picks.ts';
import { CONFIGMAPS, configMap, LEASES, lease, SECRETS, secret, WIDGETS, widget } from '../resources.ts';
import type { Subject } from '../suite.ts';

const METADATA = { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' };
/** A continue token of a version that no server keeps. */
const OLD = Buffer.from('{"v":"meta.k8s.io/v1","rv":2,"start":"a\\u0000"}').toString('base64url');
const update = (size: number) => merge(`${WIDGETS}/a`, { spec: { size } });

export const watches: Subject = {
  subject: 'watch',
  cases: [
    {
      name: 'from a version: added, modified, deleted with the final state',
      steps: [
        get(WIDGETS, { name: 'before' }),
        watch(`${WIDGETS}?watch=true&resourceVersion=<<before:metadata.resourceVersion>>`, {
          during: [post(WIDGETS, widget('a')), update(7), del(`${WIDGETS}/a`)],
          lines: 3,
        }),
      ],
    },
    {
      name: 'a built-in kind from a version',
      steps: [
        post(CONFIGMAPS, configMap('first'), { name: 'first' }),
        watch(`${CONFIGMAPS}?watch=1&resourceVersion=<<first:metadata.resourceVersion>>&labelSelector=w`, {
          during: [
            post(CONFIGMAPS, configMap('a', { a: '1' }, { labels: { w: '' } })),
            merge(`${CONFIGMAPS}/a`, { data: { a: null, b: '2' } }),
            del(`${CONFIGMAPS}/a`),
          ],
          lines: 3,
        }),
      ],
    },
    {
      name: 'what happened since a version in the past',
      steps: [
        post(WIDGETS, widget('a'), { name: 'made' }),
        update(8),
        update(9),
        post(WIDGETS, widget('b')),
        del(`${WIDGETS}/a`),
        watch(`${WIDGETS}?watch=true&resourceVersion=<<made:metadata.resourceVersion>>`, { lines: 4 }),
      ],
    },
    {
      name: 'without a version: the present state first, in order of names',
      steps: [
        post(WIDGETS, widget('b')),
        post(WIDGETS, widget('a')),
        post(WIDGETS, widget('c')),
        watch(`${WIDGETS}?watch=true`, { during: [update(5)], lines: 4 }),
      ],
    },
    {
      name: 'from version 0: the present state first',
      steps: [
        post(WIDGETS, widget('b')),
        post(WIDGETS, widget('a')),
        get(`${WIDGETS}/a?resourceVersion=0`, { until: status(200) }),
        watch(`${WIDGETS}?watch=true&resourceVersion=0`, { during: [del(`${WIDGETS}/b`)], lines: 3 }),
      ],
    },
    {
      name: 'from a version that is too old',
      steps: [
        post(WIDGETS, widget('a')),
        watch(`${WIDGETS}?watch=true&resourceVersion=1`),
        watch(`${WIDGETS}?watch=true&resourceVersion=1&timeoutSeconds=1`),
      ],
    },
    {
      name: 'with malformed parameters',
      steps: [
        watch(`${WIDGETS}?watch=true&resourceVersion=abc`),
        watch(`${WIDGETS}?watch=true&labelSelector=%3D`),
        watch(`${WIDGETS}?watch=true&fieldSelector=spec.size%3D1`),
        watch(`${WIDGETS}?watch=true&timeoutSeconds=x`),
        watch(`${WIDGETS}?watch=true&resourceVersionMatch=NotOlderThan`),
        watch(`${WIDGETS}?watch=true&resourceVersionMatch=Exact&resourceVersion=1`),
        watch(`${WIDGETS}?watch=true&sendInitialEvents=true`),
        watch(`${WIDGETS}?watch=true&sendInitialEvents=true&resourceVersionMatch=Exact`),
        watch(`${WIDGETS}?watch=true&sendInitialEvents=true&resourceVersion=x&resourceVersionMatch=NotOlderThan`),
        watch(`${WIDGETS}?watch=true&continue=abc`, {}),
      ],
    },
    {
      name: 'a single object by a field selector, and by the old path',
      steps: [
        post(WIDGETS, widget('a')),
        post(WIDGETS, widget('b')),
        watch(`${WIDGETS}?watch=true&fieldSelector=metadata.name%3Da`, {
          during: [merge(`${WIDGETS}/b`, { spec: { size: 9 } }), update(10)],
          lines: 2,
        }),
        watch(`/api/v1/watch/namespaces/{ns}/configmaps?labelSelector=w`, {
          during: [post(CONFIGMAPS, configMap('x', {}, { labels: { w: '1' } }))],
          lines: 1,
        }),
        get(`${WIDGETS}/a?watch=true`),
      ],
    },
    {
      name: 'objects that begin and cease to match a label selector',
      steps: [
        post(WIDGETS, widget('a', {}, { labels: { app: 'x' } })),
        post(WIDGETS, widget('b')),
        watch(`${WIDGETS}?watch=true&labelSelector=app%3Dx`, {
          during: [
            merge(`${WIDGETS}/a`, { metadata: { labels: { app: 'y' } } }),
            update(20),
            merge(`${WIDGETS}/b`, { metadata: { labels: { app: 'x' } } }),
            merge(`${WIDGETS}/b`, { spec: { size: 4 } }),
            merge(`${WIDGETS}/a`, { metadata: { labels: { app: 'x' } } }),
            del(`${WIDGETS}/b`),
          ],
          lines: 6,
        }),
      ],
    },
    {
      name: 'with initial events, ended by a bookmark',
      steps: [
        post(WIDGETS, widget('b')),
        post(WIDGETS, widget('a')),
        watch(
          `${WIDGETS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
          { during: [update(6)], lines: 4 },
        ),
      ],
    },
    {
      name: 'with initial events of an empty collection',
      steps: [
        watch(
          `${LEASES}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=`,
          { during: [post(LEASES, lease('a'))], lines: 2 },
        ),
      ],
    },
    {
      name: 'with initial events and a selector',
      steps: [
        post(WIDGETS, widget('a', {}, { labels: { app: 'x' } })),
        post(WIDGETS, widget('b')),
        watch(
          `${WIDGETS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=app`,
          { during: [merge(`${WIDGETS}/b`, { metadata: { labels: { app: '' } } })], lines: 3 },
        ),
      ],
    },
    {
      name: 'with initial events, but without bookmarks',
      steps: [
        post(WIDGETS, widget('a')),
        watch(`${WIDGETS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=5`),
        watch(`${WIDGETS}?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&timeoutSeconds=5`),
      ],
    },
    {
      name: 'ended by the server after its time, after a bookmark',
      steps: [
        post(WIDGETS, widget('a'), { name: 'made' }),
        watch(
          `${WIDGETS}?watch=true&resourceVersion=<<made:metadata.resourceVersion>>&timeoutSeconds=8&allowWatchBookmarks=true`,
          // The real server tells of a later version only when there is one, so it has to be there two seconds before the end.
          {
            bookmarks: true,
            during: [
              post('/apis/contract.sublet.dev/v1/namespaces/{ns2}/widgets', widget('elsewhere'), { pick: nothing }),
            ],
          },
        ),
      ],
    },
    {
      name: 'ended by the server after its time, without bookmarks',
      steps: [post(WIDGETS, widget('a')), watch(`${WIDGETS}?watch=true&timeoutSeconds=5`, { bookmarks: true })],
    },
    {
      name: 'from a version of the future',
      steps: [watch(`${WIDGETS}?watch=true&resourceVersion=99999999999&timeoutSeconds=1`)],
    },
    {
      name: 'metadata only',
      steps: [
        post(SECRETS, secret('a', { stringData: { hidden: 'x' } }, { labels: { w: '' } })),
        watch(`${SECRETS}?watch=true&labelSelector=w`, {
          headers: METADATA,
          during: [merge(`${SECRETS}/a`, { metadata: { labels: { more: '1' } } }), del(`${SECRETS}/a`)],
          lines: 3,
        }),
      ],
    },
    {
      name: 'metadata only, with initial events and errors',
      steps: [
        post(WIDGETS, widget('a', { size: 3 })),
        watch(
          `${WIDGETS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
          { headers: METADATA, during: [update(6)], lines: 3 },
        ),
        watch(`${WIDGETS}?watch=true&resourceVersion=1`, { headers: METADATA }),
      ],
    },
    {
      name: 'an object that waits for its finalizer',
      steps: [
        post(WIDGETS, widget('a', {}, { finalizers: ['example.com/hold'] }), { name: 'made' }),
        watch(`${WIDGETS}?watch=true&resourceVersion=<<made:metadata.resourceVersion>>`, {
          during: [
            del(`${WIDGETS}/a`),
            del(`${WIDGETS}/a`),
            merge(`${WIDGETS}/a`, { metadata: { finalizers: null } }),
            get(`${WIDGETS}/a`),
          ],
          lines: 2,
        }),
      ],
    },
    {
      name: 'writes that change nothing are no events',
      steps: [
        post(WIDGETS, widget('a', { size: 4 }), { name: 'made' }),
        watch(`${WIDGETS}?watch=true&resourceVersion=<<made:metadata.resourceVersion>>`, {
          during: [
            update(4),
            put(`${WIDGETS}/a`, widget('a', { size: 4 })),
            put(`${WIDGETS}/a`, '<<made:>>'),
            update(5),
          ],
          lines: 1,
        }),
      ],
    },
    {
      name: 'status writes and spec writes',
      steps: [
        post(WIDGETS, widget('a'), { name: 'made' }),
        watch(`${WIDGETS}?watch=true&resourceVersion=<<made:metadata.resourceVersion>>`, {
          during: [merge(`${WIDGETS}/a/status`, { status: { phase: 'Ready' } }), update(44)],
          lines: 2,
        }),
      ],
    },
    {
      name: 'deletion of a collection',
      steps: [
        post(WIDGETS, widget('a')),
        post(WIDGETS, widget('b'), { name: 'made' }),
        watch(`${WIDGETS}?watch=true&resourceVersion=<<made:metadata.resourceVersion>>`, {
          during: [del(WIDGETS, undefined, { pick: () => null })],
          lines: 2,
        }),
      ],
    },
    {
      name: 'all namespaces',
      steps: [
        post(WIDGETS, widget('a', {}, { labels: { case: '{id}' } })),
        watch('/apis/contract.sublet.dev/v1/widgets?watch=true&labelSelector=case%3D{id}', {
          during: [
            post(
              '/apis/contract.sublet.dev/v1/namespaces/{ns2}/widgets',
              widget('b', {}, { labels: { case: '{id}' } }),
            ),
          ],
          lines: 2,
        }),
      ],
    },
    {
      name: 'forms that a watch cannot have',
      steps: [
        watch(`${WIDGETS}?watch=true&resourceVersion=1`, { headers: { accept: 'application/yaml' } }),
        watch(`${WIDGETS}?watch=true`, { headers: { accept: 'text/html' } }),
        watch(`${WIDGETS}?watch=true&timeoutSeconds=5`, {
          headers: { accept: 'application/json;stream=watch' },
        }),
      ],
    },
    {
      name: 'after the history was compacted',
      alone: true,
      steps: [
        post(WIDGETS, widget('a'), { name: 'made' }),
        post(WIDGETS, widget('b')),
        get(`${WIDGETS}?limit=1`, { name: 'page' }),
        update(5),
        { type: 'compact' },
        watch(`${WIDGETS}?watch=true&resourceVersion=1`),
        get(`${WIDGETS}?limit=1&continue=<<page:metadata.continue>>`),
        get(`${WIDGETS}?limit=1&continue=${OLD}`, { name: 'late' }),
        get(`${WIDGETS}?limit=1&continue=<<late:metadata.continue>>`),
        get(`${WIDGETS}?resourceVersion=2&resourceVersionMatch=Exact`),
      ],
    },
  ],
};
