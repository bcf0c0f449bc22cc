import { isIP } from 'node:net';
import type { Allocation } from '../kinds.ts';
import { type ApiObject, objectAt } from '../object.ts';
import { duplicate } from '../schema/fielderror.ts';
import { type FieldError, invalid, notSupported, required } from '../schema/index.ts';
import { equalJson, isObject, type JsonObject } from '../schema/json.ts';
import { checkCidr, checkLabels } from './selectors.ts';

const SERVICE_NETWORK = '10.96';
const FIRST_NODE_PORT = 30_000;
const LAST_NODE_PORT = 32_767;

/** Gives a Service its address and its ports on nodes. */
export function allocateService(object: ApiObject, allocation: Allocation): ApiObject {
  return withNodePorts(withAddress(object, allocation), allocation);
}

function withAddress(object: ApiObject, allocation: Allocation): ApiObject {
  const spec = objectAt(object, 'spec');
  if (spec.type === 'ExternalName') return object;
  const stated = typeof spec.clusterIP === 'string' && spec.clusterIP !== '' ? spec.clusterIP : undefined;
  const clusterIP = stated ?? freeAddress(allocation);
  const families = { ipFamilies: spec.ipFamilies ?? ['IPv4'], ipFamilyPolicy: spec.ipFamilyPolicy ?? 'SingleStack' };
  return { ...object, spec: { ...spec, clusterIP, clusterIPs: spec.clusterIPs ?? [clusterIP], ...families } };
}

function freeAddress({ siblings, random }: Allocation): string {
  const taken = new Set(siblings().map((service) => objectAt(service, 'spec').clusterIP));
  for (;;) {
    const host = 1 + Math.floor(random.next() * 65_000);
    const address = `${SERVICE_NETWORK}.${host >> 8}.${host & 0xff}`;
    if (!taken.has(address)) return address;
  }
}

function withNodePorts(object: ApiObject, { siblings, random }: Allocation): ApiObject {
  const spec = objectAt(object, 'spec');
  const isWanted =
    spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
  if (!isWanted) return object;
  const ports = portsOf(object);
  if (ports.every(({ nodePort }) => isPort(nodePort))) return object;
  const taken = new Set(siblings().flatMap((service) => portsOf(service).map(({ nodePort }) => nodePort)));
  for (const { nodePort } of ports) taken.add(nodePort);
  const free = (): number => {
    for (;;) {
      const port = FIRST_NODE_PORT + Math.floor(random.next() * (LAST_NODE_PORT - FIRST_NODE_PORT + 1));
      if (taken.has(port)) continue;
      taken.add(port);
      return port;
    }
  };
  const given = ports.map((port) => (isPort(port.nodePort) ? port : { ...port, nodePort: free() }));
  return { ...object, spec: { ...spec, ports: given } };
}

function isPort(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}

/** An update that says nothing of addresses and node ports keeps them. */
export function keepAddresses(object: ApiObject, old: ApiObject | undefined): ApiObject {
  if (old === undefined) return object;
  const [spec, was] = [objectAt(object, 'spec'), objectAt(old, 'spec')];
  if (spec.type === 'ExternalName' || was.type === 'ExternalName') return dropLeftovers(object, old);
  const kept: JsonObject = { ...spec };
  for (const member of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'healthCheckNodePort']) {
    if (kept[member] === undefined && was[member] !== undefined) kept[member] = was[member];
  }
  const oldPorts = portsOf(old);
  const hasNodePorts = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
  if (hasNodePorts && Array.isArray(spec.ports)) {
    kept.ports = portsOf(object).map((port) => {
      if (isPort(port.nodePort)) return port;
      const before = oldPorts.find((one) => one.port === port.port && one.protocol === port.protocol);
      return isPort(before?.nodePort) ? { ...port, nodePort: before?.nodePort } : port;
    });
  }
  return dropLeftovers({ ...object, spec: kept }, old);
}

