import { correlateItems, correlateMember, isUnchanged, type Old, UNCORRELATED } from '../correlation.ts';
import {
  childPath,
  duplicate,
  type FieldError,
  forbidden,
  indexPath,
  invalid,
  keyPath,
  NO_FIELD,
  required,
} from '../fielderror.ts';
import { isObject, type JsonObject } from '../json.ts';
import type { SchemaNode, ValidationRule } from '../node.ts';
import { declareType, resourceNode, withTypeAndMeta } from './declare.ts';
import { EvaluationError, isOverBudget } from './errors.ts';
import { readValue } from './json.ts';
import { type CompiledRule, compileRules } from './rules.ts';
import type { CelType } from './types.ts';
import type { Value } from './values.ts';

/** Asks every rule of a schema about an object. `old` is the stored object, or {@link UNCORRELATED} on create. */
export type RuleValidator = (object: JsonObject, old: Old) => readonly FieldError[];

/**
 * Compiles the rules of a schema, each once; undefined where it has none. Rules that do not compile are reported with every object: the API server refuses such a definition,
 * so that they are met only in one that it has taken before.
 *
 * A rule that looks at more than a million elements is cut off, and no other is asked.
 */
export function compileRuleValidator(root: SchemaNode): RuleValidator | undefined {
  const node = withTypeAndMeta(root);
  const check = compileNode(root, node, declareType(node, 'self'));
  if (check === undefined) return undefined;
  return (object, old) => {
    const errors: FieldError[] = [];
    check(object, old, { path: '', ratchet: ratchetOf(node, object, old), run: { isOver: false } }, errors);
    return errors;
  };
}

type Correlation = { readonly node: SchemaNode; readonly value: unknown; readonly old: Old };
/** What must be unchanged for a violation to be tolerated: the value itself, or where it has no old one the nearest around it that has. */
type Ratchet = { readonly current: Correlation | undefined; readonly nearest: Correlation | undefined } | undefined;
/** `run` is shared by all places: once it is over, no rule is asked any more. */
type Place = { readonly path: string; readonly ratchet: Ratchet; readonly run: { isOver: boolean } };
type Check = (value: unknown, old: Old, place: Place, errors: FieldError[]) => void;

/** `rules` states the rules, `node` the structure: they differ below `allOf` only. Undefined where nothing below has a rule. */
function compileNode(rules: SchemaNode, node: SchemaNode, type: CelType | undefined): Check | undefined {
  if (type === undefined) return undefined;
  const own = compileOwn({ ...node, rules: rules.rules }, type);
  const all = rules.allOf.flatMap((part) => compileNode(part, node, type) ?? []);
  const items = compileItems(rules, node, type);
  const members = compileMembers(rules, node, type);
  if (own === undefined && all.length === 0 && items === undefined && members === undefined) return undefined;
  return (value, old, place, errors) => {
    if (value === null || place.run.isOver) return;
    own?.(value, old, place, errors);
    for (const check of all) check(value, old, { ...place, ratchet: loosen(place.ratchet) }, errors);
    if (Array.isArray(value)) items?.(value, old, place, errors);
    else if (isObject(value)) members?.(value, old, place, errors);
  };
}

function compileItems(rules: SchemaNode, node: SchemaNode, type: CelType) {
  if (rules.items === undefined || node.items === undefined || type.kind !== 'list') return undefined;
  const itemNode = resourceNode(node.items);
  const check = compileNode(rules.items, itemNode, type.of);
  if (check === undefined) return undefined;
  return (items: readonly unknown[], old: Old, { path, ratchet, run }: Place, errors: FieldError[]) => {
    const find = correlateItems(node, old);
    for (const [index, item] of items.entries()) {
      const before = find(item);
      const place = { path: indexPath(path, index), ratchet: descend(ratchet, itemNode, item, before), run };
      check(item, before, place, errors);
    }
  };
}

function compileMembers(rules: SchemaNode, node: SchemaNode, type: CelType) {
  const checks = new Map<string, { readonly node: SchemaNode; readonly check: Check }>();
  for (const [name, member] of rules.properties ?? []) {
    const declared = node.properties?.get(name);
    const memberNode = declared === undefined ? undefined : resourceNode(declared);
    const memberType = memberNode === undefined ? undefined : declareType(memberNode, name);
    const check = memberNode === undefined ? undefined : compileNode(member, memberNode, memberType);
    if (memberNode !== undefined && check !== undefined) checks.set(name, { node: memberNode, check });
  }
  const other = compileOther(rules, node, type);
  if (checks.size === 0 && other === undefined) return undefined;
  return (object: JsonObject, old: Old, { path, ratchet, run }: Place, errors: FieldError[]) => {
    for (const key of Object.keys(object)) {
      const named = checks.get(key);
      const found = named ?? other;
      if (found === undefined) continue;
      const value = object[key];
      const before = correlateMember(node, old, key);
      const at = named === undefined ? keyPath(path, key) : childPath(path, key);
      const isTyped = path === '' && (key === 'apiVersion' || key === 'kind');
      const inner = isTyped ? undefined : descend(ratchet, found.node, value, before);
      found.check(value, before, { path: at, ratchet: inner, run }, errors);
    }
  };
}

