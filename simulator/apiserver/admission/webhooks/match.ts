import type { AdmissionRequest } from '../../kinds.ts';
import type { ApiObject } from '../../object.ts';
import { isEmptySelector, matchesSelector } from '../labelselector.ts';
import type { Rule, Webhook } from './webhook.ts';

/**
 * Whether a webhook is to be asked about a request. `namespace` is the stored one of that name. Without it, and with a selector to judge,
 * the answer is `no-namespace`.
 */
export function matchesWebhook(
  webhook: Webhook,
  request: AdmissionRequest,
  namespace: ApiObject | undefined,
): boolean | 'no-namespace' {
  if (isExempt(request)) return false;
  if (!webhook.rules.some((rule) => matchesRule(rule, request))) return false;
  if (!matchesObject(webhook.objectSelector, request)) return false;
  return matchesNamespace(webhook.namespaceSelector, request, namespace);
}

/** What decides about admission is not itself judged by webhooks, or a bad one could never be removed. */
function isExempt({ kind }: AdmissionRequest): boolean {
  return kind.group === 'admissionregistration.k8s.io';
}

function matchesRule(rule: Rule, request: AdmissionRequest): boolean {
  const { kind, operation, subresource, namespace } = request;
  const isNamespace = kind.group === '' && kind.plural === 'namespaces';
  const isClusterWide = isNamespace || namespace === '';
  if (rule.scope === 'Namespaced' && isClusterWide) return false;
  if (rule.scope === 'Cluster' && !isClusterWide) return false;
  return (
    includes(rule.operations, operation) &&
    includes(rule.apiGroups, kind.group) &&
    includes(rule.apiVersions, kind.version) &&
    rule.resources.some((resource) => matchesResource(resource, kind.plural, subresource ?? ''))
  );
}

function includes(items: readonly string[], wanted: string): boolean {
  return items.includes('*') || items.includes(wanted);
}

/** `pods` or `pods/log`, with an asterisk for either part; without a slash no subresource is meant. */
function matchesResource(pattern: string, plural: string, subresource: string): boolean {
  const [resource = '', sub = ''] = pattern.split('/', 2);
  return (resource === '*' || resource === plural) && (sub === '*' || sub === subresource);
}

function matchesObject(selector: unknown, { object, oldObject }: AdmissionRequest): boolean {
  if (isEmptySelector(selector)) return true;
  return [object, oldObject].some((one) => one !== undefined && matchesSelector(selector, one.metadata.labels ?? {}));
}

function matchesNamespace(
  selector: unknown,
  request: AdmissionRequest,
  stored: ApiObject | undefined,
): boolean | 'no-namespace' {
  const { kind, namespace, subresource, operation, object } = request;
  const isNamespace = kind.plural === 'namespaces';
  if ((namespace === '' && !isNamespace) || isEmptySelector(selector)) return true;
  const isOwn = isNamespace && subresource === undefined && operation !== 'DELETE';
  const judged = isOwn ? object : stored;
  return judged === undefined ? 'no-namespace' : matchesSelector(selector, judged.metadata.labels ?? {});
}
