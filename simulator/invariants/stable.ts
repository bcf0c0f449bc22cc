import { isRecord, listAt } from './live.ts';
import type { Live, Violation } from './trail.ts';

/** Kinds that differ between two equal runs by nature. */
const IGNORED = ['events.events.k8s.io', 'events', 'leases.coordination.k8s.io'];

/** Members of metadata that say when and in which order, not what. */
const METADATA: ReadonlySet<string> = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'generation',
  'managedFields',
  'selfLink',
]);

/**
 * Members whose value is drawn anew in each run: addresses, ports, places. And two that count the writes of a machine: what is asked twice in a moment may
 * be one write or two, as it is seen. How often a guest was stopped and started for it is compared by itself, in guests.
 */
const DRAWN: ReadonlySet<string> = new Set([
  'clusterIP',
  'clusterIPs',
  'nodePort',
  'healthCheckNodePort',
  'ip',
  'ipAddress',
  'ipAddresses',
  'nodeName',
  'volumeName',
  'address',
  'uuid',
  'mac',
  'desiredGeneration',
  'kubevirt.io/vm-generation',
]);

/**
 * What was built for a machine names the guest that was stopped last, and what was built for a Secret holds a password: another hash in each run. So it is with
 * what names its owner by UID.
 */
const HASHED_ANEW: readonly string[] = ['virtualmachines.kubevirt.io ', 'secrets '];
const APPLIED_HASH = 'sublet.dev/applied-hash';

const UID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const ADDRESS = /\b(\d{1,3}\.){3}\d{1,3}\b/g;
/** The breaker's ids are times without punctuation. */
const TRIP = /\b20\d{15}\b/g;

/**
 * What a state is, without when and by whom: no uid, version, time, drawn address or password. Two runs of the same story that ended well
 * are then equal. `observedGeneration` becomes whether it is current.
 */
export function normaliseState(state: ReadonlyMap<string, Live>): ReadonlyMap<string, unknown> {
  const found = [...state]
    .filter(([id]) => !IGNORED.some((kind) => id.startsWith(`${kind} `)))
    .map(([id, object]) => ({ id: id.replaceAll(UID, '<uid>'), normal: normaliseObject(id, object) }))
    .map(({ id, normal }) => ({ id, normal, text: JSON.stringify(normal) }))
    .toSorted((a, b) => (a.id === b.id ? compare(a.text, b.text) : compare(a.id, b.id)));
  const normal = new Map<string, unknown>();
  // Objects that are named by a UID have one name by now: they are told apart by their order.
  for (const one of found) normal.set(normal.has(one.id) ? `${one.id} (${normal.size})` : one.id, one.normal);
  return normal;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function normaliseObject(id: string, object: Live): unknown {
  const generation = object.metadata.generation ?? 0;
  const shown = maskByKind(id, object);
  const metadata = Object.fromEntries(Object.entries(shown.metadata).filter(([name]) => !METADATA.has(name)));
  return normalise({ ...shown, metadata }, '', generation);
}

function maskByKind(id: string, object: Live): Live {
  const isHashedAnew =
    HASHED_ANEW.some((kind) => id.startsWith(kind)) || listAt(object, 'metadata', 'ownerReferences').length > 0;
  const shown = isHashedAnew ? maskHash(object) : object;
  if (id.startsWith('secrets ')) return { ...shown, data: maskValues(shown.data) };
  // A create that storage refuses, as a second one of the same name after an answer was lost, counts until the counting controller looks again.
  if (id.startsWith('resourcequotas ')) return { ...shown, status: maskUsed(shown.status) };
  // Of removals that are judged at once any may be the one that trips it, and so of how many it tells.
  return id.endsWith('/sublet-breaker') ? { ...shown, data: maskCounts(shown.data) } : shown;
}

function maskCounts(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data ?? {}).replaceAll(/\b\d{1,9} removals/g, '<n> removals'));
}

function maskHash(object: Live): Live {
  const { annotations } = object.metadata;
  if (annotations?.[APPLIED_HASH] === undefined) return object;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [APPLIED_HASH]: '<hash>' } } };
}

/** What is counted, and how much of it there may be, without how much there is. */
function maskUsed(status: unknown): unknown {
  return isRecord(status) ? { ...status, used: maskValues(status.used) } : status;
}

/** A password differs in each run: only which keys there are is compared. */
function maskValues(data: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(isRecord(data) ? data : {}).map((name) => [name, '<value>']));
}

function normalise(value: unknown, key: string, generation: number): unknown {
  if (Array.isArray(value)) return value.map((item) => normalise(item, '', generation));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, inner]) => inner !== undefined)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, inner]) => [name, normalise(inner, name, generation)]),
    );
  }
  if (DRAWN.has(key)) return `<${key}>`;
  if (key === 'observedGeneration') return value === generation ? '<current>' : '<older>';
  if (typeof value !== 'string') return value;
  return value
    .replaceAll(UID, '<uid>')
    .replaceAll(TIME, '<time>')
    .replaceAll(ADDRESS, '<address>')
    .replaceAll(TRIP, '<trip>');
}

/** I1, first half: the end of a run with faults against that of the run without. One violation an object that differs. */
export function compareStates(
  calm: ReadonlyMap<string, Live>,
  end: ReadonlyMap<string, Live>,
  atMs: number,
): readonly Violation[] {
  const [wanted, found] = [normaliseState(calm), normaliseState(end)];
  const violations: Violation[] = [];
  for (const id of new Set([...wanted.keys(), ...found.keys()])) {
    const [want, have] = [wanted.get(id), found.get(id)];
    if (JSON.stringify(want) === JSON.stringify(have)) continue;
    const text =
      have === undefined
        ? 'it is missing, and the calm run has it'
        : want === undefined
          ? 'it is there, and the calm run has none'
          : `it differs from the calm run's: ${describeDifference(want, have)}`;
    violations.push({ invariant: 'I1', atMs, object: id, text });
  }
  return violations;
}

/** The first members that differ, by path. */
function describeDifference(want: unknown, have: unknown): string {
  const found: string[] = [];
  collect(want, have, '', found);
  return found.slice(0, MOST_SHOWN).join('; ');
}

const MOST_SHOWN = 3;
const MOST_CHARACTERS = 120;

function collect(want: unknown, have: unknown, path: string, found: string[]): void {
  if (found.length >= MOST_SHOWN || JSON.stringify(want) === JSON.stringify(have)) return;
  if (typeof want === 'object' && typeof have === 'object' && want !== null && have !== null) {
    const members = new Set([...Object.keys(want), ...Object.keys(have)]);
    for (const member of members)
      collect(Reflect.get(want, member), Reflect.get(have, member), `${path}.${member}`, found);
    return;
  }
  found.push(`${path.slice(1)} is ${show(have)} instead of ${show(want)}`);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'absent';
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}...`;
}
