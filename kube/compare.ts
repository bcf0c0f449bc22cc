import { createHash } from 'node:crypto';
import { tryParseQuantityNanos } from './quantity.ts';

/**
 * Decides, without asking the API server, whether server-side apply of an intent would change a live object. Pure.
 *
 * What the API server and others add must not count as a difference, or every look would end in a call; what somebody changed or
 * added in our fields must. So: maps are a subset, keyed lists a subset by key, sets a subset, every other list equal in length and
 * order; in the objects of such lists only members that the API server is known to default may be extra.
 * Numbers and texts that are the same quantity are equal outside of metadata, data, commands and environment.
 */

/** How a list merges, as `x-kubernetes-list-type` says. `keys` may offer alternatives; the first whose keys all elements have counts. */
export type ListRule =
  | { readonly type: 'map'; readonly keys: readonly (readonly string[])[] }
  | { readonly type: 'set' };

export type CompareOptions = {
  /** By field name; entries here win over the built-in ones. What is in neither is atomic. */
  readonly lists?: Readonly<Record<string, ListRule>> | undefined;
  /** Extra members tolerated inside atomic lists, as `name: values`; beside the built-in ones. */
  readonly defaults?: Readonly<Record<string, readonly unknown[]>> | undefined;
};

export type Difference = { readonly path: string; readonly intent: unknown; readonly live: unknown };

/** The first difference that an apply would remove, or undefined. */
export function compareIntent(intent: unknown, live: unknown, options: CompareOptions = {}): Difference | undefined {
  return compareValue(intent, live, {
    path: '',
    exact: false,
    plain: false,
    lists: { ...KUBERNETES_LISTS, ...options.lists },
    defaults: { ...KUBERNETES_DEFAULTS, ...options.defaults },
  });
}

/** SHA-256 of the value's canonical JSON (sorted keys, no undefined members), as 32 hex digits. */
export function hashValue(value: unknown): string {
  return createHash('sha256').update(renderCanonical(value)).digest('hex').slice(0, 32);
}

/** JSON with sorted keys, the same text for the same value. */
export function renderCanonical(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  let text = '';
  if (Array.isArray(value)) {
    for (const element of value) text += text === '' ? renderCanonical(element) : `,${renderCanonical(element)}`;
    return `[${text}]`;
  }
  const members = value as Members;
  const keys = Object.keys(members);
  if (!isSorted(keys)) keys.sort();
  for (const key of keys) {
    const member = members[key];
    if (member === undefined) continue;
    text += `${text === '' ? '' : ','}${quote(key)}:${renderCanonical(member)}`;
  }
  return `{${text}}`;
}

function isSorted(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i++) if ((keys[i - 1] ?? '') > (keys[i] ?? '')) return false;
  return true;
}

/** Most texts of objects need no escaping; asking for that is cheaper than rendering. */
function quote(text: string): string {
  return PLAIN_TEXT.test(text) ? `"${text}"` : JSON.stringify(text);
}

