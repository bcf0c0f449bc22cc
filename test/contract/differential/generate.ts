import { apply, del, get, jsonPatch, merge, post, put, type Step, watch } from '../case.ts';
import type { Json, JsonObject } from '../json.ts';
import { CONFIGMAPS, configMap, WIDGETS, widget } from '../resources.ts';
import { type Choices, createChoices } from './random.ts';
import { buildMap, buildMetadata, buildSpec, buildStatus } from './values.ts';

const NAMES = ['a', 'b', 'c'];
const MANAGERS = ['one', 'two', 'three'];
/** The label that the sentinel has, so that a watch by it sees the end too. */
const SENTINEL = 'zz-end';

/** A random sequence of calls; the same seed and length give the same one. */
export function generateSteps(seed: number, length: number): readonly Step[] {
  const choices = createChoices(seed);
  return Array.from({ length }, (_, index) => generateStep(choices, `s${index}`));
}

/** Puts the calls between the beginning and the end of two watches. */
export function surround(steps: readonly Step[]): readonly Step[] {
  const end = post(WIDGETS, widget(SENTINEL, {}, { labels: { app: 'x' } }));
  const inner = watch(`${WIDGETS}?watch=true&labelSelector=app%3Dx`, { during: [...steps, end], until: SENTINEL });
  return [
    get(WIDGETS, { name: 'before' }),
    watch(`${WIDGETS}?watch=true&resourceVersion=<<before:metadata.resourceVersion>>`, {
      during: [inner],
      until: SENTINEL,
    }),
    get(WIDGETS),
  ];
}

type Generate = (choices: Choices, step: string) => Step;

const KINDS: readonly (readonly [weight: number, generate: Generate])[] = [
  [14, (choices) => post(`${WIDGETS}${manager(choices)}`, buildWidget(choices, choices.pick(NAMES)))],
  [26, generateApply],
  [12, generateMerge],
  [9, generateJsonPatch],
  [8, generatePut],
  [10, generateStatus],
  [7, generateDelete],
  [5, generateConfigMap],
  [3, (choices, step) => get(`${WIDGETS}/${choices.pick(NAMES)}`, { name: step })],
  [2, (choices) => get(`${WIDGETS}?labelSelector=${choices.pick(['app', 'app%3Dx', '%21tier', 'app%20in%20(x,y)'])}`)],
  [2, (_, step) => get(`${WIDGETS}?limit=2`, { name: step })],
  [2, (choices) => get(`${WIDGETS}?limit=2&continue=<<s${choices.index(30)}:metadata.continue>>`)],
];

function generateStep(choices: Choices, step: string): Step {
  const total = KINDS.reduce((sum, [weight]) => sum + weight, 0);
  let at = choices.index(total);
  for (const [weight, generate] of KINDS) {
    if (at < weight) return generate(choices, step);
    at -= weight;
  }
  throw new Error('the weights do not add up');
}

function manager(choices: Choices): string {
  const dryRun = choices.chance(5) ? '&dryRun=All' : '';
  const validation = choices.chance(10) ? `&fieldValidation=${choices.pick(['Strict', 'Warn', 'Ignore'])}` : '';
  return `?fieldManager=${choices.pick(MANAGERS)}${dryRun}${validation}`;
}

function buildWidget(choices: Choices, name: string, metadata: JsonObject = {}): JsonObject {
  return widget(name, buildSpec(choices), { ...buildMetadata(choices), ...metadata });
}

/**
 * Without unknown fields: of several errors of an apply the real server names those that it meets by chance. Without metadata that is empty: the
 * real server keeps that of an apply, and the next write counts as a change whatever it says (`allowed.ts`).
 */
function generateApply(choices: Choices): Step {
  const name = choices.pick(NAMES);
  const force = choices.chance(35) ? '&force=true' : '';
  const { unknown: _, ...spec } = buildSpec(choices);
  return apply(`${WIDGETS}/${name}${manager(choices)}${force}`, widget(name, spec, dropEmpty(buildMetadata(choices))));
}

function dropEmpty(metadata: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(metadata).filter(([, value]) => Object.keys(value as object).length > 0),
  ) as JsonObject;
}

function generateMerge(choices: Choices, step: string): Step {
  const spec = Object.fromEntries(
    Object.entries(buildSpec(choices)).map(([name, value]) => [name, choices.chance(20) ? null : value]),
  );
  const patch: Record<string, Json> = { spec };
  if (choices.chance(40)) patch.metadata = choices.chance(20) ? { finalizers: null } : buildMetadata(choices);
  return merge(`${WIDGETS}/${choices.pick(NAMES)}${manager(choices)}`, patch, { name: step });
}

function generateJsonPatch(choices: Choices): Step {
  const operations = Array.from({ length: 1 + choices.index(2) }, (): Json => {
    const op = choices.pick(['add', 'replace', 'remove', 'test', 'copy', 'move']);
    const path = choices.pick(POINTERS);
    if (op === 'copy' || op === 'move') return { op, from: choices.pick(POINTERS), path };
    return op === 'remove' ? { op, path } : { op, path, value: choices.pick<Json>(['aa', 5, ['x'], { name: 'n' }]) };
  });
  return jsonPatch(`${WIDGETS}/${choices.pick(NAMES)}${manager(choices)}`, operations);
}

const POINTERS = [
  '/spec/title',
  '/spec/size',
  '/spec/tags/0',
  '/spec/tags/-',
  '/spec/args',
  '/spec/inner',
  '/spec/ports/0/name',
  '/spec/free/p',
  '/metadata/labels',
];

function generatePut(choices: Choices): Step {
  const name = choices.pick(NAMES);
  const version = choices.chance(50) ? { resourceVersion: `<<s${choices.index(30)}:metadata.resourceVersion>>` } : {};
  return put(`${WIDGETS}/${name}${manager(choices)}`, buildWidget(choices, name, version));
}

function generateStatus(choices: Choices): Step {
  const name = choices.pick(NAMES);
  const path = `${WIDGETS}/${name}/status${manager(choices)}`;
  const status = buildStatus(choices);
  if (choices.chance(40)) return merge(path, { status });
  if (choices.chance(30)) return put(path, { ...buildWidget(choices, name), status });
  const intent = { apiVersion: 'contract.sublet.dev/v1', kind: 'Widget', metadata: { name }, status };
  return apply(`${path}${choices.chance(50) ? '&force=true' : ''}`, intent);
}

function generateDelete(choices: Choices): Step {
  const path = `${WIDGETS}/${choices.pick(NAMES)}`;
  if (choices.chance(10)) return del(`${WIDGETS}?labelSelector=app%3D${choices.pick(['x', 'y'])}`);
  if (choices.chance(70)) return del(`${path}${choices.chance(10) ? '?dryRun=All' : ''}`);
  const preconditions = { resourceVersion: `<<s${choices.index(30)}:metadata.resourceVersion>>` };
  return del(path, { apiVersion: 'v1', kind: 'DeleteOptions', preconditions });
}

function generateConfigMap(choices: Choices): Step {
  const name = choices.pick(NAMES);
  const data = buildMap(choices, ['k', 'l', 'm'], ['1', '2']);
  const path = `${CONFIGMAPS}/${name}${manager(choices)}`;
  if (choices.chance(30))
    return post(`${CONFIGMAPS}${manager(choices)}`, configMap(name, data, buildMetadata(choices)));
  if (choices.chance(50)) return apply(`${path}${choices.chance(40) ? '&force=true' : ''}`, configMap(name, data));
  return choices.chance(70) ? merge(path, { data }) : del(`${CONFIGMAPS}/${name}`);
}
