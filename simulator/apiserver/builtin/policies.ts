import { type ApiObject, objectAt } from '../object.ts';
import { type FieldError, invalid, notSupported, required } from '../schema/index.ts';
import { equalJson, isObject, type JsonObject } from '../schema/json.ts';

const RBAC = 'rbac.authorization.k8s.io';

export function validateRole(object: ApiObject): readonly FieldError[] {
  return itemsOf(object, 'rules').flatMap((rule, index) => checkRule(rule, `rules[${index}]`, object.kind === 'Role'));
}

function checkRule(rule: JsonObject, path: string, isNamespaced: boolean): readonly FieldError[] {
  const errors: FieldError[] = [];
  const has = (member: string): boolean => Array.isArray(rule[member]) && rule[member].length > 0;
  if (!has('verbs')) errors.push(required(`${path}.verbs`, 'verbs must contain at least one value'));
  if (has('nonResourceURLs')) {
    const urls = rule.nonResourceURLs;
    const why = 'namespaced rules cannot apply to non-resource URLs';
    if (isNamespaced) errors.push(invalid(`${path}.nonResourceURLs`, urls, why));
    const both = 'rules cannot apply to both regular resources and non-resource URLs';
    const clash = has('apiGroups') || has('resources') || has('resourceNames');
    if (clash) errors.push(invalid(`${path}.nonResourceURLs`, urls, both));
    return errors;
  }
  if (!has('apiGroups')) {
    errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  }
  if (!has('resources')) errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
  return errors;
}

export function validateBinding(object: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { apiGroup, kind, name } = objectAt(object, 'roleRef');
  if (apiGroup !== RBAC) errors.push(notSupported('roleRef.apiGroup', apiGroup, [RBAC]));
  const kinds = object.kind === 'RoleBinding' ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (!kinds.includes(String(kind))) errors.push(notSupported('roleRef.kind', kind, kinds));
  if (name === undefined || name === '') errors.push(required('roleRef.name', ''));
  for (const [index, subject] of itemsOf(object, 'subjects').entries()) {
    errors.push(...checkSubject(subject, `subjects[${index}]`));
  }
  if (old !== undefined && !equalJson(old.roleRef, object.roleRef)) {
    errors.push(invalid('roleRef', object.roleRef, 'cannot change roleRef'));
  }
  return errors;
}

function checkSubject({ kind, name, namespace, apiGroup = '' }: JsonObject, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (name === undefined || name === '') errors.push(required(`${path}.name`, ''));
  switch (kind) {
    case 'ServiceAccount':
      if (apiGroup !== '') errors.push(notSupported(`${path}.apiGroup`, apiGroup, ['']));
      if (namespace === undefined || namespace === '') errors.push(required(`${path}.namespace`, ''));
      break;
    case 'User':
    case 'Group':
      if (apiGroup !== RBAC) errors.push(notSupported(`${path}.apiGroup`, apiGroup, [RBAC]));
      break;
    default:
      errors.push(notSupported(`${path}.kind`, kind, ['Group', 'ServiceAccount', 'User']));
  }
  return errors;
}

export function validateLease(object: ApiObject): readonly FieldError[] {
  const { leaseDurationSeconds, leaseTransitions } = objectAt(object, 'spec');
  const errors: FieldError[] = [];
  if (typeof leaseDurationSeconds === 'number' && leaseDurationSeconds <= 0) {
    errors.push(invalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'));
  }
  if (typeof leaseTransitions === 'number' && leaseTransitions < 0) {
    errors.push(invalid('spec.leaseTransitions', leaseTransitions, 'must be greater than or equal to 0'));
  }
  return errors;
}

function itemsOf(object: ApiObject, member: string): readonly JsonObject[] {
  const list = object[member];
  return Array.isArray(list) ? list.filter(isObject) : [];
}
