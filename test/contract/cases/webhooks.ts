import { del, get, merge, post, status } from '../case.ts';
import type { JsonObject } from '../json.ts';
import { nothing } from '../picks.ts';
import { CONFIGMAPS, configMap, SECRETS, secret } from '../resources.ts';
import type { Subject } from '../suite.ts';

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const RULE = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] };

/** Nobody listens at its address, and it is asked for the case's namespace only. */
function webhook(rest: JsonObject = {}): JsonObject {
  return {
    name: 'deaf.example.com',
    clientConfig: { url: 'https://127.0.0.1:1/judge' },
    rules: [RULE],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': '{ns}' } },
    ...rest,
  };
}

function configuration(...webhooks: readonly JsonObject[]): JsonObject {
  const kind = 'ValidatingWebhookConfiguration';
  return { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name: '{id}-hook' }, webhooks };
}

const register = (rest: JsonObject = {}) => post(CONFIGURATIONS, configuration(webhook(rest)));
const dismiss = del(`${CONFIGURATIONS}/{id}-hook`, undefined, { pick: nothing });
/** A real server hears of a configuration a moment later. */
const untilAsked = post(`${CONFIGMAPS}?dryRun=All`, configMap('probe'), { until: status(500) });

export const webhooks: Subject = {
  subject: 'webhooks',
  cases: [
    {
      name: 'a webhook that cannot be reached refuses, until it is taken away',
      steps: [
        register(),
        untilAsked,
        post(CONFIGMAPS, configMap('a')),
        post(SECRETS, secret('a')),
        dismiss,
        post(`${CONFIGMAPS}?dryRun=All`, configMap('probe'), { until: status(201), pick: nothing }),
        post(CONFIGMAPS, configMap('a')),
      ],
    },
    {
      name: 'a webhook that cannot be reached and may be passed over',
      steps: [
        register({ failurePolicy: 'Ignore' }),
        post(CONFIGMAPS, configMap('a')),
        get(`${CONFIGURATIONS}/{id}-hook`),
        dismiss,
      ],
    },
    {
      name: 'a webhook is asked by operation, object and path',
      steps: [
        register({ objectSelector: { matchExpressions: [{ key: 'judge', operator: 'In', values: ['me'] }] } }),
        post(`${CONFIGMAPS}?dryRun=All`, configMap('probe', {}, { labels: { judge: 'me' } }), { until: status(500) }),
        post(CONFIGMAPS, configMap('b', {}, { labels: { judge: 'not' } })),
        merge(`${CONFIGMAPS}/b`, { metadata: { labels: { judge: 'me' } } }),
        del(`${CONFIGMAPS}/b`),
        dismiss,
      ],
    },
    {
      name: 'a configuration has defaults and generations',
      steps: [
        register(),
        merge(`${CONFIGURATIONS}/{id}-hook`, { metadata: { labels: { a: 'b' } } }),
        merge(`${CONFIGURATIONS}/{id}-hook`, { webhooks: [webhook({ timeoutSeconds: 3 })] }),
        merge(`${CONFIGURATIONS}/{id}-hook`, { webhooks: null }),
        dismiss,
      ],
    },
    {
      name: 'configurations that are refused',
      steps: [
        register({ name: 'short' }),
        register({ name: 'Upper.example.com' }),
        register({ clientConfig: {} }),
        register({ clientConfig: { url: 'http://127.0.0.1/x' } }),
        register({ clientConfig: { url: 'https://127.0.0.1/x?y=1' } }),
        register({ clientConfig: { url: 'https://127.0.0.1/x#y' } }),
        register({ timeoutSeconds: 31 }),
        register({ timeoutSeconds: 0 }),
        register({ sideEffects: 'Some' }),
        register({ sideEffects: null }),
        register({ failurePolicy: 'Maybe' }),
        register({ matchPolicy: 'Roughly' }),
        register({ admissionReviewVersions: [] }),
        register({ admissionReviewVersions: ['v9'] }),
        register({ rules: [{ ...RULE, operations: [] }] }),
        register({ rules: [{ ...RULE, operations: ['READ'] }] }),
        register({ rules: [{ ...RULE, operations: ['*', 'CREATE'] }] }),
        register({ rules: [{ ...RULE, apiGroups: ['*', 'apps'] }] }),
        register({ rules: [{ ...RULE, apiVersions: [] }] }),
        register({ rules: [{ ...RULE, resources: [] }] }),
        register({ rules: [{ ...RULE, scope: 'Galaxy' }] }),
        post(CONFIGURATIONS, configuration(webhook(), webhook())),
      ],
    },
  ],
};
