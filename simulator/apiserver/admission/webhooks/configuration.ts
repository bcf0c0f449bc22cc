import type { ApiObject } from '../../object.ts';
import {
  childPath,
  duplicate,
  type FieldError,
  forbidden,
  indexPath,
  invalid,
  notSupported,
  required,
} from '../../schema/fielderror.ts';
import { isObject, type JsonObject } from '../../schema/json.ts';

/** Fills in what a `ValidatingWebhookConfiguration`, which it changes, leaves out. */
export function setWebhookDefaults({ webhooks }: JsonObject): void {
  for (const webhook of Array.isArray(webhooks) ? webhooks.filter(isObject) : []) {
    for (const [member, value] of Object.entries(DEFAULTS)) webhook[member] ??= value();
    for (const rule of Array.isArray(webhook.rules) ? webhook.rules.filter(isObject) : []) rule.scope ??= '*';
  }
}

const DEFAULTS: Readonly<Record<string, () => unknown>> = {
  failurePolicy: () => 'Fail',
  matchPolicy: () => 'Equivalent',
  namespaceSelector: () => ({}),
  objectSelector: () => ({}),
  timeoutSeconds: () => 10,
};

/** What the API server refuses, and what only this server does: `service` and `matchConditions`, each by its name. */
export function validateConfiguration(object: ApiObject): readonly FieldError[] {
  const webhooks = Array.isArray(object.webhooks) ? object.webhooks.filter(isObject) : [];
  const names = new Set<unknown>();
  return webhooks.flatMap((webhook, index) => {
    const at = indexPath('webhooks', index);
    const errors = [...validateWebhook(webhook, at), ...validateVersions(webhook.admissionReviewVersions, at)];
    if (names.has(webhook.name)) errors.push(duplicate(`${at}.name`, webhook.name));
    names.add(webhook.name);
    return errors;
  });
}

function validateWebhook(webhook: JsonObject, at: string): FieldError[] {
  const errors = [...validateName(webhook.name, `${at}.name`)];
  const rules = Array.isArray(webhook.rules) ? webhook.rules.filter(isObject) : [];
  for (const [index, rule] of rules.entries()) errors.push(...validateRule(rule, indexPath(`${at}.rules`, index)));
  for (const [field, values] of ENUMS) {
    const value = webhook[field];
    if (value !== undefined && !values.includes(String(value))) {
      errors.push(notSupported(`${at}.${field}`, value, values));
    }
  }
  const { sideEffects, timeoutSeconds, matchConditions } = webhook;
  if (sideEffects === undefined) {
    errors.push(required(`${at}.sideEffects`, `must specify one of ${SIDE_EFFECTS.join(', ')}`));
  }
  if (typeof timeoutSeconds === 'number' && (timeoutSeconds > 30 || timeoutSeconds < 1)) {
    errors.push(invalid(`${at}.timeoutSeconds`, timeoutSeconds, 'the timeout value must be between 1 and 30 seconds'));
  }
  errors.push(...validateClient(isObject(webhook.clientConfig) ? webhook.clientConfig : {}, `${at}.clientConfig`));
  if (Array.isArray(matchConditions) && matchConditions.length > 0) {
    errors.push(forbidden(`${at}.matchConditions`, 'the embedded API server does not evaluate match conditions'));
  }
  return errors;
}

const SIDE_EFFECTS = ['None', 'NoneOnDryRun'] as const;
const ENUMS: readonly (readonly [string, readonly string[]])[] = [
  ['failurePolicy', ['Fail', 'Ignore']],
  ['matchPolicy', ['Equivalent', 'Exact']],
  ['sideEffects', SIDE_EFFECTS],
];

function validateName(name: unknown, at: string): readonly FieldError[] {
  if (typeof name !== 'string' || name === '') return [required(at, '')];
  if (!SUBDOMAIN.test(name) || name.length > 253) return [invalid(at, name, SUBDOMAIN_RULE)];
  if (name.split('.').length < 3) {
    return [invalid(at, name, 'should be a domain with at least three segments separated by dots')];
  }
  return [];
}

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with " +
  "an alphanumeric character (e.g. 'example.com', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

function validateRule(rule: JsonObject, at: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const operations = listOf(rule.operations);
  if (operations.length === 0) errors.push(required(`${at}.operations`, ''));
  if (operations.length > 1 && operations.includes('*')) {
    errors.push(invalid(`${at}.operations`, operations, "if '*' is present, must not specify other operations"));
  }
  for (const [index, operation] of operations.entries()) {
    if (!OPERATIONS.includes(String(operation))) {
      errors.push(notSupported(indexPath(`${at}.operations`, index), operation, OPERATIONS));
    }
  }
  for (const [field, words] of [
    ['apiGroups', 'API groups'],
    ['apiVersions', 'API versions'],
  ] as const) {
    const values = listOf(rule[field]);
    if (values.length === 0) errors.push(required(`${at}.${field}`, ''));
    if (values.length > 1 && values.includes('*')) {
      errors.push(invalid(`${at}.${field}`, values, `if '*' is present, must not specify other ${words}`));
    }
  }
  if (listOf(rule.resources).length === 0) errors.push(required(`${at}.resources`, ''));
  if (rule.scope !== undefined && !SCOPES.includes(String(rule.scope))) {
    errors.push(notSupported(`${at}.scope`, rule.scope, SCOPES));
  }
  return errors;
}

const OPERATIONS: readonly string[] = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const SCOPES: readonly string[] = ['*', 'Cluster', 'Namespaced'];

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function validateClient({ url, service }: JsonObject, at: string): readonly FieldError[] {
  if ((url === undefined) === (service === undefined)) {
    return [required(at, 'exactly one of url or service is required')];
  }
  if (service !== undefined) {
    return [forbidden(`${at}.service`, 'the embedded API server has no Services to send to: use url')];
  }
  return validateUrl(String(url), childPath(at, 'url'));
}

const URL_FORM = '; desired format: https://host[/path]';

function validateUrl(text: string, at: string): readonly FieldError[] {
  if (!URL.canParse(text)) return [required(at, `url must be a valid URL: parse ${JSON.stringify(text)}${URL_FORM}`)];
  const url = new URL(text);
  const errors: FieldError[] = [];
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== 'https') errors.push(invalid(at, scheme, `'https' is the only allowed URL scheme${URL_FORM}`));
  if (url.host === '') errors.push(invalid(at, '', `host must be specified${URL_FORM}`));
  if (url.username !== '') errors.push(invalid(at, url.username, 'user information is not permitted in the URL'));
  if (url.hash !== '') errors.push(invalid(at, url.hash.slice(1), 'fragments are not permitted in the URL'));
  if (url.search !== '') {
    errors.push(invalid(at, url.search.slice(1), 'query parameters are not permitted in the URL'));
  }
  return errors;
}

const VERSIONS: readonly string[] = ['v1', 'v1beta1'];

/** This server asks in v1 only, so a webhook that takes v1beta1 alone is refused where the real one would ask it so. */
function validateVersions(value: unknown, webhook: string): readonly FieldError[] {
  const at = `${webhook}.admissionReviewVersions`;
  const versions = listOf(value);
  if (versions.length === 0) return [required(at, `must specify one of ${VERSIONS.join(', ')}`)];
  if (!versions.some((version) => VERSIONS.includes(String(version)))) {
    return [invalid(at, versions, `must include at least one of ${VERSIONS.join(', ')}`)];
  }
  if (!versions.includes('v1')) return [forbidden(at, 'the embedded API server asks in v1 only')];
  return [];
}