/** What belongs to a type goes with it, unless the update says something else of it. */
function dropLeftovers(object: ApiObject, old: ApiObject): ApiObject {
  const [spec, was] = [objectAt(object, 'spec'), objectAt(old, 'spec')];
  const isOpen = (of: JsonObject): boolean => of.type === 'NodePort' || of.type === 'LoadBalancer';
  if (spec.type === was.type) return object;
  const kept: JsonObject = { ...spec };
  if (isOpen(was) && !isOpen(spec)) {
    if (Array.isArray(spec.ports)) kept.ports = portsOf(object).map(({ nodePort: _, ...port }) => port);
    for (const member of ['externalTrafficPolicy', 'allocateLoadBalancerNodePorts', 'healthCheckNodePort']) {
      if (kept[member] === was[member]) delete kept[member];
    }
  }
  const status = was.type === 'LoadBalancer' ? { status: { ...objectAt(object, 'status'), loadBalancer: {} } } : {};
  if (spec.type === 'ExternalName') {
    const families = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy'];
    for (const member of families) if (equalJson(kept[member], was[member])) delete kept[member];
  }
  return { ...object, spec: kept, ...status };
}

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

export function validateService(object: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const spec = objectAt(object, 'spec');
  const errors: FieldError[] = [];
  const isHeadless = spec.clusterIP === 'None';
  const ports = portsOf(object);
  if (ports.length === 0 && !isHeadless && spec.type !== 'ExternalName') errors.push(required('spec.ports', ''));
  errors.push(...checkPorts(ports));
  if (!TYPES.includes(String(spec.type))) errors.push(notSupported('spec.type', spec.type, TYPES));
  if (spec.type === 'ExternalName' && (spec.externalName ?? '') === '') {
    errors.push(required('spec.externalName', ''));
  }
  if (typeof spec.clusterIP === 'string' && !isHeadless && isIP(spec.clusterIP) === 0) {
    errors.push(
      invalid('spec.clusterIPs[0]', spec.clusterIP, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'),
    );
  }
  errors.push(...checkLabels(objectAt(spec, 'selector'), 'spec.selector'));
  const ranges = Array.isArray(spec.loadBalancerSourceRanges) ? spec.loadBalancerSourceRanges : [];
  for (const [index, range] of ranges.entries())
    errors.push(...checkCidr(range, `spec.LoadBalancerSourceRanges[${index}]`));
  if (old === undefined) return errors;
  const was = objectAt(old, 'spec');
  const isChanged = was.clusterIP !== undefined && was.type !== 'ExternalName' && spec.type !== 'ExternalName';
  if (isChanged && spec.clusterIP !== was.clusterIP) {
    errors.push(invalid('spec.clusterIPs[0]', [spec.clusterIP], 'may not change once set'));
  }
  return errors;
}

function checkPorts(ports: readonly JsonObject[]): readonly FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<unknown>();
  const numbers = new Set<string>();
  for (const [index, { name, port, targetPort, protocol }] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    if (ports.length > 1 && (name === undefined || name === '')) errors.push(required(`${path}.name`, ''));
    else if (name !== undefined && names.has(name)) errors.push(duplicate(`${path}.name`, name));
    names.add(name);
    const isStated = port === undefined || port === 0;
    const inRange = typeof port === 'number' && port >= 1 && port <= 65_535;
    if (!inRange) errors.push(invalid(`${path}.port`, port ?? 0, 'must be between 1 and 65535, inclusive'));
    if (isStated && (targetPort === undefined || targetPort === 0)) {
      errors.push(invalid(`${path}.targetPort`, 0, 'must be between 1 and 65535, inclusive'));
    }
    if (typeof targetPort === 'string' && !/^[a-z0-9-]*$/i.test(targetPort)) {
      const why = 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)';
      errors.push(invalid(`${path}.targetPort`, targetPort, why));
    }
    if (!PROTOCOLS.includes(String(protocol))) errors.push(notSupported(`${path}.protocol`, protocol, PROTOCOLS));
    const key = `${protocol}/${port}`;
    if (numbers.has(key)) errors.push(duplicate(path, { port, protocol }));
    numbers.add(key);
  }
  return errors;
}

function portsOf(object: ApiObject): readonly JsonObject[] {
  const { ports } = objectAt(object, 'spec');
  return Array.isArray(ports) ? ports.filter(isObject) : [];
}
