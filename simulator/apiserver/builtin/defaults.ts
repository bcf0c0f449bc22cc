import { setWebhookDefaults } from '../admission/webhooks/configuration.ts';
import { canonicalizeSchemas } from '../schema/crd/canonical.ts';
import { isObject, type JsonObject, setOwn } from '../schema/json.ts';

type SetDefaults = (object: JsonObject) => void;

/** What the API server sets in built-in kinds beyond the defaults in their schemas. Each changes the object that it is given. */
export const DEFAULTS: Readonly<Record<string, SetDefaults>> = {
  Namespace: (object) => {
    setDefault(member(object, 'status'), 'phase', 'Active');
    const metadata = member(object, 'metadata');
    if (typeof metadata.name === 'string') member(metadata, 'labels')['kubernetes.io/metadata.name'] = metadata.name;
  },
  Secret: (object) => {
    setDefault(object, 'type', 'Opaque');
    encodeStringData(object);
  },
  Service: setService,
  PersistentVolumeClaim: (object) => {
    setDefault(member(object, 'spec'), 'volumeMode', 'Filesystem');
    setDefault(member(object, 'status'), 'phase', 'Pending');
  },
  PersistentVolume: (object) => {
    setDefault(member(object, 'status'), 'phase', 'Pending');
    setDefault(member(object, 'spec'), 'persistentVolumeReclaimPolicy', 'Retain');
    setDefault(member(object, 'spec'), 'volumeMode', 'Filesystem');
  },
  StorageClass: (object) => {
    setDefault(object, 'reclaimPolicy', 'Delete');
    setDefault(object, 'volumeBindingMode', 'Immediate');
  },
  NetworkPolicy: setNetworkPolicy,
  Event: (object) => {
    if (object.apiVersion !== 'v1') return;
    for (const time of ['eventTime', 'firstTimestamp', 'lastTimestamp']) setDefault(object, time, null);
  },
  Role: (object) => setDefault(object, 'rules', null),
  ClusterRole: (object) => setDefault(object, 'rules', null),
  RoleBinding: setBinding,
  ClusterRoleBinding: setBinding,
  ValidatingAdmissionPolicy: (object) => {
    const spec = member(object, 'spec');
    setDefault(spec, 'failurePolicy', 'Fail');
    if (isObject(spec.matchConstraints)) setMatch(spec.matchConstraints);
  },
  ValidatingAdmissionPolicyBinding: (object) => {
    const { matchResources } = member(object, 'spec');
    if (isObject(matchResources)) setMatch(matchResources);
  },
  ValidatingWebhookConfiguration: setWebhookDefaults,
  CustomResourceDefinition: setDefinition,
  Deployment: setDeployment,
  Pod: (object) => {
    setPodSpec(member(object, 'spec'));
    setDefault(member(object, 'spec'), 'enableServiceLinks', true);
  },
};

/** `stringData` is `data` that the client did not encode. */
function encodeStringData(object: JsonObject): void {
  const { stringData } = object;
  if (!isObject(stringData)) return;
  const data = member(object, 'data');
  for (const [key, text] of Object.entries(stringData)) setOwn(data, key, Buffer.from(String(text)).toString('base64'));
  delete object.stringData;
}

function setService(object: JsonObject): void {
  const spec = member(object, 'spec');
  setDefault(spec, 'sessionAffinity', 'None');
  setDefault(spec, 'type', 'ClusterIP');
  each(spec, 'ports', (port) => {
    setDefault(port, 'protocol', 'TCP');
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '') port.targetPort = port.port;
  });
  const isExternal = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
  if (isExternal) setDefault(spec, 'externalTrafficPolicy', 'Cluster');
  if (isExternal || spec.type === 'ClusterIP') setDefault(spec, 'internalTrafficPolicy', 'Cluster');
  if (spec.type !== 'LoadBalancer') return;
  setDefault(spec, 'allocateLoadBalancerNodePorts', true);
  each(member(member(object, 'status'), 'loadBalancer'), 'ingress', (ingress) => {
    if (typeof ingress.ip === 'string' && ingress.ip !== '') setDefault(ingress, 'ipMode', 'VIP');
  });
}

function setNetworkPolicy(object: JsonObject): void {
  const spec = member(object, 'spec');
  const { egress, policyTypes } = spec;
  if (!Array.isArray(policyTypes) || policyTypes.length === 0) {
    spec.policyTypes = Array.isArray(egress) && egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  }
  for (const direction of ['ingress', 'egress']) {
    each(spec, direction, (rule) => each(rule, 'ports', (port) => setDefault(port, 'protocol', 'TCP')));
  }
}

const RBAC = 'rbac.authorization.k8s.io';

