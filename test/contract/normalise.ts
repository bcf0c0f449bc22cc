import { at, isArray, isObject, type Json, type JsonObject, mapJson } from './json.ts';
import { renderManagedFields, renderQuotedManagedFields } from './managers.ts';
import type { Entry, Scope, Transcript } from './transcript.ts';

/**
 * Replaces what two servers that behave the same still answer differently: names of the run, uids, resourceVersions, the present
 * time, generated names, addresses, tokens. What has an order keeps it: resourceVersions of objects become `#1`, `#2`, ... in their
 * order, a collection's becomes `@2`, the newest object version that it includes.
 */
export function normalise(transcript: Transcript, origin: string): readonly Entry[] {
  const { entries, scope } = transcript;
  const names = collectNames(entries);
  const text = buildTextRule(scope, origin, names);
  return entries.map((entry) => ({
    ...entry,
    answer: mapJson(entry.answer, text, (name, value, parent, path) =>
      rename({ name, value, parent, path }, names, text),
    ),
  }));
}

type Names = {
  readonly versions: readonly bigint[];
  readonly generated: ReadonlyMap<string, string>;
  readonly uids: Map<string, string>;
};

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const GENERATED = /^[bcdfghjklmnpqrstvwxz2456789]{5}$/;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const DAY_MS = 86_400_000;

function collectNames(entries: readonly Entry[]): Names {
  const versions = new Set<bigint>();
  const generated = new Map<string, string>();
  for (const { answer } of entries) {
    visit(answer, (object) => {
      const { metadata } = object;
      if (!isObject(metadata)) return;
      const { resourceVersion, generateName, name } = metadata;
      if (isObjectVersion(metadata) && isDecimal(resourceVersion)) versions.add(BigInt(resourceVersion));
      if (typeof generateName !== 'string' || typeof name !== 'string' || generated.has(name)) return;
      const suffix = name.slice(generateName.length);
      if (name.startsWith(generateName) && GENERATED.test(suffix)) {
        generated.set(name, `${generateName}<generated ${generated.size + 1}>`);
      }
    });
  }
  const sorted = [...versions].sort((a, b) => (a < b ? -1 : 1));
  return { versions: sorted, generated, uids: collectUids(entries) };
}

/** Numbered as they come, where the order of an object's members does not count. */
function collectUids(entries: readonly Entry[]): Map<string, string> {
  const uids = new Map<string, string>();
  const collect = (value: Json): void => {
    if (typeof value === 'string') for (const [uid] of value.matchAll(UUID)) numbered(uids, uid, 'uid');
    else if (isArray(value)) value.forEach(collect);
    else if (isObject(value)) for (const name of Object.keys(value).sort()) collect(value[name] ?? null);
  };
  for (const { answer } of entries) collect(answer);
  return uids;
}

/** A collection and a bookmark have a version, but no name. */
function isObjectVersion(metadata: JsonObject): boolean {
  return metadata.name !== undefined || metadata.uid !== undefined;
}

function isDecimal(value: Json | undefined): value is string {
  return typeof value === 'string' && /^[1-9]\d*$/.test(value);
}

function visit(value: Json, see: (object: JsonObject) => void): void {
  if (isArray(value)) for (const item of value) visit(item, see);
  if (!isObject(value)) return;
  see(value);
  for (const child of Object.values(value)) visit(child, see);
}

