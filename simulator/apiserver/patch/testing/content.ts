import type { SeededRandom } from '../../../random.ts';
import type { JsonObject } from '../../schema/json.ts';
import type { SPEC } from './fixtures.ts';

type Make = (random: SeededRandom) => unknown;

const texts = ['a', 'b', 'c'];
const word: Make = (random) => random.pick(texts);
const digit: Make = (random) => random.integer(0, 3);

/** An object with some of the members. */
function some(members: Readonly<Record<string, Make>>, probability = 0.5): (random: SeededRandom) => JsonObject {
  return (random) => {
    const chosen = Object.entries(members).filter(() => random.chance(probability));
    return Object.fromEntries(chosen.map(([name, make]) => [name, make(random)]));
  };
}

/** Up to three items, each at most once. */
function few(items: readonly unknown[]): (random: SeededRandom) => readonly unknown[] {
  return (random) => {
    const left = [...items];
    const length = random.integer(0, Math.min(3, items.length));
    return Array.from({ length }, () => left.splice(random.integer(0, left.length - 1), 1)[0]);
  };
}

function fewOf<T>(keys: readonly T[], make: (key: T, random: SeededRandom) => unknown): Make {
  return (random) => few(keys)(random).map((key) => make(key as T, random));
}

const mapOf = (make: Make) => some({ x: make, y: make, 'z/w': make });

/** With something in it: Go tells an empty map from none, which JSON does not show. */
const filledMap: Make = (random) => ({ x: word(random), ...mapOf(word)(random) });

const anything: Make = (random) =>
  random.pick<Make>([word, digit, mapOf(word), few(texts), mapOf(mapOf(digit)), () => ({}), () => []])(random);

/** Values for the fields of the custom kind. */
const FIELDS: Readonly<Record<keyof typeof SPEC, Make>> = {
  text: word,
  number: digit,
  flag: (random) => random.chance(0.5),
  port: (random) => random.pick<Make>([word, digit])(random),
  nullable: (random) => random.pick(['a', 'b', null]),
  defaulted: word,
  list: few(texts),
  set: few(['p', 'q', 'r', 's', 'a<b']),
  numbers: few([1, 2, 3, 10]),
  items: fewOf(['one', 'two', 'three'], (name, random) => ({
    name,
    ...some({ value: word, defaulted: digit, nested: some({ a: word, tags: few(texts) }) })(random),
  })),
  pairs: fewOf([80, 81, 443], (port, random) => ({
    port,
    ...some({ protocol: (r) => r.pick(['TCP', 'UDP']), note: word })(random),
  })),
  granular: mapOf(word),
  maps: mapOf(some({ a: word, b: word })),
  atomic: some({ a: word, b: word }),
  struct: some({ a: word, b: word, inner: some({ c: word, d: word }) }),
  open: mapOf(anything),
  half: some({ known: word, set: few(texts), other: anything }),
  any: anything,
  embedded: (random) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'inside',
      ...some({ labels: filledMap, finalizers: (r) => [r.pick(['a/a', 'b/b'])] })(random),
    },
    ...some({ data: mapOf(word) })(random),
  }),
};

const STATUS = some({
  phase: word,
  observed: digit,
  conditions: fewOf(['Ready', 'Synced', 'Held'], (type, random) => ({
    type,
    ...some({ status: word, message: word })(random),
  })),
});

export const someMeta = some({ labels: mapOf(word), annotations: mapOf(word) }, 0.3);

/** The content of an object of a kind, beside `metadata`: what a person would state of it. `density`: how much of it. */
export type Content = (random: SeededRandom, density: number) => JsonObject;

export const customContent: Content = (random, density) => {
  const spec = some(FIELDS, density)(random);
  return random.chance(0.1) ? { spec, status: STATUS(random) } : { spec };
};

export const customStatus: Content = (random) => ({ status: STATUS(random) });

export const configMapContent: Content = some({
  data: mapOf(word),
  binaryData: some({ bin: () => 'YQ==' }),
  immutable: () => false,
});

export const secretContent: Content = (random) => ({
  type: 'Opaque',
  ...some({ data: some({ x: () => 'YQ==', y: (r) => r.pick(['Yg==', 'Yw==']) }), immutable: () => false })(random),
});

export const serviceContent: Content = (random) => ({
  spec: {
    ...some({ selector: mapOf(word), sessionAffinity: () => 'None', publishNotReadyAddresses: () => true })(random),
    ports: [
      { name: 'main', port: 80, ...some({ protocol: () => 'TCP', targetPort: (r) => r.pick([80, 'http']) })(random) },
      ...(fewOf(['dns', 'alt'], (name, r) => ({
        name,
        port: name === 'dns' ? 53 : 8080,
        ...some({ protocol: (p) => p.pick(name === 'dns' ? ['TCP', 'UDP'] : ['TCP']), targetPort: digitPort })(r),
      }))(random) as readonly unknown[]),
    ],
    ...some({ type: () => 'ClusterIP' })(random),
  },
});

const digitPort: Make = (random) => random.integer(1_000, 1_002);

const peer: Make = (random) =>
  random.pick<Make>([
    () => ({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }),
    some({ podSelector: some({ matchLabels: filledMap }), namespaceSelector: () => ({}) }, 1),
  ])(random);

export const networkPolicyContent: Content = (random) => ({
  spec: {
    podSelector: some({ matchLabels: filledMap })(random),
    policyTypes: ['Ingress', 'Egress'],
    ...some({
      ingress: (r) => [some({ from: () => [peer(r)], ports: () => [{ port: 80, protocol: 'TCP' }] })(r)],
      egress: (r) => [some({ to: () => [peer(r)] })(r)],
    })(random),
  },
});