function compileOther(rules: SchemaNode, node: SchemaNode, type: CelType) {
  const { additionalProperties } = rules;
  const structure = node.additionalProperties;
  if (typeof additionalProperties !== 'object' || typeof structure !== 'object' || type.kind !== 'map')
    return undefined;
  const memberNode = resourceNode(structure);
  const check = compileNode(additionalProperties, memberNode, type.of);
  return check === undefined ? undefined : { node: memberNode, check };
}

function compileOwn(node: SchemaNode, type: CelType): Check | undefined {
  const compiled = compileRules(node, type);
  if (compiled.length === 0) return undefined;
  const typeName = node.isIntOrString ? '' : (node.type ?? '');
  return (value, old, place, errors) => {
    const field = place.path === '' ? NO_FIELD : place.path;
    const before = old === UNCORRELATED || old === null ? undefined : old;
    const read = attempt(() => ({
      self: readValue(value, node),
      old: before === undefined ? undefined : readValue(before, node),
    }));
    for (const one of compiled) {
      if (one.problem !== undefined) {
        errors.push(invalid(field, typeName, `rule compile error: ${one.problem}`));
        continue;
      }
      const isTransition = one.program?.usesOldSelf === true;
      if (one.program === undefined || (isTransition && before === undefined && one.rule.optionalOldSelf !== true))
        continue;
      const judged = 'error' in read ? read : judge(one, read.value);
      if ('error' in judged) {
        errors.push(invalid(field, typeName, renderFailure(judged.error, one.rule)));
        place.run.isOver = isOverBudget(judged.error);
        if (place.run.isOver) return;
      } else if (judged.value !== true && (isTransition || !isRatcheted(place.ratchet))) {
        errors.push(
          buildViolation(
            one,
            place.path,
            typeName === 'object' || typeName === 'array' ? undefined : value,
            messageOf(one, read),
          ),
        );
      }
    }
  };
}

type Read = { readonly self: Value; readonly old: Value | undefined };
type Attempt<T> = { readonly value: T } | { readonly error: EvaluationError };

function judge({ program, rule }: CompiledRule, { self, old }: Read): Attempt<Value> {
  const oldSelf: Value | undefined = rule.optionalOldSelf === true ? { type: 'optional', value: old } : old;
  return attempt(() => program?.run(self, oldSelf) ?? null);
}

function attempt<T>(run: () => T): Attempt<T> {
  try {
    return { value: run() };
  } catch (error) {
    if (error instanceof EvaluationError) return { error };
    throw error;
  }
}

function renderFailure(error: EvaluationError, rule: ValidationRule): string {
  const named = (rule.message ?? rule.rule).trim();
  if (isOverBudget(error)) {
    return `'${error.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${named}`;
  }
  if (!error.message.startsWith('no such overload')) return `${error.message} evaluating rule: ${named}`;
  return `'${error.message}': call arguments did not match a supported operator, function or macro signature for rule: ${named}`;
}

/** The message that the rule computes, else the one that it states. */
function messageOf({ message, rule }: CompiledRule, read: Attempt<Read>): string {
  if (message !== undefined && 'value' in read) {
    const computed = attempt(() => message.run(read.value.self, read.value.old));
    const text = 'value' in computed && typeof computed.value === 'string' ? computed.value.trim() : '';
    if (text !== '' && !text.includes('\n') && Buffer.byteLength(text) <= MAX_MESSAGE_BYTES) return text;
  }
  return rule.message === undefined ? `failed rule: ${rule.rule.trim()}` : rule.message.trim();
}

const MAX_MESSAGE_BYTES = 5 * 1024;

function buildViolation(
  { rule, fieldPath }: CompiledRule,
  path: string,
  badValue: unknown,
  detail: string,
): FieldError {
  const at = fieldPath === undefined ? path : childPath(path, fieldPath);
  const field = at === '' ? NO_FIELD : at;
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return forbidden(field, detail);
    case 'FieldValueRequired':
      return required(field, detail);
    case 'FieldValueDuplicate':
      return duplicate(field, badValue);
    default:
      return invalid(field, badValue, detail);
  }
}

function ratchetOf(node: SchemaNode, value: unknown, old: Old): Ratchet {
  return old === UNCORRELATED ? undefined : { current: { node, value, old }, nearest: undefined };
}

function descend(ratchet: Ratchet, node: SchemaNode, value: unknown, old: Old): Ratchet {
  if (ratchet?.current === undefined) return ratchet;
  return { current: old === UNCORRELATED ? undefined : { node, value, old }, nearest: ratchet.current };
}

/** Below `allOf` only what is around counts. */
function loosen(ratchet: Ratchet): Ratchet {
  return ratchet === undefined ? undefined : { current: undefined, nearest: ratchet.nearest };
}

function isRatcheted(ratchet: Ratchet): boolean {
  const found = ratchet?.current ?? ratchet?.nearest;
  return found !== undefined && isUnchanged(found.node, found.value, found.old);
}
