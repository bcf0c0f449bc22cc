import { del, get, merge, post, put, status } from '../case.ts';
import type { Json, JsonObject } from '../json.ts';
import { names } from '../picks.ts';
import {
  CLUSTERROLEBINDINGS,
  CLUSTERROLES,
  CORE_EVENTS,
  EVENTS,
  LEASES,
  lease,
  NETWORKPOLICIES,
  PVCS,
  ROLEBINDINGS,
  ROLES,
  SECRETS,
  SERVICEACCOUNTS,
  SERVICES,
  secret,
} from '../resources.ts';
import type { Subject } from '../suite.ts';

const RBAC = 'rbac.authorization.k8s.io';
const object = (apiVersion: string, kind: string, name: string, rest: JsonObject = {}): JsonObject => ({
  apiVersion,
  kind,
  metadata: { name },
  ...rest,
});
const service = (name: string, spec: JsonObject) => post(SERVICES, object('v1', 'Service', name, { spec }));
const policy = (name: string, spec: JsonObject) =>
  post(NETWORKPOLICIES, object('networking.k8s.io/v1', 'NetworkPolicy', name, { spec }));
const role = (name: string, rules: Json) => post(ROLES, object(`${RBAC}/v1`, 'Role', name, { rules }));
const binding = (name: string, rest: JsonObject) => post(ROLEBINDINGS, object(`${RBAC}/v1`, 'RoleBinding', name, rest));
const ROLE_REF = { apiGroup: RBAC, kind: 'Role', name: 'r' };
const event = (name: string, rest: JsonObject = {}, kind = 'Widget'): JsonObject => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name },
  eventTime: '2020-01-01T00:00:00.000000Z',
  reportingController: 'sublet.dev/operator',
  reportingInstance: 'one',
  action: 'Reconcile',
  reason: 'Done',
  regarding: { apiVersion: 'contract.sublet.dev/v1', kind, name: 'a', namespace: '{ns}' },
  note: 'It is done.',
  type: 'Normal',
  ...rest,
});

