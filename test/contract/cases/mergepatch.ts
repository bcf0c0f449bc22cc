import { call, get, merge, post } from '../case.ts';
import { CONFIGMAPS, configMap, GADGETS, gadget, WIDGETS, widget } from '../resources.ts';
import type { Subject } from '../suite.ts';

export const mergePatch: Subject = {
  subject: 'merge patch',
  cases: [
    {
      name: 'sets, replaces and removes',
      steps: [
        post(WIDGETS, widget('a', { title: 'one', tags: ['x', 'y'], labels: { k: 'v', l: 'w' } })),
        merge(`${WIDGETS}/a`, { spec: { title: 'two', size: null, tags: ['z'], labels: { k: null, m: 'n' } } }),
        merge(`${WIDGETS}/a`, { spec: { nothing: null, title: null, missing: null } }),
        merge(`${WIDGETS}/a`, {}),
        merge(`${WIDGETS}/a`, { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } } }),
        merge(`${WIDGETS}/a`, { metadata: { labels: null } }),
        get(`${WIDGETS}/a`),
      ],
    },
    {
      name: 'a built-in kind',
      steps: [
        post(CONFIGMAPS, configMap('a', { a: '1', b: '2' })),
        merge(`${CONFIGMAPS}/a`, { data: { a: null, c: '3' } }),
        merge(`${CONFIGMAPS}/a`, { data: null }),
        merge(`${CONFIGMAPS}/a`, { data: { n: 1 } }),
        merge(`${CONFIGMAPS}/a`, { unknown: 1 }),
        merge(`${CONFIGMAPS}/a`, { immutable: true }),
        merge(`${CONFIGMAPS}/a`, { data: { x: 'y' } }),
      ],
    },
    {
      name: 'with versions and uids',
      steps: [
        post(WIDGETS, widget('a'), { name: 'made' }),
        merge(`${WIDGETS}/a`, {
          metadata: { resourceVersion: '<<made:metadata.resourceVersion>>' },
          spec: { size: 4 },
        }),
        merge(`${WIDGETS}/a`, {
          metadata: { resourceVersion: '<<made:metadata.resourceVersion>>' },
          spec: { size: 5 },
        }),
        merge(`${WIDGETS}/a`, { metadata: { resourceVersion: null }, spec: { size: 6 } }),
        merge(`${WIDGETS}/a`, { metadata: { uid: '00000000-0000-4000-8000-000000000001' }, spec: { size: 7 } }),
        merge(`${WIDGETS}/a`, { metadata: { name: 'b' }, spec: { size: 8 } }),
        merge(`${WIDGETS}/a`, { metadata: { namespace: '{ns2}' } }),
        merge(`${WIDGETS}/a`, { kind: 'Gadget' }),
        merge(`${WIDGETS}/a`, { apiVersion: 'contract.sublet.dev/v2' }),
        merge(`${CONFIGMAPS}/none`, {}),
        merge(`${WIDGETS}/none`, {}),
      ],
    },
    {
      name: 'that the schema refuses',
      steps: [
        post(WIDGETS, widget('a')),
        merge(`${WIDGETS}/a`, { spec: { size: 'large' } }),
        merge(`${WIDGETS}/a`, { spec: null }),
        merge(`${WIDGETS}/a`, { spec: 'x' }),
        merge(`${WIDGETS}/a`, { metadata: null }),
        merge(`${WIDGETS}/a`, { metadata: { labels: { 'bad key': 'x' } } }),
        get(`${WIDGETS}/a`),
      ],
    },
    {
      name: 'malformed',
      steps: [
        post(WIDGETS, widget('a')),
        merge(`${WIDGETS}/a`, '{"spec":'),
        merge(`${WIDGETS}/a`, '[]'),
        merge(`${WIDGETS}/a`, '"text"'),
        merge(`${WIDGETS}/a`, 'null'),
        merge(`${WIDGETS}/a`, ''),
        merge(`${WIDGETS}/a`, 'spec:\n  size: 4\n'),
        merge(`${WIDGETS}/a`, '{"spec":{"size":4}} trailing'),
        post(CONFIGMAPS, configMap('a')),
        merge(`${CONFIGMAPS}/a`, '{"data":'),
        merge(`${CONFIGMAPS}/a`, '[]'),
      ],
    },
    {
      name: 'with a field manager',
      steps: [
        post(`${WIDGETS}?fieldManager=first`, widget('a', { title: 'one' })),
        merge(`${WIDGETS}/a?fieldManager=second`, { spec: { title: 'two', args: ['x'] } }),
        merge(`${WIDGETS}/a?fieldManager=third`, { spec: { title: 'two' } }),
        merge(`${WIDGETS}/a?fieldManager=third`, { spec: { title: null } }),
        merge(`${WIDGETS}/a?force=true`, { spec: { title: 'x1' } }),
        merge(`${WIDGETS}/a?fieldManager=${'x'.repeat(129)}`, {}),
      ],
    },
    {
      name: 'of an unstructured kind',
      steps: [
        post(GADGETS, gadget('g-{id}', { a: { b: { c: [1, { d: null }] } } })),
        merge(`${GADGETS}/g-{id}`, { a: { b: { c: null, e: { f: null, g: {} } } }, h: [null, 1] }),
        merge(`${GADGETS}/g-{id}`, { a: 'now a text' }),
        merge(`${GADGETS}/g-{id}`, { a: { back: 'to an object' } }),
      ],
    },
    {
      name: 'under content types that are not known',
      steps: [
        post(WIDGETS, widget('a')),
        call('PATCH', `${WIDGETS}/a`, { spec: { size: 4 } }, 'application/json'),
        call('PATCH', `${WIDGETS}/a`, { spec: { size: 4 } }, 'text/plain'),
        call('PATCH', `${WIDGETS}/a`, { spec: { size: 4 } }),
        call('PATCH', `${WIDGETS}/a`, { spec: { size: 4 } }, 'application/strategic-merge-patch+json'),
        call('PATCH', `${WIDGETS}/a`, { spec: { size: 4 } }, 'application/merge-patch+json; charset=utf-8'),
        call('PATCH', `${WIDGETS}/a`, { spec: { size: 5 } }, 'application/merge-patch+yaml'),
        post(CONFIGMAPS, configMap('a')),
        call('PATCH', `${CONFIGMAPS}/a`, { data: {} }, 'application/json'),
      ],
    },
    {
      name: 'strategic merge patch of built-in kinds, as kubectl sends it',
      steps: [
        post(CONFIGMAPS, configMap('a', { a: '1', b: '2' })),
        call('PATCH', `${CONFIGMAPS}/a`, { data: { a: null, c: '3' } }, 'application/strategic-merge-patch+json'),
        call(
          'PATCH',
          `${CONFIGMAPS}/a`,
          { metadata: { labels: { x: 'y' }, finalizers: ['example.com/x'] } },
          'application/strategic-merge-patch+json',
        ),
        call(
          'PATCH',
          `${CONFIGMAPS}/a`,
          { metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/x'] } },
          'application/strategic-merge-patch+json',
        ),
      ],
    },
  ],
};
