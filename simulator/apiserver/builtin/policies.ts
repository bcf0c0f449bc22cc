import { type ApiObject, objectAt } from '../object.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../schema/index.ts';
import { equalJson, isObject, type JsonObject } from '../schema/json.ts';
import { checkCidr, checkSelector } from './selectors.ts';

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
    errors.push(...checkSubject(subject, `subjects[${index}]`, object.kind === 'RoleBinding'));
  }
  if (old !== undefined && !equalJson(old.roleRef, object.roleRef)) {
    // Shown as Go's own structure, which has no other names.
    errors.push(invalid('roleRef', { APIGroup: apiGroup, Kind: kind, Name: name }, 'cannot change roleRef'));
  }
  return errors;
}

function checkSubject(
  { kind, name, namespace, apiGroup = '' }: JsonObject,
  path: string,
  isNamespaced: boolean,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (name === undefined || name === '') errors.push(required(`${path}.name`, ''));
  switch (kind) {
    case 'ServiceAccount':
      if (apiGroup !== '') errors.push(notSupported(`${path}.apiGroup`, apiGroup, ['']));
      if (!isNamespaced && (namespace === undefined || namespace === ''))
        errors.push(required(`${path}.namespace`, ''));
      break;
    case 'User':
    case 'Group':
      if (apiGroup !== RBAC) errors.push(notSupported(`${path}.apiGroup`, apiGroup, [RBAC]));
      break;
    default:
      errors.push(notSupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
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

const POLICY_TYPES = ['Ingress', 'Egress'];

export function validateNetworkPolicy(object: ApiObject): readonly FieldError[] {
  const spec = objectAt(object, 'spec');
  const errors = [...checkSelector(objectAt(spec, 'podSelector'), 'spec.podSelector')];
  for (const [direction, peers] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const) {
    for (const [index, rule] of listIn(spec, direction).entries()) {
      for (const [at, peer] of listIn(rule, peers).entries()) {
        errors.push(...checkPeer(peer, `spec.${direction}[${index}].${peers}[${at}]`));
      }
      for (const [at, port] of listIn(rule, 'ports').entries()) {
        errors.push(...checkPort(port, `spec.${direction}[${index}].ports[${at}]`));
      }
    }
  }
  const types = Array.isArray(spec.policyTypes) ? spec.policyTypes : [];
  for (const [index, type] of types.entries()) {
    if (!POLICY_TYPES.includes(String(type))) {
      errors.push(notSupported(`spec.policyTypes[${index}]`, type, POLICY_TYPES));
    }
  }
  return errors;
}

function checkPeer(peer: JsonObject, path: string): readonly FieldError[] {
  const selects = peer.podSelector !== undefined || peer.namespaceSelector !== undefined;
  if (!selects && peer.ipBlock === undefined) return [required(path, 'must specify a peer')];
  if (selects && peer.ipBlock !== undefined) {
    return [forbidden(path, 'may not specify both ipBlock and another peer')];
  }
  const { cidr, except } = objectAt(peer, 'ipBlock');
  const excepted = Array.isArray(except) ? except : [];
  return [
    ...(isObject(peer.podSelector) ? checkSelector(peer.podSelector, `${path}.podSelector`) : []),
    ...(isObject(peer.namespaceSelector) ? checkSelector(peer.namespaceSelector, `${path}.namespaceSelector`) : []),
    ...(peer.ipBlock === undefined ? [] : checkCidr(cidr, `${path}.ipBlock.cidr`)),
    ...excepted.flatMap((one, index) => checkCidr(one, `${path}.ipBlock.except[${index}]`)),
  ];
}

function checkPort({ port, endPort }: JsonObject, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (typeof port === 'number' && (port < 1 || port > 65_535)) {
    errors.push(invalid(`${path}.port`, port, 'must be between 1 and 65535, inclusive'));
  }
  if (typeof endPort === 'number' && typeof port === 'number' && endPort < port) {
    errors.push(invalid(`${path}.endPort`, port, 'must be greater than or equal to `port`'));
  }
  return errors;
}

function listIn(object: JsonObject, member: string): readonly JsonObject[] {
  const list = object[member];
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function itemsOf(object: ApiObject, member: string): readonly JsonObject[] {
  const list = object[member];
  return Array.isArray(list) ? list.filter(isObject) : [];
}
