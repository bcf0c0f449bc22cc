import { apply, del, get, jsonPatch, merge, post, put } from '../case.ts';
import { CONFIGMAPS, configMap, NAMESPACES, namespace, SERVICES, WIDGETS, widget } from '../resources.ts';
import type { Subject } from '../suite.ts';

export const dryRun: Subject = {
  subject: 'dry run',
  cases: [
    {
      name: 'create',
      steps: [
        post(`${WIDGETS}?dryRun=All`, widget('a')),
        get(`${WIDGETS}/a`),
        post(`${WIDGETS}?dryRun=All`, widget('b', { size: 1000 })),
        post(`${CONFIGMAPS}?dryRun=All`, configMap('a')),
        get(`${CONFIGMAPS}/a`),
        post(`${CONFIGMAPS}?dryRun=All`, { ...configMap(''), metadata: { generateName: 'gen-' } }),
      ],
    },
    {
      name: 'create what is there already',
      steps: [post(WIDGETS, widget('a')), post(`${WIDGETS}?dryRun=All`, widget('a'))],
    },
    {
      name: 'update',
      steps: [
        post(WIDGETS, widget('a')),
        put(`${WIDGETS}/a?dryRun=All`, widget('a', { size: 9 })),
        put(`${WIDGETS}/a/status?dryRun=All`, { ...widget('a'), status: { phase: 'x' } }),
        put(`${WIDGETS}/a?dryRun=All`, widget('a', { size: 9 }, { resourceVersion: '1' })),
        get(`${WIDGETS}/a`),
      ],
    },
    {
      name: 'patches',
      steps: [
        post(WIDGETS, widget('a')),
        merge(`${WIDGETS}/a?dryRun=All`, { spec: { size: 9 } }),
        jsonPatch(`${WIDGETS}/a?dryRun=All`, [{ op: 'replace', path: '/spec/size', value: 8 }]),
        apply(`${WIDGETS}/a?dryRun=All&fieldManager=m`, widget('a', { title: 'new' })),
        merge(`${WIDGETS}/a/status?dryRun=All`, { status: { phase: 'x' } }),
        get(`${WIDGETS}/a`),
      ],
    },
    {
      name: 'apply something new',
      steps: [
        apply(`${WIDGETS}/a?dryRun=All&fieldManager=m`, widget('a', { title: 'new' })),
        get(`${WIDGETS}/a`),
        apply(`${CONFIGMAPS}/a?dryRun=All&fieldManager=m`, configMap('a')),
        get(`${CONFIGMAPS}/a`),
      ],
    },
    {
      name: 'the last finalizer of what is being deleted',
      steps: [
        post(WIDGETS, widget('a', {}, { finalizers: ['example.com/hold'] })),
        del(`${WIDGETS}/a`),
        merge(`${WIDGETS}/a?dryRun=All`, { metadata: { finalizers: [] } }),
        get(`${WIDGETS}/a`),
      ],
    },
    {
      name: 'with a value that it does not know',
      steps: [
        post(`${WIDGETS}?dryRun=true`, widget('a')),
        post(`${WIDGETS}?dryRun=`, widget('a')),
        post(`${WIDGETS}?dryRun=All&dryRun=All`, widget('c')),
        post(`${CONFIGMAPS}?dryRun=Server`, configMap('a')),
        merge(`${WIDGETS}/a?dryRun=x`, {}),
        put(`${WIDGETS}/a?dryRun=x`, widget('a')),
        del(`${WIDGETS}/a?dryRun=x`),
        get(`${WIDGETS}?dryRun=x`),
      ],
    },
    {
      name: 'of a namespace and a Service',
      steps: [
        post(`${NAMESPACES}?dryRun=All`, namespace('{id}-dry')),
        get(`${NAMESPACES}/{id}-dry`),
        post(`${SERVICES}?dryRun=All`, {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'a' },
          spec: { ports: [{ port: 80 }] },
        }),
        get(`${SERVICES}/a`),
      ],
    },
  ],
};
