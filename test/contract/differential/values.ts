import type { Json, JsonObject } from '../json.ts';
import type { Choices } from './random.ts';

/** Part of a widget's spec: mostly good, sometimes what the schema or a rule refuses. */
export function buildSpec(choices: Choices): JsonObject {
  const names = Object.keys(FIELDS).filter(() => choices.chance(22));
  return Object.fromEntries(names.map((name) => [name, FIELDS[name]?.(choices) ?? null]));
}

export function buildStatus(choices: Choices): JsonObject {
  const status: Record<string, Json> = {};
  if (choices.chance(60)) status.phase = choices.pick(['Pending', 'Ready', 'Gone']);
  if (choices.chance(40)) status.observedGeneration = choices.index(4);
  if (choices.chance(60)) {
    status.conditions = choices.some(['Ready', 'Stalled', 'Live']).map((type) => ({
      type,
      status: choices.pick(['True', 'False', 'Unknown']),
      ...(choices.chance(40) ? { reason: choices.pick(['One', 'Two']) } : {}),
    }));
  }
  return status;
}

export function buildMetadata(choices: Choices): JsonObject {
  const metadata: Record<string, Json> = {};
  if (choices.chance(40)) metadata.labels = buildMap(choices, ['app', 'tier'], ['x', 'y', '']);
  if (choices.chance(25)) metadata.annotations = buildMap(choices, ['example.com/a', 'b'], ['1', '2']);
  if (choices.chance(12)) metadata.finalizers = choices.some(['example.com/one', 'example.com/two']);
  return metadata;
}

export function buildMap(choices: Choices, keys: readonly string[], values: readonly string[]): JsonObject {
  return Object.fromEntries(choices.some(keys).map((key) => [key, choices.pick(values)]));
}

type Build = (choices: Choices) => Json;

const FIELDS: Readonly<Record<string, Build>> = {
  title: (choices) => choices.pick(['aa', 'bb', 'cc', 'x']),
  color: (choices) => choices.pick(['red', 'green', 'blue', 'red', 'green', 'pink']),
  size: (choices) => choices.pick([1, 2, 50, 100, 3, 101, null]),
  enabled: (choices) => choices.chance(50),
  ratio: (choices) => choices.pick([0.25, 0.5, 0.75, 1]),
  port: (choices) => choices.pick([80, 'http', 81]),
  nothing: (choices) => choices.pick([null, 'text']),
  nothingElse: (choices) => choices.pick([null, 'else']),
  tags: (choices) => [...choices.some(['a', 'b', 'c', 'd']), ...(choices.chance(6) ? ['a', 'a'] : [])],
  ports: (choices) => choices.some([1, 2, 3, 4]).map((port) => buildPort(choices, port)),
  args: (choices) => choices.some(['x', 'y', 'z']),
  steps: (choices) =>
    choices.some(['one', 'two']).map((run) => ({ run, ...(choices.chance(30) ? { weight: choices.index(3) } : {}) })),
  unique: (choices) => choices.some([1, 2, 3]),
  matrix: (choices) => [choices.some([1, 2]), choices.some([3])],
  labels: (choices) => buildMap(choices, ['k', 'l', 'm'], ['1', '2', 'three']),
  atomic: (choices) => buildMap(choices, ['k', 'l'], ['1', '2']),
  inner: buildInner,
  defaulted: (choices) =>
    Object.fromEntries(choices.some(['a', 'b']).map((key) => [key, choices.chance(50) ? {} : { kept: false }])),
  free: (choices) => ({ p: buildFree(choices, 2), ...(choices.chance(30) ? { s: buildFree(choices, 1) } : {}) }),
  known: (choices) => ({ a: choices.chance(50) ? { b: 'x' } : {}, other: choices.index(3) }),
  either: (choices) => choices.pick<JsonObject>([{ left: 'x' }, { right: 'y' }, { left: 'x' }, {}]),
  fixed: (choices) => choices.pick(['one', 'one', 'one', 'two']),
  growing: (choices) => choices.index(4),
  checked: (choices) => ({ low: choices.index(3), high: choices.index(4) + 1 }),
  unknown: (choices) => choices.index(2),
};

function buildPort(choices: Choices, port: number): Json {
  return {
    port,
    ...(choices.chance(30) ? { protocol: choices.pick(['TCP', 'UDP']) } : {}),
    ...(choices.chance(50) ? { name: choices.pick(['a', 'b']) } : {}),
    ...(choices.chance(20) ? { hosts: choices.some(['h', 'i']) } : {}),
  };
}

function buildInner(choices: Choices): Json {
  return {
    ...(choices.chance(94) ? { name: choices.pick(['n', 'o']) } : {}),
    ...(choices.chance(40) ? { mode: choices.pick(['fast', 'slow']) } : {}),
    ...(choices.chance(40) ? { deep: choices.chance(50) ? {} : { level: choices.index(3) } } : {}),
  };
}

function buildFree(choices: Choices, depth: number): Json {
  if (depth === 0 || choices.chance(30)) return choices.pick<Json>([1, 'text', true, null, 0.5]);
  if (choices.chance(25)) return choices.some([1, 2]).map(() => buildFree(choices, depth - 1));
  return Object.fromEntries(choices.some(['p', 'q', 'r']).map((key) => [key, buildFree(choices, depth - 1)]));
}
