import { compileRuleValidator } from '../cel/validate.ts';
import { UNCORRELATED } from '../correlation.ts';
import { compileEmbeddedValidator } from '../embedded.ts';
import { childPath, type FieldError, invalid, keyPath } from '../fielderror.ts';
import { cloneJson, equalJson, isObject, type JsonObject } from '../json.ts';
import { parseNode, type SchemaNode } from '../node.ts';
import { pruneUnknown } from '../prune.ts';
import { compileValidator } from '../value/check.ts';

/** Checks that every default of a structural schema is valid and has no unknown fields. */
export function checkDefaults(errors: FieldError[], schema: JsonObject, path: string): void {
  checkNode(errors, parseNode(schema), path);
}

function checkNode(errors: FieldError[], node: SchemaNode, path: string): void {
  if (node.default !== undefined) checkDefault(errors, node, childPath(path, 'default'));
  if (node.items !== undefined) checkNode(errors, node.items, childPath(path, 'items'));
  for (const [name, member] of node.properties ?? []) {
    checkNode(errors, member, keyPath(childPath(path, 'properties'), name));
  }
}

function checkDefault(errors: FieldError[], node: SchemaNode, path: string): void {
  const wrapped: SchemaNode = { ...parseNode({ type: 'object' }), properties: new Map([['value', node]]) };
  const pruned = cloneJson(node.default);
  pruneUnknown(pruned, node);
  if (!equalJson(pruned, node.default)) {
    errors.push(invalid(path, node.default, 'must not have unknown fields'));
  }
  const found = [
    ...(isObject(node.default) ? compileEmbeddedValidator(node)(node.default) : []),
    ...compileValidator(node)(node.default, UNCORRELATED, path),
  ];
  errors.push(...found);
  if (found.length > 0) return;
  const violations = compileRuleValidator(wrapped)?.({ value: node.default }, UNCORRELATED) ?? [];
  errors.push(...violations.map((violation) => ({ ...violation, field: violation.field.replace(/^value/, path) })));
}
