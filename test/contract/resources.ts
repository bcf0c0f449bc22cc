import type { Json, JsonObject } from './json.ts';
import { GROUP } from './testcrds.ts';

// Where the cases' kinds are, and their smallest objects.

export const CONFIGMAPS = '/api/v1/namespaces/{ns}/configmaps';
export const SECRETS = '/api/v1/namespaces/{ns}/secrets';
export const SERVICES = '/api/v1/namespaces/{ns}/services';
export const SERVICEACCOUNTS = '/api/v1/namespaces/{ns}/serviceaccounts';
export const PVCS = '/api/v1/namespaces/{ns}/persistentvolumeclaims';
export const RESOURCEQUOTAS = '/api/v1/namespaces/{ns}/resourcequotas';
export const CORE_EVENTS = '/api/v1/namespaces/{ns}/events';
export const NAMESPACES = '/api/v1/namespaces';
export const EVENTS = '/apis/events.k8s.io/v1/namespaces/{ns}/events';
export const LEASES = '/apis/coordination.k8s.io/v1/namespaces/{ns}/leases';
export const NETWORKPOLICIES = '/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies';
export const ROLES = '/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles';
export const ROLEBINDINGS = '/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings';
export const CLUSTERROLES = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
export const CLUSTERROLEBINDINGS = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
export const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const WIDGETS = `/apis/${GROUP}/v1/namespaces/{ns}/widgets`;
export const ALL_WIDGETS = `/apis/${GROUP}/v1/widgets`;
export const GADGETS = `/apis/${GROUP}/v1/gadgets`;
export const TENANTS = '/apis/sublet.dev/v1alpha1/namespaces/{ns}/tenants';
export const PLANS = '/apis/sublet.dev/v1alpha1/namespaces/{ns}/plans';
export const QUOTAS = '/apis/sublet.dev/v1alpha1/namespaces/{ns}/quotas';
export const RDPINSTANCES = '/apis/sublet.dev/v1alpha1/namespaces/{ns}/rdpinstances';

type Metadata = JsonObject;

export function configMap(name: string, data: Json = { a: '1' }, metadata: Metadata = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

export function secret(name: string, rest: JsonObject = {}, metadata: Metadata = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, ...metadata }, ...rest };
}

export function widget(name: string, spec: Json = {}, metadata: Metadata = {}): JsonObject {
  return { apiVersion: `${GROUP}/v1`, kind: 'Widget', metadata: { name, ...metadata }, spec };
}

export function gadget(name: string, rest: JsonObject = {}, metadata: Metadata = {}): JsonObject {
  return { apiVersion: `${GROUP}/v1`, kind: 'Gadget', metadata: { name, ...metadata }, ...rest };
}

export function lease(name: string, spec: JsonObject = {}): JsonObject {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec };
}

export function namespace(name: string, metadata: Metadata = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...metadata } };
}

export function sublet(kind: string, name: string, spec: Json, metadata: Metadata = {}): JsonObject {
  return { apiVersion: 'sublet.dev/v1alpha1', kind, metadata: { name, ...metadata }, spec };
}
