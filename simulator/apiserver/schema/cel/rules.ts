import type { SchemaNode, ValidationRule } from '../node.ts';
import { type Compilation, compileExpression, type Program } from './compile.ts';
import { parseFieldPath } from './fieldpath.ts';
import type { CelType } from './types.ts';

/** A rule as it is evaluated, or what keeps it from being so. */
export type CompiledRule = {
  readonly rule: ValidationRule;
  /** Absent where the rule is empty or has `problem`. */
  readonly program?: Program;
  readonly problem?: string;
  readonly message?: Program;
  readonly messageProblem?: string;
  /** Where a violation is reported, below the value of the rule. */
  readonly fieldPath?: string;
};

/** Compiles the rules of one node. `type` is that of its values. */
export function compileRules(node: SchemaNode, type: CelType): readonly CompiledRule[] {
  return node.rules.map((rule) => compileRule(rule, node, type));
}

function compileRule(rule: ValidationRule, node: SchemaNode, type: CelType): CompiledRule {
  if (rule.rule.trim() === '') return { rule };
  const oldSelf: CelType = rule.optionalOldSelf === true ? { kind: 'optional', of: type } : type;
  const compiled = compile(rule.rule, { self: type, oldSelf }, 'bool');
  if ('problem' in compiled) return { rule, problem: compiled.problem };
  const { program } = compiled;
  const path = rule.fieldPath === undefined ? undefined : parseFieldPath(rule.fieldPath, node);
  const located = path !== undefined && 'path' in path && path.path !== '' ? { fieldPath: path.path } : {};
  if (rule.messageExpression === undefined) return { rule, program, ...located };
  const message = compile(rule.messageExpression, { self: type, oldSelf }, 'string');
  if ('problem' in message) return { rule, program, messageProblem: message.problem };
  return { rule, program, message: message.program, ...located };
}

const WORDS = {
  bool: { prefix: '', wrong: 'cel expression must evaluate to a bool' },
  string: { prefix: 'messageExpression ', wrong: 'messageExpression must evaluate to a string' },
} as const;

function compile(
  text: string,
  types: { readonly self: CelType; readonly oldSelf: CelType },
  kind: keyof typeof WORDS,
): { readonly program: Program } | { readonly problem: string } {
  const { prefix, wrong } = WORDS[kind];
  const compiled: Compilation = compileExpression(text, types);
  if ('problem' in compiled) return { problem: `${prefix}${compiled.problem}` };
  return compiled.program.type.kind === kind ? compiled : { problem: wrong };
}
