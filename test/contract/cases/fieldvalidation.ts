import { apply, call, jsonPatch, merge, post, put } from '../case.ts';
import { CONFIGMAPS, configMap, RDPINSTANCES, SERVICES, sublet, WIDGETS, widget } from '../resources.ts';
import type { Subject } from '../suite.ts';

const MODES = ['Strict', 'Warn', 'Ignore', ''];
const unknown = { ...widget('', { extra: 1, inner: { name: 'n', more: 2 }, ports: [{ port: 1, x: 1 }] }), also: true };
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 's' },
  spec: { ports: [{ port: 80, extra: 1 }], other: true },
};

export const fieldValidation: Subject = {
  subject: 'field validation',
  cases: [
    {
      name: 'of unknown fields in each mode',
      steps: MODES.map((mode) =>
        post(`${WIDGETS}?fieldValidation=${mode}`, { ...unknown, metadata: { name: `m${mode.toLowerCase()}` } }),
      ),
    },
    {
      name: 'of unknown fields by default',
      steps: [
        post(WIDGETS, { ...unknown, metadata: { name: 'a' } }),
        post(CONFIGMAPS, { ...configMap('a'), extra: 1 }),
      ],
    },
    {
      name: 'of unknown fields in metadata',
      steps: MODES.map((mode) =>
        post(`${WIDGETS}?fieldValidation=${mode}`, widget(`m${mode.toLowerCase()}`, {}, { unknown: 1, labels: {} })),
      ),
    },
    {
      name: 'of built-in kinds',
      steps: MODES.flatMap((mode) => [
        post(`${CONFIGMAPS}?fieldValidation=${mode}&dryRun=All`, {
          ...configMap('a'),
          extra: 1,
          metadata: { name: 'a', foo: 1 },
        }),
        post(`${SERVICES}?fieldValidation=${mode}&dryRun=All`, service),
      ]),
    },
    {
      name: 'of duplicate keys in each mode',
      steps: MODES.flatMap((mode) => [
        post(
          `${WIDGETS}?fieldValidation=${mode}&dryRun=All`,
          '{"apiVersion":"contract.sublet.dev/v1","kind":"Widget","metadata":{"name":"a","name":"a"},"spec":{"title":"one","title":"two","labels":{"a":"1","a":"2"}}}',
        ),
        post(
          `${CONFIGMAPS}?fieldValidation=${mode}&dryRun=All`,
          '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"1","k":"2"},"data":{"k":"3"}}',
        ),
      ]),
    },
    {
      name: 'of updates and patches',
      steps: [
        post(WIDGETS, widget('a')),
        put(`${WIDGETS}/a?fieldValidation=Strict`, widget('a', { extra: 1 })),
        put(`${WIDGETS}/a?fieldValidation=Warn`, widget('a', { extra: 1 })),
        merge(`${WIDGETS}/a?fieldValidation=Strict`, { spec: { extra: 1 } }),
        merge(`${WIDGETS}/a?fieldValidation=Warn`, { spec: { extra: 1 } }),
        merge(`${WIDGETS}/a?fieldValidation=Ignore`, { spec: { extra: 1 } }),
        merge(`${WIDGETS}/a?fieldValidation=Strict`, '{"spec":{"title":"one","title":"two"}}'),
        jsonPatch(`${WIDGETS}/a?fieldValidation=Strict`, [{ op: 'add', path: '/spec/extra', value: 1 }]),
        jsonPatch(
          `${WIDGETS}/a?fieldValidation=Strict`,
          '[{"op":"add","path":"/spec/title","value":"x1","value":"x2"}]',
        ),
        jsonPatch(`${WIDGETS}/a?fieldValidation=Strict`, [{ op: 'add', path: '/spec/title', value: 'x1', foo: 1 }]),
        apply(`${WIDGETS}/a?fieldValidation=Strict&fieldManager=m`, widget('a', { extra: 1 })),
        apply(`${WIDGETS}/a?fieldValidation=Warn&fieldManager=m`, widget('a', { extra: 1 })),
        apply(`${WIDGETS}/a?fieldManager=m`, widget('a', { extra: 1 })),
        put(`${WIDGETS}/a/status?fieldValidation=Strict`, { ...widget('a'), status: { extra: 1 } }),
      ],
    },
    {
      name: 'of updates and patches of built-in kinds',
      steps: [
        post(CONFIGMAPS, configMap('a')),
        put(`${CONFIGMAPS}/a?fieldValidation=Strict`, { ...configMap('a'), extra: 1 }),
        merge(`${CONFIGMAPS}/a?fieldValidation=Strict`, { extra: 1 }),
        merge(`${CONFIGMAPS}/a?fieldValidation=Warn`, { extra: 1 }),
        jsonPatch(`${CONFIGMAPS}/a?fieldValidation=Strict`, [{ op: 'add', path: '/extra', value: 1 }]),
        apply(`${CONFIGMAPS}/a?fieldValidation=Strict&fieldManager=m`, { ...configMap('a'), extra: 1 }),
      ],
    },
    {
      name: 'in a mode that is not known',
      steps: [
        post(`${WIDGETS}?fieldValidation=Harsh`, widget('a')),
        post(`${CONFIGMAPS}?fieldValidation=strict`, configMap('a')),
        merge(`${WIDGETS}/a?fieldValidation=Harsh`, {}),
        put(`${WIDGETS}/a?fieldValidation=Harsh`, widget('a')),
      ],
    },
    {
      name: 'with more warnings than a header takes',
      steps: [
        post(
          `${WIDGETS}?fieldValidation=Warn`,
          widget('a', Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`unknownField${i}`, i]))),
        ),
        post(
          `${WIDGETS}?fieldValidation=Strict`,
          widget('b', Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`unknownField${i}`, i]))),
        ),
      ],
    },
    {
      name: 'of YAML',
      steps: ['Strict', 'Warn'].map((mode) =>
        call(
          'POST',
          `${WIDGETS}?fieldValidation=${mode}&dryRun=All`,
          'apiVersion: contract.sublet.dev/v1\nkind: Widget\nmetadata: {name: y}\nspec:\n  title: one\n  title: two\n  extra: 1\n',
          'application/yaml',
        ),
      ),
    },
    {
      name: 'of an RDPInstance, as kubectl asks for it',
      steps: [
        post(
          `${RDPINSTANCES}?fieldManager=kubectl-create&fieldValidation=Strict`,
          sublet('RDPInstance', 'desk', { plan: 'pro', image: 'ubuntu-24', username: 'anna', cpus: 4 }),
        ),
      ],
    },
  ],
};