function setBinding(object: JsonObject): void {
  const roleRef = member(object, 'roleRef');
  if (roleRef.apiGroup === undefined || roleRef.apiGroup === '') roleRef.apiGroup = RBAC;
  each(object, 'subjects', (subject) => {
    if (subject.kind === 'User' || subject.kind === 'Group') setDefault(subject, 'apiGroup', RBAC);
  });
}

function setMatch(match: JsonObject): void {
  setDefault(match, 'matchPolicy', 'Equivalent');
  setDefault(match, 'namespaceSelector', {});
  setDefault(match, 'objectSelector', {});
  for (const rules of ['resourceRules', 'excludeResourceRules']) {
    each(match, rules, (rule) => setDefault(rule, 'scope', '*'));
  }
}

function setDefinition(object: JsonObject): void {
  const spec = member(object, 'spec');
  const names = member(spec, 'names');
  const kind = String(names.kind ?? '');
  if (names.singular === undefined || names.singular === '') names.singular = kind.toLowerCase();
  if (kind !== '') setDefault(names, 'listKind', `${kind}List`);
  setDefault(spec, 'conversion', { strategy: 'None' });
  canonicalizeSchemas(object);
}

function setDeployment(object: JsonObject): void {
  const spec = member(object, 'spec');
  setDefault(spec, 'replicas', 1);
  const strategy = member(spec, 'strategy');
  setDefault(strategy, 'type', 'RollingUpdate');
  if (strategy.type === 'RollingUpdate') {
    const rolling = member(strategy, 'rollingUpdate');
    setDefault(rolling, 'maxUnavailable', '25%');
    setDefault(rolling, 'maxSurge', '25%');
  }
  setDefault(spec, 'revisionHistoryLimit', 10);
  setDefault(spec, 'progressDeadlineSeconds', 600);
  setPodSpec(member(member(spec, 'template'), 'spec'));
}

function setPodSpec(spec: JsonObject): void {
  setDefault(spec, 'dnsPolicy', 'ClusterFirst');
  setDefault(spec, 'restartPolicy', 'Always');
  setDefault(spec, 'securityContext', {});
  setDefault(spec, 'terminationGracePeriodSeconds', 30);
  setDefault(spec, 'schedulerName', 'default-scheduler');
  // Only its deprecated name is defaulted in neither direction when both are absent.
  if (spec.serviceAccountName !== undefined) setDefault(spec, 'serviceAccount', spec.serviceAccountName);
  each(spec, 'initContainers', setContainer);
  each(spec, 'containers', setContainer);
  each(spec, 'volumes', setVolume);
}

function setContainer(container: JsonObject): void {
  setDefault(container, 'imagePullPolicy', isLatest(String(container.image ?? '')) ? 'Always' : 'IfNotPresent');
  setDefault(container, 'terminationMessagePath', '/dev/termination-log');
  setDefault(container, 'terminationMessagePolicy', 'File');
  each(container, 'ports', (port) => setDefault(port, 'protocol', 'TCP'));
  each(container, 'env', ({ valueFrom }) => {
    if (isObject(valueFrom) && isObject(valueFrom.fieldRef)) setDefault(valueFrom.fieldRef, 'apiVersion', 'v1');
  });
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = container[name];
    if (isObject(probe)) setProbe(probe);
  }
}

/** No tag means the latest, unless a digest says which. */
function isLatest(image: string): boolean {
  const tag = /:([^/:@]+)(?:@.*)?$/.exec(image)?.[1];
  return tag === 'latest' || (tag === undefined && !image.includes('@'));
}

function setProbe(probe: JsonObject): void {
  const figures = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
  for (const [name, figure] of Object.entries(figures)) {
    if (probe[name] === undefined || probe[name] === 0) probe[name] = figure;
  }
  if (!isObject(probe.httpGet)) return;
  setDefault(probe.httpGet, 'path', '/');
  setDefault(probe.httpGet, 'scheme', 'HTTP');
}

const FILE_MODE = 0o644;

function setVolume(volume: JsonObject): void {
  for (const source of ['secret', 'configMap', 'downwardAPI', 'projected']) {
    const stated = volume[source];
    if (isObject(stated)) setDefault(stated, 'defaultMode', FILE_MODE);
  }
}

function setDefault(object: JsonObject, name: string, value: unknown): void {
  if (object[name] === undefined) object[name] = value;
}

/** The member as an object, which it becomes where there is none. */
function member(object: JsonObject, name: string): JsonObject {
  const found = object[name];
  if (isObject(found)) return found;
  const made: JsonObject = {};
  object[name] = made;
  return made;
}

function each(object: JsonObject, name: string, change: (item: JsonObject) => void): void {
  const list = object[name];
  if (Array.isArray(list)) for (const item of list) if (isObject(item)) change(item);
}