export const builtins: Subject = {
  subject: 'built-in kinds',
  cases: [
    {
      name: 'a Lease, as leader election writes it',
      steps: [
        post(
          LEASES,
          lease('leader', {
            holderIdentity: 'one',
            leaseDurationSeconds: 15,
            acquireTime: '2020-01-01T00:00:00.000000Z',
            renewTime: '2020-01-01T00:00:00.000000Z',
            leaseTransitions: 0,
          }),
          { name: 'made' },
        ),
        put(`${LEASES}/leader`, {
          ...lease('leader', {
            holderIdentity: 'two',
            leaseDurationSeconds: 15,
            renewTime: '2020-01-01T00:00:05.123456Z',
          }),
          metadata: { name: 'leader', resourceVersion: '<<made:metadata.resourceVersion>>' },
        }),
        put(`${LEASES}/leader`, {
          ...lease('leader', { holderIdentity: 'three' }),
          metadata: { name: 'leader', resourceVersion: '<<made:metadata.resourceVersion>>' },
        }),
        merge(`${LEASES}/leader`, { spec: { holderIdentity: '' } }),
        merge(`${LEASES}/leader`, { spec: { holderIdentity: null } }),
      ],
    },
    {
      name: 'a Lease that is refused',
      steps: [
        post(LEASES, lease('a', { leaseDurationSeconds: 0 })),
        post(LEASES, lease('a', { leaseDurationSeconds: -1 })),
        post(LEASES, lease('a', { leaseTransitions: -1 })),
        post(LEASES, lease('a', { renewTime: 'now' })),
        post(LEASES, lease('a', { renewTime: '2020-01-01T00:00:00Z' })),
        post(LEASES, lease('b', { leaseDurationSeconds: '15' })),
      ],
    },
    {
      name: 'Events of both APIs',
      steps: [
        post(EVENTS, event('a')),
        get(`${CORE_EVENTS}/a`),
        get(`${EVENTS}/a`),
        merge(`${EVENTS}/a`, { series: { count: 2, lastObservedTime: '2020-01-01T00:01:00.000000Z' } }),
        merge(`${EVENTS}/a`, { note: 'other' }),
        post(CORE_EVENTS, {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name: 'b' },
          involvedObject: { kind: 'Widget', name: 'a', namespace: '{ns}', apiVersion: 'contract.sublet.dev/v1' },
          reason: 'Done',
          message: 'x',
          type: 'Warning',
          source: { component: 'c' },
          firstTimestamp: '2020-01-01T00:00:00Z',
          lastTimestamp: '2020-01-01T00:00:00Z',
          count: 1,
        }),
        get(`${EVENTS}/b`),
        get(EVENTS),
      ],
    },
    {
      name: 'Events that are refused',
      steps: [
        post(EVENTS, event('a', { type: 'Loud' })),
        post(EVENTS, event('a', { reportingController: '' })),
        post(EVENTS, event('a', { reason: '' })),
        post(EVENTS, event('a', { action: '' })),
        post(EVENTS, event('a', { note: 'x'.repeat(1025) })),
        post(EVENTS, event('a', { regarding: { kind: 'Widget', name: 'a', namespace: 'other' } })),
        post(EVENTS, event('a', { eventTime: null })),
        post(EVENTS, event('a', { reportingController: 'Bad Name/x' })),
      ],
    },
    {
      name: 'Events by field selectors',
      steps: [
        post(EVENTS, event('a')),
        post(EVENTS, event('b', { reason: 'Other', type: 'Warning' })),
        get(`${CORE_EVENTS}?fieldSelector=involvedObject.kind%3DWidget,reason%3DOther`, { pick: names }),
        get(`${CORE_EVENTS}?fieldSelector=type%3DNormal`, { pick: names }),
      ],
    },
    {
      name: 'a ServiceAccount and its tokens',
      steps: [
        post(SERVICEACCOUNTS, object('v1', 'ServiceAccount', 'a')),
        post(`${SERVICEACCOUNTS}/a/token`, tokenRequest({ expirationSeconds: 3600 })),
        post(`${SERVICEACCOUNTS}/a/token`, tokenRequest({ audiences: ['https://kubernetes.default.svc'] })),
        post(`${SERVICEACCOUNTS}/a/token`, tokenRequest({ audiences: ['other'], expirationSeconds: 600 })),
        post(`${SERVICEACCOUNTS}/a/token`, tokenRequest({ expirationSeconds: 599 })),
        post(`${SERVICEACCOUNTS}/a/token`, {}),
        post(`${SERVICEACCOUNTS}/none/token`, tokenRequest({})),
        get(`${SERVICEACCOUNTS}/a/token`),
      ],
    },
    {
      name: 'Secrets: text, types, bytes',
      steps: [
        post(SECRETS, secret('a', { stringData: { k: 'v', l: '' }, data: { k: 'b2xk', m: 'bQ==' } })),
        merge(`${SECRETS}/a`, { stringData: { n: 'ü' } }),
        merge(`${SECRETS}/a`, { data: { k: null } }),
        post(SECRETS, secret('b', { data: { k: 'not base64!' } })),
        post(SECRETS, secret('c', { stringData: { 'bad key': 'v' } })),
        post(SECRETS, secret('d', { type: 'kubernetes.io/basic-auth' })),
        post(SECRETS, secret('d', { type: 'kubernetes.io/basic-auth', stringData: { username: 'u' } })),
        post(SECRETS, secret('e', { type: 'kubernetes.io/tls', stringData: { 'tls.crt': 'x' } })),
        post(SECRETS, secret('f', { type: 'kubernetes.io/ssh-auth' })),
        post(
          SECRETS,
          secret('g', { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': 'x' } }),
        ),
        post(SECRETS, secret('h', { type: 'sublet.dev/credentials' })),
        get(`${SECRETS}?fieldSelector=type%3Dsublet.dev/credentials`, { pick: names }),
        merge(`${SECRETS}/h`, { type: 'Opaque' }),
      ],
    },
    {
      name: 'an immutable Secret',
      steps: [
        post(SECRETS, secret('a', { stringData: { k: 'v' }, immutable: true })),
        merge(`${SECRETS}/a`, { stringData: { k: 'w' } }),
        merge(`${SECRETS}/a`, { immutable: false }),
        merge(`${SECRETS}/a`, { metadata: { labels: { a: 'b' } } }),
        del(`${SECRETS}/a`),
      ],
    },
    {
      name: 'Services of each type',
      steps: [
        service('a', { ports: [{ port: 80 }] }),
        service('b', { type: 'NodePort', ports: [{ port: 80, targetPort: 'http' }], selector: { app: 'x' } }),
        service('c', { type: 'LoadBalancer', ports: [{ port: 3389 }], externalTrafficPolicy: 'Local' }),
        service('d', { clusterIP: 'None', ports: [{ port: 80 }] }),
        service('e', { type: 'ExternalName', externalName: 'x.example' }),
        service('f', {
          type: 'LoadBalancer',
          ports: [{ port: 3389 }],
          loadBalancerSourceRanges: ['203.0.113.0/24'],
          allocateLoadBalancerNodePorts: false,
        }),
      ],
    },
    {
      name: 'Services that are refused',
      steps: [
        service('a', {}),
        service('a', { ports: [{ port: 0 }] }),
        service('a', { ports: [{ port: 80 }, { port: 81 }] }),
        service('a', {
          ports: [
            { port: 80, name: 'x' },
            { port: 81, name: 'x' },
          ],
        }),
        service('a', { ports: [{ port: 80, protocol: 'HTTP' }] }),
        service('a', { type: 'Magic', ports: [{ port: 80 }] }),
        service('a', { clusterIP: 'x', ports: [{ port: 80 }] }),
        service('1a', { ports: [{ port: 80 }] }),
        service('a', { ports: [{ port: 80 }], selector: { 'bad key': 'x' } }),
        service('a', { ports: [{ port: 80, targetPort: 'Bad_Port' }] }),
        service('a', { type: 'ExternalName' }),
        service('a', { type: 'LoadBalancer', ports: [{ port: 80 }], loadBalancerSourceRanges: ['x'] }),
      ],
    },
    {
      name: 'a Service is changed',
      steps: [
        service('a', { ports: [{ port: 80 }], selector: { app: 'x' } }),
        merge(`${SERVICES}/a`, { spec: { clusterIP: '10.96.255.250' } }),
        merge(`${SERVICES}/a`, { spec: { type: 'NodePort' } }),
        merge(`${SERVICES}/a`, { spec: { type: 'ClusterIP' } }),
        put(`${SERVICES}/a`, object('v1', 'Service', 'a', { spec: { ports: [{ port: 81 }] } })),
        merge(`${SERVICES}/a`, { spec: { type: 'LoadBalancer' } }),
        merge(`${SERVICES}/a/status`, { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } }),
        merge(`${SERVICES}/a`, {
          spec: { type: 'ExternalName', externalName: 'x.y', clusterIP: null, clusterIPs: null, ports: null },
        }),
        del(`${SERVICES}/a`),
      ],
    },
    {
      name: 'NetworkPolicies',
      steps: [
        policy('deny', { podSelector: {} }),
        policy('both', {
          podSelector: { matchLabels: { a: 'b' } },
          policyTypes: ['Ingress', 'Egress'],
          egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } }] }],
        }),
        policy('ports', {
          podSelector: {},
          ingress: [
            {
              from: [{ namespaceSelector: {} }],
              ports: [{ port: 80 }, { port: 'dns', protocol: 'UDP' }, { port: 1, endPort: 9 }],
            },
          ],
        }),
        policy('egress', { podSelector: {}, egress: [{}] }),
        policy('a', { podSelector: {}, policyTypes: ['Sideways'] }),
        policy('a', { podSelector: { matchLabels: { 'bad key': 'x' } } }),
        policy('a', { podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: 'x' } }] }] }),
        policy('a', { podSelector: {}, ingress: [{ ports: [{ port: 70000 }] }] }),
        policy('a', { podSelector: {}, ingress: [{ from: [{}] }] }),
        policy('a', { podSelector: { matchExpressions: [{ key: 'a', operator: 'Near', values: ['x'] }] } }),
        post(NETWORKPOLICIES, object('networking.k8s.io/v1', 'NetworkPolicy', 'none')),
        merge(`${NETWORKPOLICIES}/deny`, { spec: { ingress: [{}] } }),
      ],
    },
    {
      name: 'Roles and RoleBindings',
      steps: [
        role('r', [{ apiGroups: ['sublet.dev'], resources: ['tenants'], verbs: ['get', 'list'] }]),
        role('empty', null),
        role('a', [{ verbs: [] }]),
        role('a', [{ verbs: ['get'] }]),
        role('a', [{ verbs: ['get'], apiGroups: [''], nonResourceURLs: ['/x'], resources: ['pods'] }]),
        binding('b', { roleRef: ROLE_REF, subjects: [{ kind: 'User', name: 'oidc:anna', apiGroup: RBAC }] }),
        binding('c', {
          roleRef: ROLE_REF,
          subjects: [
            { kind: 'ServiceAccount', name: 'default', namespace: '{ns}' },
            { kind: 'Group', name: 'g' },
          ],
        }),
        binding('d', { roleRef: { ...ROLE_REF, kind: 'Wrong' } }),
        binding('d', { roleRef: { kind: 'Role', name: 'r' } }),
        binding('d', { roleRef: { ...ROLE_REF, name: '' } }),
        binding('d', { roleRef: ROLE_REF, subjects: [{ kind: 'Robot', name: 'x' }] }),
        binding('d', { roleRef: ROLE_REF, subjects: [{ kind: 'ServiceAccount', name: 'x' }] }),
        merge(`${ROLEBINDINGS}/b`, { roleRef: { name: 'other' } }),
        merge(`${ROLEBINDINGS}/b`, { subjects: null }),
      ],
    },
    {
      name: 'ClusterRoles and their bindings',
      steps: [
        post(
          CLUSTERROLES,
          object(`${RBAC}/v1`, 'ClusterRole', 'contract:{id}', {
            rules: [{ verbs: ['get'], nonResourceURLs: ['/version'] }],
          }),
        ),
        post(
          CLUSTERROLEBINDINGS,
          object(`${RBAC}/v1`, 'ClusterRoleBinding', 'contract:{id}', {
            roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'contract:{id}' },
            subjects: [{ kind: 'Group', name: 'system:authenticated' }],
          }),
        ),
        post(CLUSTERROLEBINDINGS, object(`${RBAC}/v1`, 'ClusterRoleBinding', 'x', { roleRef: ROLE_REF })),
        post(CLUSTERROLES, object(`${RBAC}/v1`, 'ClusterRole', 'bad/{id}', {})),
        get(`${CLUSTERROLES}/contract:{id}`),
        del(`${CLUSTERROLEBINDINGS}/contract:{id}`),
        del(`${CLUSTERROLES}/contract%3A{id}`),
      ],
    },
    {
      name: 'PersistentVolumeClaims',
      steps: [
        pvc('a', {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
          storageClassName: 'none',
        }),
        pvc('b', { accessModes: ['Sometimes'], resources: { requests: { storage: '1Gi' } } }),
        pvc('b', { resources: { requests: { storage: '1Gi' } } }),
        pvc('b', { accessModes: ['ReadWriteOnce'] }),
        pvc('b', { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '-1' } } }),
        pvc('b', { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: 'x' } } }),
        pvc('b', {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1.5Gi' } },
          storageClassName: 'none',
          volumeMode: 'Block',
        }),
        merge(`${PVCS}/a`, { spec: { storageClassName: 'other' } }),
        merge(`${PVCS}/a`, { spec: { accessModes: ['ReadWriteMany'] } }),
        merge(`${PVCS}/a/status`, { status: { phase: 'Bound' } }),
        del(`${PVCS}/a`),
        get(`${PVCS}/a`, { until: status(404) }),
      ],
    },
    {
      name: 'numbers and quantities are written in their canonical form',
      steps: [
        pvc('a', {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: 1073741824 } },
          storageClassName: 'none',
        }),
        pvc('b', {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1024Mi' } },
          storageClassName: 'none',
        }),
        pvc('c', {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1500m' } },
          storageClassName: 'none',
        }),
        pvc('d', {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1e3' } },
          storageClassName: 'none',
        }),
      ],
    },
  ],
};

function tokenRequest(spec: JsonObject): JsonObject {
  return { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
}

function pvc(name: string, spec: JsonObject) {
  return post(PVCS, object('v1', 'PersistentVolumeClaim', name, { spec }));
}
