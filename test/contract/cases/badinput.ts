import { apply, call, get, jsonPatch, merge, post, put } from '../case.ts';
import { member, nothing } from '../picks.ts';
import { CONFIGMAPS, configMap, GADGETS, gadget, SECRETS, secret, WIDGETS, widget } from '../resources.ts';
import type { Subject } from '../suite.ts';

const W = '"apiVersion":"contract.sublet.dev/v1","kind":"Widget"';
const G = '"apiVersion":"contract.sublet.dev/v1","kind":"Gadget"';
/** A widget's text with that spec's text. */
const raw = (spec: string, name = 'a') =>
  post(`${WIDGETS}?dryRun=All`, `{${W},"metadata":{"name":"${name}"},"spec":${spec}}`);
const loose = (members: string, name = 'g-{id}') =>
  post(`${GADGETS}?dryRun=All`, `{${G},"metadata":{"name":"${name}"},${members}}`);
const bytes = (...parts: readonly (string | number)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))));
const nested = (depth: number, open: string, close: string, inner = '1') =>
  open.repeat(depth) + inner + close.repeat(depth);
const MIB = 1024 * 1024;

export const badInput: Subject = {
  subject: 'bad input',
  cases: [
    {
      name: 'truncated and trailing text',
      steps: [
        `{${W}`,
        `{${W},"metadata":{"name":"a"},"spec":{}`,
        `{${W},"metadata":{"name":"a"},"spec":{}}}`,
        `{${W},"metadata":{"name":"a"},"spec":{}} {}`,
        `{${W},"metadata":{"name":"a"},"spec":{}}\n\n`,
        `{${W},"metadata":{"name":"a"},"spec":{},}`,
        `{${W},"metadata":{"name":'a'},"spec":{}}`,
        `// comment\n{${W},"metadata":{"name":"a"}}`,
        '',
        ' ',
        'null',
        '[]',
        '"text"',
        '5',
        'true',
        '{}',
        '{"a":1}',
        '\u0000',
        'nul',
        '{"kind":5,"apiVersion":"contract.sublet.dev/v1"}',
        '{"kind":"Widget","apiVersion":{}}',
      ].map((body) => post(`${WIDGETS}?dryRun=All`, body)),
    },
    {
      name: 'truncated and trailing text for a built-in kind',
      steps: [
        '{"apiVersion":"v1"',
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}} x',
        '',
        'null',
        '[]',
        '5',
        '{}',
        '{"kind":5,"apiVersion":"v1"}',
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":[]}',
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":null}',
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":5}}',
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":[]}',
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":"x"}',
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"immutable":"x"}',
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","creationTimestamp":"x"}}',
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","generation":1.5}}',
        '{"APIVERSION":"v1","KIND":"ConfigMap","Metadata":{"Name":"a"}}',
      ].map((body) => post(`${CONFIGMAPS}?dryRun=All`, body)),
    },
    {
      name: 'bodies over the limit of 3 MiB',
      steps: [
        post(`${WIDGETS}?dryRun=All`, `${' '.repeat(3 * MIB)}{${W},"metadata":{"name":"a"}}`),
        post(CONFIGMAPS, configMap('a', { big: 'x'.repeat(3 * MIB) })),
        post(WIDGETS, widget('a'), { pick: nothing }),
        merge(`${WIDGETS}/a`, { metadata: { annotations: { big: 'x'.repeat(3 * MIB + 1) } } }),
        apply(`${WIDGETS}/a?fieldManager=m`, widget('a', { free: { big: 'x'.repeat(3 * MIB) } })),
        put(`${WIDGETS}/a`, widget('a', { free: { big: 'x'.repeat(3 * MIB) } })),
        jsonPatch(`${WIDGETS}/a`, [{ op: 'test', path: '/spec/title', value: 'x'.repeat(3 * MIB) }]),
        call('DELETE', `${WIDGETS}/a`, ' '.repeat(3 * MIB + 1), 'application/json'),
        get(`${WIDGETS}/a`, { pick: member('metadata.name') }),
      ],
    },
    {
      name: 'objects over the limit of what is stored',
      steps: [
        post(WIDGETS, widget('a', { free: { big: 'x'.repeat(1.4 * MIB) } }), { pick: member('metadata.name') }),
        post(WIDGETS, widget('b', { free: { big: 'x'.repeat(1.6 * MIB) } })),
        post(SECRETS, secret('a', { stringData: { big: 'x'.repeat(MIB + 1) } }), { pick: member('reason') }),
        post(WIDGETS, widget('c', {}, { annotations: { big: 'x'.repeat(256 * 1024 + 1) } })),
      ],
    },
    {
      name: 'deep nesting',
      steps: [
        raw(`{"free":${nested(90, '{"a":', '}')}}`),
        raw(`{"free":${nested(10_001, '{"a":', '}')}}`),
        raw(`{"free":{"a":${nested(10_001, '[', ']')}}}`),
        raw(`{"free":${nested(100_000, '{"a":', '}')}}`),
        loose(`"a":${nested(9_000, '[', ']')}`, 'deep-{id}'),
        post(
          `${CONFIGMAPS}?dryRun=All`,
          `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"x":${nested(10_001, '[', ']')}}`,
        ),
        post(`${WIDGETS}?dryRun=All`, nested(200_000, '[', ']')),
      ].map((step) => ({ ...step, pick: errorOrNothing })),
    },
    {
      name: 'deep nesting in patches',
      steps: [
        post(WIDGETS, widget('a')),
        merge(`${WIDGETS}/a?dryRun=All`, `{"spec":{"free":${nested(10_001, '{"a":', '}')}}}`),
        merge(`${WIDGETS}/a?dryRun=All`, `{"spec":{"free":${nested(5_000, '{"a":', '}')}}}`),
        jsonPatch(`${WIDGETS}/a?dryRun=All`, `[{"op":"add","path":"/spec/free","value":${nested(10_001, '[', ']')}}]`),
        apply(
          `${WIDGETS}/a?dryRun=All&fieldManager=m`,
          `{${W},"metadata":{"name":"a"},"spec":{"free":${nested(10_001, '{"a":', '}')}}}`,
        ),
      ].map((step) => ({ ...step, pick: errorOrNothing })),
    },
    {
      name: 'deep nesting and aliases in YAML',
      steps: [
        apply(
          `${WIDGETS}/a?dryRun=All&fieldManager=m`,
          `${'a:\n'}${Array.from({ length: 200 }, (_, i) => `${' '.repeat(i + 1)}a:`).join('\n')}\n`,
        ),
        apply(`${WIDGETS}/a?dryRun=All&fieldManager=m`, nested(11_000, '[', ']')),
        apply(
          `${WIDGETS}/a?dryRun=All&fieldManager=m`,
          `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
            .split('')
            .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
            .join('\n')}\n`,
        ),
        apply(`${WIDGETS}/a?dryRun=All&fieldManager=m`, 'a: &a\n  b: *a\n'),
        apply(`${WIDGETS}/a?dryRun=All&fieldManager=m`, 'a: !!binary x\nb: !custom y\n'),
        apply(`${WIDGETS}/a?dryRun=All&fieldManager=m`, '? [complex, key]\n: value\n'),
      ],
    },
    {
      name: 'text that is no UTF-8',
      steps: [
        post(`${WIDGETS}?dryRun=All`, bytes(`{${W},"metadata":{"name":"a"},"spec":{"title":"x`, 0xff, 'y"}}')),
        post(
          `${CONFIGMAPS}?dryRun=All`,
          bytes('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"x', 0xc3, 0x28, '"}}'),
        ),
        post(
          `${CONFIGMAPS}?dryRun=All`,
          bytes(0xef, 0xbb, 0xbf, '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}'),
        ),
        post(`${WIDGETS}?dryRun=All`, bytes(0xff, 0xfe, '{', 0)),
        post(`${WIDGETS}?dryRun=All`, bytes(`{${W},"metadata":{"name":"a`, 0xff, '"},"spec":{}}')),
        post(`${WIDGETS}?dryRun=All`, bytes(`{${W},"metadata":{"name":"a"},"spec":{"labels":{"k`, 0xff, '":"v"}}}')),
        call(
          'PATCH',
          `${WIDGETS}/a?fieldManager=m&dryRun=All`,
          bytes(`{${W},"metadata":{"name":"a"},"spec":{"title":"x`, 0xff, 'y"}}'),
          'application/apply-patch+yaml',
        ),
      ],
    },
    {
      name: 'escapes and control characters in texts',
      steps: [
        raw('{"title":"a\\u0000b"}'),
        raw('{"title":"a\\ud800b"}'),
        raw('{"title":"\\ud83d\\ude00x"}'),
        raw('{"title":"a\\nb"}'),
        raw('{"title":"a\nb"}'),
        raw('{"title":"a\u0000b"}'),
        raw('{"title":"a\\xb"}'),
        raw('{"title":"a\\u12"}'),
        raw('{"title":"<a&b>"}'),
        raw('{"title":"\u2028x"}'),
        raw('{"title":"one"}', 'a\\u0000'),
        post(
          `${CONFIGMAPS}?dryRun=All`,
          '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"a\\u0000b\\ud800<&>"}}',
        ),
      ],
    },
    {
      name: 'names that JavaScript knows',
      steps: [
        raw('{"__proto__":{"size":50},"constructor":{"prototype":{"x":1}}}'),
        raw('{"labels":{"__proto__":"a","constructor":"b","toString":"c"}}'),
        raw('{"free":{"__proto__":{"polluted":true},"constructor":1,"hasOwnProperty":2}}'),
        raw('{"labels":{"hasOwnProperty":"toolong"}}'),
        loose('"__proto__":{"polluted":true},"constructor":null,"toString":[1]'),
        post(
          `${CONFIGMAPS}?dryRun=All`,
          '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":{"__proto__":"x"}},"data":{"__proto__":"1","constructor":"2"}}',
        ),
        post(`${CONFIGMAPS}?dryRun=All`, '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"__proto__"}}'),
        post(
          `${CONFIGMAPS}?dryRun=All`,
          '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"constructor"},"__proto__":{"data":{"a":"b"}}}',
        ),
        get(`${WIDGETS}/constructor`),
        get('/apis/__proto__'),
        get('/apis/constructor/v1'),
        get('/api/v1/namespaces/{ns}/__proto__'),
        get(`${WIDGETS}?labelSelector=__proto__`),
        get(`${WIDGETS}?fieldSelector=metadata.__proto__%3Dx`),
      ],
    },
    {
      name: 'names that JavaScript knows, in patches',
      steps: [
        post(GADGETS, gadget('g-{id}', { a: { b: 1 } })),
        merge(`${GADGETS}/g-{id}`, '{"__proto__":{"polluted":true},"a":{"constructor":{"x":1}}}'),
        merge(`${GADGETS}/g-{id}`, '{"a":{"__proto__":null,"constructor":null}}'),
        apply(
          `${GADGETS}/g-{id}?fieldManager=m`,
          `{${G},"metadata":{"name":"g-{id}"},"__proto__":{"x":2},"toString":"t"}`,
        ),
        apply(`${GADGETS}/g-{id}?fieldManager=m`, `{${G},"metadata":{"name":"g-{id}"}}`),
        post(CONFIGMAPS, configMap('a')),
        merge(`${CONFIGMAPS}/a`, '{"data":{"__proto__":"1","constructor":"2"}}'),
        apply(
          `${CONFIGMAPS}/a?fieldManager=m`,
          '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"__proto__":"1","valueOf":"2"}}',
        ),
      ],
    },
    {
      name: 'numbers at the edges',
      steps: [
        '{"size":1.0}',
        '{"size":1e1}',
        '{"size":1e2}',
        '{"size":-0}',
        '{"size":10.5}',
        '{"large":9223372036854775807}',
        '{"large":9223372036854775808}',
        '{"large":-9223372036854775808}',
        '{"large":-9223372036854775809}',
        '{"large":9007199254740993}',
        '{"large":1e19}',
        '{"large":1e400}',
        '{"precise":1e400}',
        '{"precise":-0}',
        '{"precise":-0.0}',
        '{"precise":1.0}',
        '{"precise":5}',
        '{"precise":1e308}',
        '{"precise":5e-324}',
        '{"precise":1e-400}',
        '{"precise":0.1}',
        '{"precise":123456789012345678901234567890}',
        '{"precise":1E5}',
        '{"precise":1e21}',
        '{"precise":0.0000001}',
        '{"precise":NaN}',
        '{"precise":Infinity}',
        '{"precise":01}',
        '{"precise":.5}',
        '{"precise":1.}',
        '{"precise":+1}',
        '{"even":1e400}',
        '{"free":{"a":1.0,"b":1e2,"c":-0,"d":9223372036854775807,"e":9223372036854775808,"f":0.1}}',
        '{"port":1.0}',
        '{"port":9223372036854775808}',
      ].map((spec) => ({ ...raw(spec), pick: member('spec') })),
    },
    {
      name: 'numbers at the edges in built-in kinds',
      steps: ['1.0', '1e2', '80.5', '-0', '9223372036854775808', '1e400', '4294967376', '"80"', 'null', 'true'].map(
        (port) =>
          post(
            '/api/v1/namespaces/{ns}/services?dryRun=All',
            `{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"ports":[{"port":${port}}]}}`,
          ),
      ),
    },
    {
      name: 'numbers at the edges in patches',
      steps: [
        post(WIDGETS, widget('a')),
        merge(`${WIDGETS}/a`, '{"spec":{"size":5.0}}'),
        merge(`${WIDGETS}/a`, '{"spec":{"large":9223372036854775807}}'),
        merge(`${WIDGETS}/a`, '{"spec":{"large":9223372036854775808}}'),
        jsonPatch(`${WIDGETS}/a`, '[{"op":"add","path":"/spec/large","value":1e2}]'),
        jsonPatch(`${WIDGETS}/a`, '[{"op":"test","path":"/spec/size","value":5}]'),
        merge(`${WIDGETS}/a`, '{"spec":{"precise":1e400}}'),
        jsonPatch(`${WIDGETS}/a`, '[{"op":"add","path":"/spec/precise","value":1e400}]'),
        apply(`${WIDGETS}/a?fieldManager=m`, `{${W},"metadata":{"name":"a"},"spec":{"precise":1e400}}`),
        apply(`${WIDGETS}/a?fieldManager=m`, `{${W},"metadata":{"name":"a"},"spec":{"precise":1.50,"small":7.0}}`),
        apply(
          `${WIDGETS}/a?fieldManager=m`,
          `apiVersion: contract.sublet.dev/v1\nkind: Widget\nmetadata: {name: a}\nspec: {precise: 1e3, small: 0x10, large: 0o17, free: {a: .inf}}\n`,
        ),
        get(`${WIDGETS}/a`),
      ],
    },
    {
      name: 'duplicate keys',
      steps: [
        raw('{"title":"one","title":"two"}'),
        raw('{"inner":{"name":"a"},"inner":{"mode":"b"}}'),
        post(
          `${CONFIGMAPS}?dryRun=All`,
          '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"1"},"data":{"b":"2"}}',
        ),
        post(
          `${CONFIGMAPS}?dryRun=All`,
          '{"apiVersion":"v1","kind":"ConfigMap","kind":"Secret","metadata":{"name":"a"}}',
        ),
      ],
    },
    {
      name: 'compressed bodies that the server was not told of',
      steps: [post(`${WIDGETS}?dryRun=All`, bytes(0x1f, 0x8b, 0x08, 0x00))],
    },
  ],
};

/** Objects this deep are compared by whether they were taken. */
function errorOrNothing(body: import('../json.ts').Json): import('../json.ts').Json {
  const text = JSON.stringify(body) ?? '';
  return text.includes('"Status"') ? body : null;
}
