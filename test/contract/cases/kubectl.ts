import { call, get, kubectl, merge, post } from '../case.ts';
import type { JsonObject } from '../json.ts';
import { CONFIGMAPS, configMap, NAMESPACES, RDPINSTANCES, sublet, WIDGETS, widget } from '../resources.ts';
import type { Subject } from '../suite.ts';

const LAST = 'kubectl.kubernetes.io/last-applied-configuration';
const TABLE =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';
const desk = (spec: JsonObject = {}): JsonObject =>
  sublet('RDPInstance', 'desk', { plan: 'pro', image: 'ubuntu-24', username: 'anna', ...spec }, { namespace: '{ns}' });
const inNamespace = ['-n', '{ns}'];

export const kubectls: Subject = {
  subject: 'kubectl',
  cases: [
    {
      name: 'creates, gets, describes and deletes',
      steps: [
        kubectl(['create', '-f', '-', ...inNamespace], desk()),
        kubectl(['get', 'rdp', ...inNamespace]),
        kubectl(['get', 'rdp', 'desk', ...inNamespace, '-o', 'jsonpath={.spec.plan}']),
        kubectl(['get', 'rdpinstances.sublet.dev', ...inNamespace, '-o', 'name']),
        kubectl(['get', 'sublet', ...inNamespace, '--no-headers']),
        kubectl(['delete', 'rdp', 'desk', ...inNamespace]),
        kubectl(['get', 'rdp', ...inNamespace]),
      ],
    },
    {
      name: 'applies on the client and on the server',
      steps: [
        kubectl(['apply', '-f', '-'], desk()),
        kubectl(['apply', '-f', '-'], desk({ power: 'Stopped' })),
        kubectl(['apply', '-f', '-'], desk({ power: 'Stopped' })),
        get(`${RDPINSTANCES}/desk`),
        kubectl(['apply', '--server-side', '-f', '-'], desk({ power: 'Running' })),
        get(`${RDPINSTANCES}/desk`),
        kubectl(['apply', '--server-side', '--field-manager=other', '-f', '-'], desk({ power: 'Stopped' })),
        kubectl(
          ['apply', '--server-side', '--force-conflicts', '--field-manager=other', '-f', '-'],
          desk({ power: 'Stopped' }),
        ),
      ],
    },
    {
      name: 'says what is wrong',
      steps: [
        kubectl(['create', '-f', '-'], desk({ cpus: 4 })),
        kubectl(['create', '-f', '-', '--validate=warn', '--dry-run=server'], desk({ cpus: 4 })),
        kubectl(['create', '-f', '-'], desk({ power: 'On' })),
        kubectl(['get', 'rdp', 'none', ...inNamespace]),
        kubectl(['get', 'nothings']),
      ],
    },
    {
      name: 'labels, annotates, patches',
      steps: [
        post(WIDGETS, widget('a')),
        kubectl(['label', 'widget', 'a', 'x=y', ...inNamespace]),
        kubectl(['annotate', 'wg', 'a', 'x=y', ...inNamespace]),
        kubectl(['patch', 'widget', 'a', '--type=merge', '-p', '{"spec":{"size":9}}', ...inNamespace]),
        kubectl(['patch', 'widget', 'a', '--type=json', '-p', '[{"op":"remove","path":"/spec/size"}]', ...inNamespace]),
        kubectl([
          'patch',
          'widget',
          'a',
          '--subresource=status',
          '--type=merge',
          '-p',
          '{"status":{"phase":"x"}}',
          ...inNamespace,
        ]),
        get(`${WIDGETS}/a`),
      ],
    },
    {
      name: 'knows the kinds',
      steps: [
        kubectl(['api-resources', '--api-group=sublet.dev', '--no-headers']),
        kubectl(['api-resources', '--api-group=contract.sublet.dev', '-o', 'wide', '--no-headers']),
        kubectl(['explain', 'rdpinstance.spec.power']),
        kubectl(['explain', 'tenants.sublet.dev', '--recursive']),
      ],
    },
    {
      name: 'waits, and watches for a while',
      steps: [
        post(RDPINSTANCES, desk()),
        merge(`${RDPINSTANCES}/desk/status`, {
          status: {
            observedGeneration: 1,
            conditions: [
              {
                type: 'Ready',
                status: 'True',
                reason: 'Done',
                message: '',
                lastTransitionTime: '2020-01-01T00:00:00Z',
              },
            ],
          },
        }),
        kubectl(['wait', '--for=condition=Ready', 'rdp/desk', ...inNamespace, '--timeout=20s']),
        kubectl(['wait', '--for=condition=Live', 'rdp/desk', ...inNamespace, '--timeout=1s']),
        kubectl(['get', 'rdp', ...inNamespace, '--watch', '--request-timeout=5s', '--output-watch-events']),
      ],
    },
    {
      name: 'built-in kinds',
      steps: [
        kubectl(['create', 'configmap', 'a', '--from-literal=k=v', ...inNamespace]),
        kubectl(['get', 'configmap', 'a', ...inNamespace]),
        kubectl(['apply', '-f', '-', ...inNamespace], configMap('b', { k: 'v' })),
        kubectl(['apply', '-f', '-', ...inNamespace], configMap('b', { l: 'w' })),
        kubectl(['create', 'secret', 'generic', 's', '--from-literal=k=v', ...inNamespace]),
        kubectl(['get', 'secret', ...inNamespace]),
        kubectl(['delete', 'configmap', 'a', 'b', ...inNamespace]),
        kubectl(['get', 'namespace', '{ns}']),
      ],
    },
    {
      name: 'the requests of client-side apply',
      steps: [
        get(`${RDPINSTANCES}/desk`),
        post(`${RDPINSTANCES}?fieldManager=kubectl-client-side-apply&fieldValidation=Strict`, {
          ...desk(),
          metadata: { name: 'desk', namespace: '{ns}', annotations: { [LAST]: '{}\n' } },
        }),
        call(
          'PATCH',
          `${RDPINSTANCES}/desk?fieldManager=kubectl-client-side-apply&fieldValidation=Strict`,
          { metadata: { annotations: { [LAST]: '{"spec":1}\n' } }, spec: { power: 'Stopped' } },
          'application/merge-patch+json',
        ),
        get(`${RDPINSTANCES}?limit=500`, { headers: { accept: TABLE } }),
        get(`${NAMESPACES}/{ns}`, { headers: { accept: TABLE } }),
        post(CONFIGMAPS, configMap('a')),
      ],
    },
  ],
};
