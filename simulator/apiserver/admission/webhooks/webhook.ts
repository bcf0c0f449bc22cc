import type { ApiObject } from '../../object.ts';
import { isObject, type JsonObject } from '../../schema/json.ts';

/** One webhook of a ValidatingWebhookConfiguration, with its defaults. */
export type Webhook = {
  readonly name: string;
  readonly url: string;
  /** PEM. */
  readonly ca: string | undefined;
  readonly rules: readonly Rule[];
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly namespaceSelector: unknown;
  readonly objectSelector: unknown;
  readonly sideEffects: string;
  readonly timeoutSeconds: number;
};

export type Rule = {
  readonly operations: readonly string[];
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly scope: string;
};

/** The webhooks of a configuration that the server took, in their order. */
export function parseWebhooks(configuration: ApiObject): readonly Webhook[] {
  const known = parsed.get(configuration);
  if (known !== undefined) return known;
  const webhooks = objectsOf(configuration.webhooks).map(parseWebhook);
  parsed.set(configuration, webhooks);
  return webhooks;
}

/** Stored objects are never changed, so what was read of one holds for good. */
const parsed = new WeakMap<ApiObject, readonly Webhook[]>();

function parseWebhook(webhook: JsonObject): Webhook {
  const { url, caBundle } = isObject(webhook.clientConfig) ? webhook.clientConfig : {};
  return {
    name: String(webhook.name),
    url: String(url),
    ca: typeof caBundle === 'string' ? Buffer.from(caBundle, 'base64').toString('utf8') : undefined,
    rules: objectsOf(webhook.rules).map((rule) => ({
      operations: textsOf(rule.operations),
      apiGroups: textsOf(rule.apiGroups),
      apiVersions: textsOf(rule.apiVersions),
      resources: textsOf(rule.resources),
      scope: typeof rule.scope === 'string' ? rule.scope : '*',
    })),
    failurePolicy: webhook.failurePolicy === 'Ignore' ? 'Ignore' : 'Fail',
    namespaceSelector: webhook.namespaceSelector,
    objectSelector: webhook.objectSelector,
    sideEffects: String(webhook.sideEffects),
    timeoutSeconds: typeof webhook.timeoutSeconds === 'number' ? webhook.timeoutSeconds : 10,
  };
}

function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
