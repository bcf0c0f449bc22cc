import { call, get, post } from '../case.ts';
import { member } from '../picks.ts';
import { CONFIGMAPS, configMap, SERVICEACCOUNTS, WIDGETS, widget } from '../resources.ts';
import type { Subject } from '../suite.ts';

const A = `${WIDGETS}/a`;
const made = post(WIDGETS, widget('a'));

export const http: Subject = {
  subject: 'HTTP',
  cases: [
    {
      name: 'methods that a path does not have',
      steps: [
        made,
        call('POST', A, widget('a'), 'application/json'),
        call('PATCH', WIDGETS, {}, 'application/merge-patch+json'),
        call('PUT', WIDGETS, widget('a'), 'application/json'),
        call('OPTIONS', A),
        call('TRACE', A),
        call('HEAD', A),
        call('BREW', A),
        call('POST', `${A}/status`, widget('a'), 'application/json'),
        call('DELETE', '/apis', undefined, undefined, { pick: member('kind') }),
        call('POST', '/api', {}, 'application/json'),
        call('DELETE', '/version'),
        call('POST', '/healthz', {}, 'application/json'),
        call('PUT', `${SERVICEACCOUNTS}/default/token`, {}, 'application/json'),
        call('GET', `${SERVICEACCOUNTS}/default/nothing`),
      ],
    },
    {
      name: 'paths that are not there',
      steps: [
        '/nothing',
        '/api/v1/nothings',
        '/api/v1/namespaces/{ns}/nothings',
        '/api/v1/namespaces/{ns}/nothings/a',
        '/api/v1/namespaces/{ns}/configmaps/a/nothing',
        '/api/v1/namespaces/{ns}/configmaps/a/status',
        '/api/v1/configmaps/a',
        '/apis/contract.sublet.dev/v1/widgets/a',
        '/apis/contract.sublet.dev/v1/namespaces/{ns}/gadgets',
        '/apis/contract.sublet.dev/v1/namespaces/{ns}/gadgets/a',
        '/apis/contract.sublet.dev/v1/namespaces/{ns}',
        '/apis/contract.sublet.dev/v1/namespaces/{ns}/',
        '/api/v1/namespaces/{ns}/namespaces/a',
        '/apis/v1',
        '/apis/contract.sublet.dev/v1/nothings?watch=true',
        '/api/v1/namespaces/{ns}/configmaps/a/b/c/d',
      ].map((path) => get(path)),
    },
    {
      name: 'odd slashes, dots and escapes in paths',
      steps: [
        made,
        ...[
          `${WIDGETS}/`,
          `${WIDGETS}/a/`,
          '/apis//contract.sublet.dev/v1/namespaces/{ns}/widgets/a',
          '//apis/contract.sublet.dev/v1/namespaces/{ns}/widgets/a',
          '/apis/contract.sublet.dev/v1/namespaces/{ns}/widgets/../widgets/a',
          '/apis/contract.sublet.dev/v1/namespaces/{ns}/widgets/./a',
          '/apis/contract.sublet.dev/v1/namespaces/{ns}/widgets/..',
          `${WIDGETS}/%61`,
          `${WIDGETS}/a%2Fb`,
          `${WIDGETS}/a%2Fstatus`,
          `${WIDGETS}/..%2Fwidgets%2Fa`,
          `${WIDGETS}/%2E%2E`,
          `${WIDGETS}/%00`,
          `${WIDGETS}/%zz`,
          `${WIDGETS}/%C3%BC`,
          `${WIDGETS}/%ff`,
          '/apis/contract.sublet.dev/v1/namespaces//widgets/a',
          '/apis/contract.sublet.dev/v1/namespaces/%20/widgets',
          '/apis/Contract.Sublet.Dev/v1/namespaces/{ns}/widgets/a',
          '/apis/contract.sublet.dev/v1/namespaces/{ns}/Widgets/a',
        ].map((path) => get(path)),
      ],
    },
    {
      name: 'very long names and paths',
      steps: [
        get(`${WIDGETS}/${'x'.repeat(254)}`),
        get(`${WIDGETS}/${'x'.repeat(4_000)}`),
        get(`${CONFIGMAPS}/${'x'.repeat(4_000)}`),
        get(`${WIDGETS}?labelSelector=${'x'.repeat(8_000)}`),
        get(`/${'a/'.repeat(500)}`),
      ],
    },
    {
      name: 'odd queries',
      steps: [
        made,
        get(`${WIDGETS}?limit`),
        get(`${WIDGETS}?limit=`),
        get(`${WIDGETS}?limit=1&limit=2`),
        get(`${WIDGETS}?limit=9223372036854775807`),
        get(`${WIDGETS}?limit=9223372036854775808`),
        get(`${WIDGETS}?limit=1.5`),
        get(`${WIDGETS}?limit=0x1`),
        get(`${WIDGETS}?labelSelector=%zz`),
        get(`${WIDGETS}?labelSelector=%00`),
        get(`${WIDGETS}?labelSelector=a;b`),
        get(`${WIDGETS}?&&=&a=b&`),
        get(`${WIDGETS}?resourceVersion=%20`),
        get(`${WIDGETS}?timeoutSeconds=-1`),
        get(`${WIDGETS}?__proto__=1&constructor=2`),
        get(`${A}?limit=x`),
      ],
    },
    {
      name: 'without authentication, and with a wrong one',
      steps: [
        get(WIDGETS, { headers: { authorization: 'Bearer wrong' } }),
        get(WIDGETS, { headers: { authorization: 'Basic dXNlcjpwYXNz' } }),
        get('/healthz', { headers: { authorization: 'Bearer wrong' } }),
        get('/version', { headers: { authorization: 'Bearer wrong' } }),
        get('/nothing', { headers: { authorization: 'Bearer wrong' } }),
      ],
    },
    {
      name: 'content types of a create',
      steps: [
        'text/plain',
        'application/json;charset=utf-8',
        'application/xml',
        'application/x-www-form-urlencoded',
        'APPLICATION/JSON',
        'application/json; charset=latin1',
        'application/merge-patch+json',
        'application/json;as=Table',
        'not a type',
        'application/cbor',
      ]
        .map((type, index) => call('POST', WIDGETS, widget(`w${index}`), type))
        .concat([call('POST', WIDGETS, widget('none')), call('POST', CONFIGMAPS, configMap('a'), 'text/plain')]),
    },
    {
      name: 'bodies where none belongs',
      steps: [
        made,
        call('GET', A, '{"ignored":true}', 'application/json'),
        call('DELETE', A, 'text', 'text/plain'),
        call('DELETE', A, 'apiVersion: v1\nkind: DeleteOptions\n', 'application/yaml'),
      ],
    },
  ],
};
