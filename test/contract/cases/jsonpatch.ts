import { get, jsonPatch, post } from '../case.ts';
import type { Json } from '../json.ts';
import { CONFIGMAPS, configMap, GADGETS, gadget, WIDGETS, widget } from '../resources.ts';
import type { Subject } from '../suite.ts';

const A = `${WIDGETS}/a`;
const made = post(WIDGETS, widget('a', { title: 'one', tags: ['x', 'y', 'z'], labels: { 'a/b': 'v', 'c~d': 'w' } }));
const patch = (...operations: readonly Json[]) => jsonPatch(A, operations);

export const jsonPatches: Subject = {
  subject: 'JSON patch',
  cases: [
    {
      name: 'add',
      steps: [
        made,
        patch({ op: 'add', path: '/spec/title', value: 'two' }),
        patch({ op: 'add', path: '/spec/tags/0', value: 'first' }),
        patch({ op: 'remove', path: '/spec/tags/0' }, { op: 'add', path: '/spec/tags/-', value: 'last' }),
        patch({ op: 'add', path: '/spec/inner', value: { name: 'n' } }),
        patch({ op: 'add', path: '/spec/tags/9', value: 'far' }),
        patch({ op: 'add', path: '/spec/tags/x', value: 'far' }),
        patch({ op: 'add', path: '/spec/tags/-1', value: 'far' }),
        patch({ op: 'add', path: '/spec/missing/deep', value: 1 }),
        patch({ op: 'add', path: '/metadata/labels/a', value: 'b' }),
      ],
    },
    {
      name: 'remove',
      steps: [
        made,
        patch({ op: 'remove', path: '/spec/title' }),
        patch({ op: 'remove', path: '/spec/title' }),
        patch({ op: 'remove', path: '/spec/tags/1' }),
        patch({ op: 'remove', path: '/spec/tags/9' }),
        patch({ op: 'remove', path: '/spec/labels/a~1b' }),
        patch({ op: 'remove', path: '/spec/labels/c~0d' }),
        patch({ op: 'remove', path: '/nothing/there' }),
        patch({ op: 'remove', path: '/spec' }),
        patch({ op: 'remove', path: '/metadata' }),
        patch({ op: 'remove', path: '/kind' }),
      ],
    },
    {
      name: 'replace',
      steps: [
        made,
        patch({ op: 'replace', path: '/spec/title', value: 'two' }),
        patch({ op: 'replace', path: '/spec/tags/1', value: 'Y' }),
        patch({ op: 'replace', path: '/spec/missing', value: 1 }),
        patch({ op: 'replace', path: '/spec/inner/name', value: 1 }),
        patch({ op: 'replace', path: '/spec/tags', value: [] }),
        patch({ op: 'replace', path: '/spec/size', value: 'text' }),
        patch({ op: 'replace', path: '', value: widget('a', { size: 8 }) }),
      ],
    },
    {
      name: 'move and copy',
      steps: [
        made,
        patch({ op: 'move', from: '/spec/title', path: '/spec/notNull' }),
        patch({ op: 'copy', from: '/spec/notNull', path: '/spec/title' }),
        patch({ op: 'move', from: '/spec/tags/0', path: '/spec/tags/2' }),
        patch({ op: 'move', from: '/spec/missing', path: '/spec/title' }),
        patch({ op: 'copy', from: '/spec/missing', path: '/spec/title' }),
        patch({ op: 'copy', from: '/spec/tags', path: '/spec/args' }),
        patch({ op: 'move', from: '/spec', path: '/spec/inner' }),
      ],
    },
    {
      name: 'test',
      steps: [
        made,
        patch({ op: 'test', path: '/spec/title', value: 'one' }, { op: 'replace', path: '/spec/size', value: 4 }),
        patch({ op: 'test', path: '/spec/title', value: 'two' }, { op: 'replace', path: '/spec/size', value: 5 }),
        patch({ op: 'test', path: '/spec/tags', value: ['x', 'y', 'z'] }),
        patch({ op: 'test', path: '/spec/tags', value: ['x'] }),
        patch({ op: 'test', path: '/spec/size', value: 4.0 }),
        patch({ op: 'test', path: '/spec/missing', value: 1 }),
        patch({ op: 'test', path: '/spec/missing', value: null }),
        patch({ op: 'test', path: '/spec/missing' }),
        patch({ op: 'test', path: '/spec/labels', value: { 'c~d': 'w', 'a/b': 'v' } }),
        patch({ op: 'test', path: '/missing/deep', value: null }),
        get(A),
      ],
    },
    {
      name: 'test of uid and finalizers, as a controller removes its own',
      steps: [
        post(WIDGETS, widget('a', {}, { finalizers: ['example.com/one', 'example.com/two'] }), { name: 'made' }),
        jsonPatch(A, [
          { op: 'test', path: '/metadata/uid', value: '<<made:metadata.uid>>' },
          { op: 'test', path: '/metadata/finalizers', value: ['example.com/one', 'example.com/two'] },
          { op: 'replace', path: '/metadata/finalizers', value: ['example.com/two'] },
        ]),
        jsonPatch(A, [
          { op: 'test', path: '/metadata/finalizers', value: ['example.com/one', 'example.com/two'] },
          { op: 'replace', path: '/metadata/finalizers', value: [] },
        ]),
        jsonPatch(A, [{ op: 'test', path: '/metadata/uid', value: 'other' }]),
        jsonPatch(A, [
          { op: 'test', path: '/metadata/resourceVersion', value: '<<made:metadata.resourceVersion>>' },
          { op: 'remove', path: '/metadata/finalizers' },
        ]),
        get(A),
      ],
    },
    {
      name: 'bad pointers and operations',
      steps: [
        made,
        patch({ op: 'add', path: 'spec/title', value: 'x1' }),
        patch({ op: 'add', path: '/spec/ti~tle', value: 'x1' }),
        patch({ op: 'add', path: '/', value: 'x1' }),
        patch({ op: 'jump', path: '/spec/title', value: 'x1' }),
        patch({ path: '/spec/title', value: 'x1' }),
        patch({ op: 'add', value: 'x1' }),
        patch({ op: 'add', path: '/spec/title' }),
        patch({ op: 'replace', path: '/spec/title' }),
        patch({ op: 'move', path: '/spec/title' }),
        patch({ op: 'add', path: 5, value: 1 }),
        patch('text'),
        patch(null),
        patch([]),
        patch({ op: 'add', path: '/spec/tags/01', value: 'x' }),
        patch({ op: 'add', path: '/spec/title/x', value: 'x' }),
        get(A),
      ],
    },
    {
      name: 'malformed bodies',
      steps: [
        made,
        jsonPatch(A, '{'),
        jsonPatch(A, {}),
        jsonPatch(A, '[]'),
        jsonPatch(A, 'null'),
        jsonPatch(A, ''),
        jsonPatch(A, '[{"op":"add","path":"/spec/title","value":"x1"}'),
        jsonPatch(A, '[{"op":"add","path":"/spec/title","value":"x1"}] x'),
      ],
    },
    {
      name: 'more operations than a patch may have',
      steps: [
        made,
        jsonPatch(
          A,
          Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/spec/title', value: 'one' })),
        ),
        jsonPatch(
          A,
          Array.from({ length: 10_000 }, () => ({ op: 'test', path: '/spec/title', value: 'one' })),
        ),
      ],
    },
    {
      name: 'all or nothing',
      steps: [
        made,
        patch({ op: 'replace', path: '/spec/title', value: 'two' }, { op: 'remove', path: '/spec/missing' }),
        get(A),
      ],
    },
    {
      name: 'of a built-in kind',
      steps: [
        post(CONFIGMAPS, configMap('a', { x: '1' }), { name: 'made' }),
        jsonPatch(`${CONFIGMAPS}/a`, [
          { op: 'test', path: '/metadata/resourceVersion', value: '<<made:metadata.resourceVersion>>' },
          { op: 'add', path: '/data/y', value: '2' },
        ]),
        jsonPatch(`${CONFIGMAPS}/a`, [
          { op: 'test', path: '/metadata/resourceVersion', value: '<<made:metadata.resourceVersion>>' },
        ]),
        jsonPatch(`${CONFIGMAPS}/a`, [{ op: 'replace', path: '/metadata/name', value: 'b' }]),
        jsonPatch(`${CONFIGMAPS}/a`, [{ op: 'replace', path: '/metadata/resourceVersion', value: '1' }]),
        jsonPatch(`${CONFIGMAPS}/a`, [{ op: 'remove', path: '/data' }]),
        jsonPatch(`${CONFIGMAPS}/none`, [{ op: 'remove', path: '/data' }]),
      ],
    },
    {
      name: 'of names that JavaScript knows',
      steps: [
        post(GADGETS, gadget('g-{id}', { a: {} })),
        jsonPatch(`${GADGETS}/g-{id}`, '[{"op":"add","path":"/a/__proto__","value":{"polluted":true}}]'),
        jsonPatch(`${GADGETS}/g-{id}`, '[{"op":"add","path":"/a/constructor","value":"c"}]'),
        jsonPatch(`${GADGETS}/g-{id}`, '[{"op":"test","path":"/a/toString","value":null}]'),
        jsonPatch(`${GADGETS}/g-{id}`, '[{"op":"remove","path":"/a/hasOwnProperty"}]'),
        jsonPatch(`${GADGETS}/g-{id}`, '[{"op":"copy","from":"/a/__proto__","path":"/b"}]'),
        get(`${GADGETS}/g-{id}`),
      ],
    },
  ],
};
