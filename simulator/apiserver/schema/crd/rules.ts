import { declareType, resourceNode, withTypeAndMeta } from '../cel/declare.ts';
import { parseFieldPath } from '../cel/fieldpath.ts';
import { type CompiledRule, compileRules } from '../cel/rules.ts';
import { childPath, type FieldError, indexPath, invalid, keyPath, notSupported, required } from '../fielderror.ts';
import { isObject, type JsonObject } from '../json.ts';
import { parseNode, type SchemaNode } from '../node.ts';

const RULES = 'x-kubernetes-validations';
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

/** The form of the rules of one node: their texts, reasons and paths. */
export function checkRules(errors: FieldError[], schema: JsonObject, path: string): void {
  const rules = schema[RULES];
  if (!Array.isArray(rules)) return;
  for (const [index, rule] of rules.entries()) {
    if (isObject(rule)) checkRule(errors, rule, schema, indexPath(childPath(path, RULES), index));
  }
}

function checkRule(errors: FieldError[], rule: JsonObject, schema: JsonObject, path: string): void {
  const text = textAt(rule, 'rule');
  const message = textAt(rule, 'message');
  const at = (key: string) => childPath(path, key);
  if (text.trim() === '') errors.push(required(at('rule'), 'rule is not specified'));
  else if (message !== '' && message.trim() === '') {
    errors.push(invalid(at('message'), message, 'must be non-empty if specified'));
  } else if (hasNewlines(message.trim())) {
    errors.push(invalid(at('message'), message, 'must not contain line breaks'));
  } else if (hasNewlines(text.trim()) && message.trim() === '') {
    errors.push(required(at('message'), 'message must be specified if rule contains line breaks'));
  }
  const expression = textAt(rule, 'messageExpression');
  if (expression !== '' && expression.trim() === '') {
    errors.push(required(at('messageExpression'), 'messageExpression must be non-empty if specified'));
  }
  const reason = textAt(rule, 'reason');
  if (reason !== '' && !REASONS.includes(reason)) errors.push(notSupported(at('reason'), reason, REASONS));
  const fieldPath = textAt(rule, 'fieldPath');
  if (fieldPath === '') return;
  if (fieldPath.trim() === '') errors.push(invalid(at('fieldPath'), fieldPath, 'must be non-empty if specified'));
  if (hasNewlines(fieldPath)) errors.push(invalid(at('fieldPath'), fieldPath, 'must not contain line breaks'));
  if ('problem' in parseFieldPath(fieldPath, parseNode(schema))) {
    errors.push(invalid(at('fieldPath'), fieldPath, 'must be a valid path'));
  }
}

/** Whether the rules of a schema that is right otherwise compile: types, functions, and `oldSelf` only where it can be found. */
export function checkExpressions(errors: FieldError[], schema: JsonObject, path: string): void {
  checkNode(errors, withTypeAndMeta(parseNode(schema)), path, undefined);
}

/** `uncorrelated`: the path of the list whose old items cannot be told. */
function checkNode(errors: FieldError[], node: SchemaNode, path: string, uncorrelated: string | undefined): void {
  for (const [name, member] of node.properties ?? []) {
    checkNode(errors, resourceNode(member), keyPath(childPath(path, 'properties'), name), uncorrelated);
  }
  if (typeof node.additionalProperties === 'object') {
    const at = childPath(path, 'additionalProperties');
    checkNode(errors, resourceNode(node.additionalProperties), at, uncorrelated);
  }
  if (node.items !== undefined) {
    const lost = uncorrelated ?? (node.listType === 'map' ? undefined : path);
    checkNode(errors, resourceNode(node.items), childPath(path, 'items'), lost);
  }
  const type = node.rules.length === 0 ? undefined : declareType(node, 'self');
  if (type === undefined) return;
  for (const [index, compiled] of compileRules(node, type).entries()) {
    checkCompiled(errors, compiled, indexPath(childPath(path, RULES), index), uncorrelated);
  }
}

function checkCompiled(
  errors: FieldError[],
  { rule, program, problem, messageProblem }: CompiledRule,
  path: string,
  uncorrelated: string | undefined,
): void {
  const shown = renderRule(rule);
  if (problem !== undefined) errors.push({ ...invalid(childPath(path, 'rule'), rule.rule, problem), shown });
  if (messageProblem !== undefined) {
    errors.push({ ...invalid(childPath(path, 'messageExpression'), rule.messageExpression, messageProblem), shown });
  }
  if (program?.usesOldSelf === true && uncorrelated !== undefined) {
    const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`;
    errors.push(invalid(childPath(path, 'rule'), rule.rule, detail));
  }
  if (program?.usesOldSelf !== true && rule.optionalOldSelf === true) {
    const detail = 'may not be set if oldSelf is not used in rule';
    errors.push(invalid(childPath(path, 'optionalOldSelf'), true, detail));
  }
}

/** A rule as the API server's own type prints. */
function renderRule(rule: CompiledRule['rule']): string {
  return JSON.stringify({
    Rule: rule.rule,
    Message: rule.message ?? '',
    MessageExpression: rule.messageExpression ?? '',
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? '',
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  }).replace(/[<>&]/g, (found) => `\\u00${found.charCodeAt(0).toString(16)}`);
}

function textAt(object: JsonObject, key: string): string {
  const value = object[key];
  return typeof value === 'string' ? value : '';
}

function hasNewlines(text: string): boolean {
  return /[\n\r]/.test(text);
}