function buildTextRule(scope: Scope, origin: string, names: Names): (text: string) => string {
  const host = new URL(origin).host;
  return (raw) => {
    let text = renderQuotedManagedFields(raw);
    for (const [name, shown] of names.generated) text = text.replaceAll(name, shown);
    return text
      .replaceAll(origin, '<server>')
      .replaceAll(host, '<server>')
      .replaceAll(scope.ns2, '{ns2}')
      .replaceAll(scope.ns, '{ns}')
      .replaceAll(scope.id, '{id}')
      .replaceAll(UUID, (uid) => numbered(names.uids, uid, 'uid'))
      .replaceAll(TIME, (time, fraction) => renderTime(time, fraction))
      .replaceAll(/(too old resource version: \d+ )\(\d+\)/g, '$1(<version>)')
      .replaceAll(/(Too large resource version: \d+, current: )\d+/g, '$1<version>')
      .replaceAll(/(resourceVersion\\*":\\*")\d+/g, '$1<version>')
      .replaceAll(/(ResourceVersion in (?:record|the precondition) \()\d+/g, '$1<version>');
  };
}

/** Times that the case wrote are far from now and stay. */
function renderTime(time: string, fraction: string | undefined): string {
  if (Math.abs(Date.parse(time) - Date.now()) > DAY_MS) return time;
  return fraction === undefined ? '<time>' : `<time with ${fraction.length - 1} digits>`;
}

type Place = {
  readonly name: string;
  readonly value: Json;
  readonly parent: JsonObject;
  readonly path: readonly string[];
};

function rename(place: Place, names: Names, text: (text: string) => string): Json | undefined {
  const { name, value, parent, path } = place;
  if (name === 'resourceVersion' && path.at(-1) === 'metadata' && isDecimal(value)) {
    return renderVersion(names, value, isObjectVersion(parent));
  }
  if (name === 'continue' && path.at(-1) === 'metadata' && value !== '') return '<continue>';
  if (name === 'message' && typeof value === 'string') return renderMessage(value, at(parent, 'details.causes'), text);
  if (name === 'causes' && isArray(value)) {
    return [...value].sort(byText).map((cause) => mapJson(cause, text));
  }
  if (name === 'managedFields' && isArray(value)) {
    return renderManagedFields(value).map((entry) => mapJson(entry, text));
  }
  if (name === 'token' && typeof value === 'string' && parent.expirationTimestamp !== undefined) {
    return renderToken(value, text);
  }
  if (name === 'clusterIP' && isAddress(value)) return '<address>';
  if (name === 'clusterIPs' && isArray(value)) {
    return value.map((ip) => (isAddress(ip) ? '<address>' : ip));
  }
  if (name === 'nodePort' || name === 'healthCheckNodePort') {
    return typeof value === 'number' && value >= 30_000 && value <= 32_767 ? '<node port>' : undefined;
  }
  if (name === 'rows' && isArray(value)) {
    return value.map((row) => mapJson(renderAges(row), text, (...at) => renameIn(at, names, text)));
  }
  return undefined;
}

function renameIn(
  [name, value, parent, path]: readonly [string, Json, JsonObject, readonly string[]],
  names: Names,
  text: (text: string) => string,
): Json | undefined {
  return rename({ name, value, parent, path }, names, text);
}

function renderVersion(names: Names, version: string, ofObject: boolean): string {
  const number = BigInt(version);
  const upTo = names.versions.filter((known) => known <= number).length;
  return ofObject ? `#${upTo}` : `@${upTo}`;
}

function isAddress(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '' && value !== 'None';
}

function numbered(known: Map<string, string>, value: string, what: string): string {
  const found = known.get(value) ?? `<${what} ${known.size + 1}>`;
  known.set(value, found);
  return found;
}

/** The order in which a schema's errors are found is by chance: they are sorted, in the message as in the causes. */
function renderMessage(message: string, causes: Json | undefined, text: (text: string) => string): string {
  if (!isArray(causes) || causes.length < 2) return text(message);
  const errors = causes.map((cause) => `${at(cause, 'field')}: ${at(cause, 'message')}`);
  const listed = `[${errors.join(', ')}]`;
  if (!message.endsWith(listed)) return text(message);
  const sorted = [...causes].sort(byText).map((cause) => `${at(cause, 'field')}: ${at(cause, 'message')}`);
  return text(`${message.slice(0, -listed.length)}[${sorted.join(', ')}]`);
}

function byText(a: Json, b: Json): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

/** What a ServiceAccount's token says, without what identifies the run or the key. */
function renderToken(token: string, text: (text: string) => string): Json {
  const [header, payload] = token.split('.').map((part) => {
    try {
      return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Json;
    } catch {
      return null;
    }
  });
  const { exp, iat, nbf, jti, ...claims } = isObject(payload) ? payload : {};
  const lifetime = typeof exp === 'number' && typeof iat === 'number' ? exp - iat : null;
  return mapJson({ alg: at(header, 'alg') ?? null, claims, lifetime, jti: typeof jti, nbf: typeof nbf }, text);
}

/** Later Tables of a watch have no column definitions, so every cell that looks like an age is taken for one. */
function renderAges(row: Json): Json {
  if (!isObject(row) || !isArray(row.cells)) return row;
  return {
    ...row,
    cells: row.cells.map((cell) => (typeof cell === 'string' ? cell.replace(/^\d+s$/, '<age>') : cell)),
  };
}