const PLAIN_TEXT = /^[ !#-[\]-~]*$/;

type Context = {
  readonly path: string;
  /** Inside an atomic list: extra members count, and lists are atomic too. */
  readonly exact: boolean;
  /** Texts are texts, not quantities. */
  readonly plain: boolean;
  readonly lists: Readonly<Record<string, ListRule>>;
  readonly defaults: Readonly<Record<string, readonly unknown[]>>;
};

function compareValue(intent: unknown, live: unknown, context: Context): Difference | undefined {
  if (intent === undefined || intent === live) return undefined;
  if (Array.isArray(intent)) {
    if (!Array.isArray(live))
      return intent.length === 0 && live === undefined ? undefined : differ(intent, live, context);
    return compareLists(intent, live, context);
  }
  if (isMembers(intent)) {
    if (!isMembers(live)) return isEmpty(intent) && live === undefined ? undefined : differ(intent, live, context);
    return compareMembers(intent, live, context);
  }
  if (intent === null && live === undefined) return undefined;
  return !context.plain && isSameQuantity(intent, live) ? undefined : differ(intent, live, context);
}

function compareMembers(intent: Members, live: Members, context: Context): Difference | undefined {
  for (const key of Object.keys(intent)) {
    const plain = context.plain || PLAIN.has(key);
    const inner = { ...context, plain, path: context.path === '' ? key : `${context.path}.${key}` };
    const found = compareValue(intent[key], Object.hasOwn(live, key) ? live[key] : undefined, inner);
    if (found !== undefined) return found;
  }
  if (!context.exact) return undefined;
  for (const key of Object.keys(live)) {
    if (Object.hasOwn(intent, key) && intent[key] !== undefined) continue;
    const value = live[key];
    const harmless = value === null || (Object.hasOwn(context.defaults, key) && context.defaults[key]?.includes(value));
    if (!harmless) return { path: `${context.path}.${key}`, intent: undefined, live: value };
  }
  return undefined;
}

function compareLists(intent: readonly unknown[], live: readonly unknown[], context: Context): Difference | undefined {
  const name = context.path.slice(context.path.lastIndexOf('.') + 1);
  const rule = !context.exact && Object.hasOwn(context.lists, name) ? context.lists[name] : undefined;
  if (rule?.type === 'set') {
    const missing = intent.find((value) => !live.includes(value));
    return missing === undefined ? undefined : differ(missing, undefined, context);
  }
  const keys = rule?.keys.find((names) => [...intent, ...live].every((element) => hasKeys(element, names)));
  if (keys !== undefined) return compareKeyed(intent, live, keys, context);
  if (intent.length !== live.length) return differ(intent, live, context);
  for (let i = 0; i < intent.length; i++) {
    const found = compareValue(intent[i], live[i], { ...context, exact: true, path: `${context.path}[${i}]` });
    if (found !== undefined) return found;
  }
  return undefined;
}

function compareKeyed(
  intent: readonly unknown[],
  live: readonly unknown[],
  keys: readonly string[],
  context: Context,
): Difference | undefined {
  const byKey = new Map(live.map((element) => [keyOf(element, keys), element]));
  for (const element of intent) {
    const key = keyOf(element, keys);
    const found = compareValue(element, byKey.get(key), { ...context, exact: false, path: `${context.path}[${key}]` });
    if (found !== undefined) return found;
  }
  return undefined;
}

type Members = Readonly<Record<string, unknown>>;

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An empty map or list that the API server drops; `emptyDir: {}` is kept and is found in the live object. */
function isEmpty(members: Members): boolean {
  return Object.keys(members).length === 0;
}

/** Members that a key's default makes optional (`protocol`) count as present. */
function hasKeys(element: unknown, keys: readonly string[]): boolean {
  return isMembers(element) && keys.every((key) => Object.hasOwn(element, key) || key in KEY_DEFAULTS);
}

function keyOf(element: unknown, keys: readonly string[]): string {
  const members = isMembers(element) ? element : {};
  return keys.map((key) => String(members[key] ?? KEY_DEFAULTS[key as keyof typeof KEY_DEFAULTS])).join('/');
}

function differ(intent: unknown, live: unknown, context: Context): Difference {
  return { path: context.path, intent, live };
}

function isSameQuantity(a: unknown, b: unknown): boolean {
  if (!isScalar(a) || !isScalar(b)) return false;
  const nanos = tryParseQuantityNanos(a);
  return nanos !== undefined && nanos === tryParseQuantityNanos(b);
}

function isScalar(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

const KEY_DEFAULTS = { protocol: 'TCP' } as const;

/** Members below which a text is never a quantity. */
const PLAIN: ReadonlySet<string> = new Set([
  'metadata',
  'labels',
  'annotations',
  'matchLabels',
  'selector',
  'data',
  'stringData',
  'binaryData',
  'env',
  'args',
  'command',
  'value',
]);

/** The keyed lists and sets of Kubernetes' own types, where they are not inside an atomic list. */
const KUBERNETES_LISTS: Readonly<Record<string, ListRule>> = {
  containers: { type: 'map', keys: [['name']] },
  initContainers: { type: 'map', keys: [['name']] },
  ephemeralContainers: { type: 'map', keys: [['name']] },
  volumes: { type: 'map', keys: [['name']] },
  env: { type: 'map', keys: [['name']] },
  ports: {
    type: 'map',
    keys: [
      ['containerPort', 'protocol'],
      ['port', 'protocol'],
    ],
  },
  volumeMounts: { type: 'map', keys: [['mountPath']] },
  volumeDevices: { type: 'map', keys: [['devicePath']] },
  imagePullSecrets: { type: 'map', keys: [['name']] },
  hostAliases: { type: 'map', keys: [['ip']] },
  conditions: { type: 'map', keys: [['type']] },
  ownerReferences: { type: 'map', keys: [['uid']] },
  finalizers: { type: 'set' },
};

/** Defaults that the API server writes into the elements of atomic lists. */
const KUBERNETES_DEFAULTS: Readonly<Record<string, readonly unknown[]>> = {
  protocol: ['TCP'],
  apiGroup: ['rbac.authorization.k8s.io', ''],
};
