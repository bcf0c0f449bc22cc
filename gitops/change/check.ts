import { API_VERSION } from '../../model/group.ts';
import type { FieldEdit, Intent, Json, JsonMap, Target } from '../intent.ts';
import { isMap, memberOf } from './json.ts';
import { renderSteps } from './steps.ts';

/** Deeper than any of our schemas, and shallow enough for every reader of YAML. */
const MOST_DEPTH = 24;
const MOST_EDITS = 500;
const MOST_CHARACTERS = 64 * 1024;
const KIND = /^[A-Z][A-Za-z]{0,62}$/;
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/**
 * Why an intent cannot be carried out on any repository, or undefined. Says nothing of schemas and rules (`crds/rules`): it holds what the engine itself relies
 * on, so that whatever is journalled can be written, read again and said in a commit.
 */
export function checkIntent(intent: Intent): string | undefined {
  const { target } = intent;
  if (!KIND.test(target.kind)) return `kind must be a kind's name, such as Plan, not ${show(target.kind)}`;
  if (!NAME.test(target.name)) return `name must be lower-case letters, digits, "-" and ".", not ${show(target.name)}`;
  switch (intent.type) {
    case 'Create':
      return checkObject(intent.object, target);
    case 'Edit':
      return checkEdits(intent.edits);
    case 'Delete':
      return undefined;
  }
}

function checkObject(object: JsonMap, { kind, name, namespace }: Target): string | undefined {
  const metadata = memberOf(object, 'metadata');
  if (!isMap(metadata)) return 'metadata is missing';
  const other = [
    { field: 'apiVersion', found: memberOf(object, 'apiVersion'), expected: API_VERSION },
    { field: 'kind', found: memberOf(object, 'kind'), expected: kind },
    { field: 'metadata.name', found: memberOf(metadata, 'name'), expected: name },
    { field: 'metadata.namespace', found: memberOf(metadata, 'namespace') ?? namespace, expected: namespace },
  ].find(({ found, expected }) => found !== expected);
  if (other !== undefined) return `${other.field} must be ${other.expected}, not ${show(other.found)}`;
  return checkValue(object, 'the resource');
}

function checkEdits(edits: readonly FieldEdit[]): string | undefined {
  if (edits.length === 0 || edits.length > MOST_EDITS)
    return `a change has 1 to ${MOST_EDITS} edits, not ${edits.length}`;
  for (const edit of edits) {
    const problem = checkEdit(edit);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function checkEdit({ path, to }: FieldEdit): string | undefined {
  const at = renderSteps(path);
  const [first, second] = path;
  const isDeclared =
    (first === 'spec' && path.length > 1) ||
    (first === 'metadata' && (second === 'labels' || second === 'annotations'));
  if (!isDeclared)
    return `${show(at)} cannot be edited; edits are below spec, metadata.labels and metadata.annotations`;
  if (path.length > MOST_DEPTH) return `${show(at)} is more than ${MOST_DEPTH} steps deep`;
  if (path.some((step) => typeof step !== 'string' && Object.keys(step).length === 0))
    return `${show(at)} has an empty key`;
  const last = path.at(-1);
  if (typeof last === 'object' && to != null) {
    const wrong = Object.entries(last).find(([name, value]) => !isMap(to) || memberOf(to, name) !== value);
    if (wrong !== undefined) return `${show(at)} must hold its key, ${wrong[0]}: ${show(wrong[1])}`;
  }
  const keyBehind = path.findIndex((step, index) => isKeyOf(path[index - 1], step));
  if (keyBehind >= 0) return `${show(at)} is the key of an item; remove the item and add another`;
  return checkValue(to, at);
}

function isKeyOf(item: FieldEdit['path'][number] | undefined, step: FieldEdit['path'][number]): boolean {
  return typeof item === 'object' && typeof step === 'string' && Object.hasOwn(item, step);
}

function checkValue(value: Json | undefined, at: string): string | undefined {
  if (value === undefined) return undefined;
  if (isDeeper(value, MOST_DEPTH)) return `${show(at)} nests more than ${MOST_DEPTH} levels`;
  const characters = JSON.stringify(value).length;
  if (characters > MOST_CHARACTERS) return `${show(at)} has ${characters} characters, more than ${MOST_CHARACTERS}`;
  return isWellFormed(value) ? undefined : `${show(at)} holds a number that JSON lacks, or text that is not Unicode`;
}

function isDeeper(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}

function isWellFormed(value: Json): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, member]) => name.isWellFormed() && isWellFormed(member));
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 120);
}
