import { expect, it } from 'vitest';
import { createTestServer } from '../controllers/testing/server.ts';

const REGISTRATION = '/apis/admissionregistration.k8s.io/v1';
const CONFIGURATIONS = `${REGISTRATION}/validatingwebhookconfigurations`;
const HOOK = {
  name: 'a.example.com',
  clientConfig: { url: 'https://127.0.0.1:1/x' },
  rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
};

const register = (...webhooks: readonly object[]) =>
  createTestServer().call('POST', CONFIGURATIONS, { metadata: { name: 'a' }, webhooks });

it('fills in what a webhook leaves out', async () => {
  const { body } = await register(HOOK);
  expect(body.webhooks[0]).toEqual({
    ...HOOK,
    rules: [{ ...HOOK.rules[0], scope: '*' }],
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 10,
  });
  expect(body.metadata.generation).toBe(1);
});

it('takes a configuration without webhooks', async () => {
  expect((await register()).status).toBe(201);
});

it('counts generations by the webhooks', async () => {
  const api = createTestServer();
  await api.call('POST', CONFIGURATIONS, { metadata: { name: 'a' }, webhooks: [HOOK] });
  const patch = (body: object) => api.call('PATCH', `${CONFIGURATIONS}/a`, body, 'application/merge-patch+json');
  expect((await patch({ metadata: { labels: { a: 'b' } } })).body.metadata.generation).toBe(1);
  expect((await patch({ webhooks: [{ ...HOOK, timeoutSeconds: 3 }] })).body.metadata.generation).toBe(2);
});

const cases: readonly (readonly [string, object, string])[] = [
  ['no name', { name: '' }, 'webhooks[0].name: Required value'],
  [
    'a short name',
    { name: 'a.b' },
    'webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots',
  ],
  ['an odd name', { name: 'A.b.c' }, 'webhooks[0].name: Invalid value: "A.b.c": a lowercase RFC 1123 subdomain must'],
  [
    'plain HTTP',
    { clientConfig: { url: 'http://a/x' } },
    `webhooks[0].clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
  ],
  [
    'a query',
    { clientConfig: { url: 'https://a/x?y=1' } },
    'webhooks[0].clientConfig.url: Invalid value: "y=1": query parameters are not permitted in the URL',
  ],
  ['a fragment', { clientConfig: { url: 'https://a/x#y' } }, 'fragments are not permitted in the URL'],
  ['a user', { clientConfig: { url: 'https://u@a/x' } }, 'user information is not permitted in the URL'],
  [
    'no client',
    { clientConfig: {} },
    'webhooks[0].clientConfig: Required value: exactly one of url or service is required',
  ],
  [
    'a service',
    { clientConfig: { service: { name: 'a', namespace: 'b' } } },
    'webhooks[0].clientConfig.service: Forbidden: the embedded API server has no Services to send to: use url',
  ],
  [
    'a long wait',
    { timeoutSeconds: 31 },
    'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
  ],
  [
    'side effects',
    { sideEffects: 'Some' },
    'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
  ],
  [
    'unstated side effects',
    { sideEffects: undefined },
    'webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun',
  ],
  [
    'an odd policy',
    { failurePolicy: 'Maybe' },
    'webhooks[0].failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"',
  ],
  [
    'match conditions',
    { matchConditions: [{ name: 'a', expression: 'true' }] },
    'webhooks[0].matchConditions: Forbidden: the embedded API server does not evaluate match conditions',
  ],
  [
    'no versions',
    { admissionReviewVersions: [] },
    'webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1',
  ],
  [
    'unknown versions',
    { admissionReviewVersions: ['v9'] },
    'webhooks[0].admissionReviewVersions: Invalid value: ["v9"]: must include at least one of v1, v1beta1',
  ],
  [
    'an old version only',
    { admissionReviewVersions: ['v1beta1'] },
    'webhooks[0].admissionReviewVersions: Forbidden: the embedded API server asks in v1 only',
  ],
  [
    'no operations',
    { rules: [{ ...HOOK.rules[0], operations: [] }] },
    'webhooks[0].rules[0].operations: Required value',
  ],
  [
    'an odd operation',
    { rules: [{ ...HOOK.rules[0], operations: ['READ'] }] },
    'webhooks[0].rules[0].operations[0]: Unsupported value: "READ": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
  ],
  [
    'all groups and one',
    { rules: [{ ...HOOK.rules[0], apiGroups: ['*', 'a'] }] },
    "if '*' is present, must not specify other API groups",
  ],
  [
    'an odd scope',
    { rules: [{ ...HOOK.rules[0], scope: 'Galaxy' }] },
    'webhooks[0].rules[0].scope: Unsupported value: "Galaxy": supported values: "*", "Cluster", "Namespaced"',
  ],
];

it.each(cases)('refuses %s', async (_, change, message) => {
  const { status, body } = await register({ ...HOOK, ...change });
  expect(status).toBe(422);
  expect(body.message).toContain(message);
});

it('refuses two webhooks of one name', async () => {
  expect((await register(HOOK, HOOK)).body.message).toContain('webhooks[1].name: Duplicate value: "a.example.com"');
});

it('refuses by name what it would never do', async () => {
  const api = createTestServer();
  const mutating = { metadata: { name: 'a' }, webhooks: [HOOK] };
  const { body } = await api.call('POST', `${REGISTRATION}/mutatingwebhookconfigurations`, mutating);
  expect(body.message).toContain('webhooks: Forbidden: the embedded API server calls no mutating webhooks');
  const quota = { metadata: { name: 'a' }, spec: { hard: { 'requests.cpu': '1', 'count/pods': '1' } } };
  const answer = await api.call('POST', '/api/v1/namespaces/default/resourcequotas', quota);
  expect(answer.body.message).toBe(
    'ResourceQuota "a" is invalid: spec.hard[requests.cpu]: Forbidden: the embedded API server limits counts of objects only',
  );
});

const quotas: readonly (readonly [string, string, string])[] = [
  ['count/secrets', '-1', 'spec.hard[count/secrets]: Invalid value: "-1": must be greater than or equal to 0'],
  ['count/secrets', '1.5', 'spec.hard[count/secrets]: Invalid value: "1500m": must be an integer'],
  ['tenants', '1', 'spec.hard[tenants]: Invalid value: "tenants": must be a standard resource for quota'],
  [
    'bad name',
    '1',
    '[spec.hard[bad name]: Invalid value: "bad name": must be a standard resource for quota, spec.hard[bad name]: Invalid value: "bad name": name part must consist of',
  ],
];

it.each(quotas)('refuses a limit of %s to %s', async (name, limit, message) => {
  const quota = { metadata: { name: 'q' }, spec: { hard: { [name]: limit } } };
  const { status, body } = await createTestServer().call('POST', '/api/v1/namespaces/default/resourcequotas', quota);
  expect(status).toBe(422);
  expect(body.message).toContain(`ResourceQuota "q" is invalid: ${message}`);
});

it('refuses a quota for some objects of a kind', async () => {
  const quota = { metadata: { name: 'q' }, spec: { hard: { 'count/pods': '1' }, scopes: ['BestEffort'] } };
  const { body } = await createTestServer().call('POST', '/api/v1/namespaces/default/resourcequotas', quota);
  expect(body.message).toContain('spec.scopes: Forbidden: the embedded API server counts all objects of a kind');
});
