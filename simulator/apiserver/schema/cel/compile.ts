import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js';
import { compileAccess, compileHas, typeByName } from './access.ts';
import { compileCall, compileMethod, compileOperator } from './calls.ts';
import { CompileError, ProgramError, renderCompileError, startBudget } from './errors.ts';
import { constant, type Expression, positionAfter, type Run, type Scope } from './expression.ts';
import { compileChoice, compileLogic } from './logic.ts';
import { compileMacro } from './macros.ts';
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DYN,
  INT,
  joinTypes,
  NULL,
  renderType,
  STRING,
  TYPE,
  UINT,
} from './types.ts';
import type { Value } from './values.ts';

export type Program = {
  readonly type: CelType;
  readonly usesOldSelf: boolean;
  /** Throws EvaluationError. */
  readonly run: (self: Value, oldSelf: Value | undefined) => Value;
};

/** Either a program, or why there is none, in cel-go's words. */
export type Compilation = { readonly program: Program } | { readonly problem: string };

/**
 * Compiles an expression about `self`, and `oldSelf` where its type is given. cel-js reads the text; types, functions and evaluation are those
 * of the API server's environment.
 */
export function compileExpression(
  source: string,
  types: { readonly self: CelType; readonly oldSelf: CelType },
): Compilation {
  let usesOldSelf = false;
  const onOldSelf = () => {
    usesOldSelf = true;
  };
  const errors: CompileError[] = [];
  const scope = { source, ...types, variables: new Map(), onOldSelf, errors };
  try {
    const { run, type } = compile(parse(source), scope);
    if (errors.length > 0) return { problem: `compilation failed: ${renderIssues(errors, source)}` };
    const evaluate = (self: Value, oldSelf: Value | undefined) => {
      startBudget();
      return run({ self, oldSelf, vars: [] });
    };
    return { program: { type, usesOldSelf, run: evaluate } };
  } catch (error) {
    if (error instanceof CompileError) return { problem: `compilation failed: ${renderIssues([error], source)}` };
    if (error instanceof ProgramError && errors.length === 0) return { problem: error.message };
    throw error;
  }
}

function renderIssues(errors: readonly CompileError[], source: string): string {
  return errors.map((error) => renderCompileError(error, source)).join('\n');
}

const LIMITS = {
  maxAstNodes: 100_000,
  maxDepth: 250,
  maxListElements: 10_000,
  maxMapEntries: 10_000,
  maxCallArguments: 64,
};
const PARSER = new Environment({ unlistedVariablesAreDyn: true, enableOptionalTypes: true, limits: LIMITS });

function parse(source: string): ASTNode {
  try {
    return PARSER.parse(source).ast;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const isCut = error.summary === 'Unexpected token: EOF' && /[=<>&|+*/%?:-]\s*$/.test(source);
    throw new CompileError(`Syntax error: ${isCut ? NOTHING_FOLLOWS : error.summary}`, error.range?.start ?? 0);
  }
}

/** What ANTLR says where an operand is missing at the end. */
const NOTHING_FOLLOWS =
  "mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/** What is wrong is noted, and taken for something dynamic. */
function compile(ast: ASTNode, scope: Scope): Expression {
  try {
    return compileNode(ast, scope);
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    scope.errors.push(error);
    return { type: DYN, run: () => null };
  }
}

function compileNode(ast: ASTNode, scope: Scope): Expression {
  switch (ast.op) {
    case 'value':
      return compileLiteral(ast.args);
    case 'id':
      return compileName(ast.args, ast, scope);
    case '.':
    case '.?':
    case '[]':
    case '[?]':
      return compileAccess(ast, scope, compile);
    case 'call':
      return ast.args[0] === 'has' ? compileHas(ast, scope, compile) : compileCall(ast, scope, compile);
    case 'rcall':
      return compileMacro(ast, scope, compile) ?? compileMethod(ast, scope, compile, compileMixedList);
    case 'list':
      return compileList(ast.args, scope);
    case 'map':
      return compileMap(ast.args, scope);
    case '?:':
      return compileChoice(ast.args, scope, compile);
    case '&&':
      return compileLogic(ast.args, scope, compile, false);
    case '||':
      return compileLogic(ast.args, scope, compile, true);
    case '!_':
      return compileOperator('!_', ast.start, [compile(ast.args, scope)]);
    case '-_':
      return compileNegation(ast.args, ast.start, scope);
    default: {
      const [left, right] = ast.args;
      const name = ast.op === 'in' ? '@in' : `_${ast.op}_`;
      return compileOperator(name, positionAfter(left, ast.op, scope), [compile(left, scope), compile(right, scope)]);
    }
  }
}

function compileLiteral(value: unknown): Expression {
  switch (typeof value) {
    case 'string':
      return constant(STRING, value);
    case 'boolean':
      return constant(BOOL, value);
    case 'bigint':
      return constant(INT, value);
    case 'number':
      return constant(DOUBLE, value);
    default:
      if (value === null) return constant(NULL, null);
      if (value instanceof Uint8Array) return constant(BYTES, value);
      return constant(UINT, { type: 'uint', value: BigInt(String(value)) });
  }
}

function compileName(name: string, ast: ASTNode, scope: Scope): Expression {
  const variable = scope.variables.get(name);
  if (variable !== undefined) {
    const { slot, type } = variable;
    return { type, run: ({ vars }) => vars[slot] ?? null };
  }
  if (name === 'self') return { type: scope.self, run: ({ self }) => self };
  if (name === 'oldSelf') {
    scope.onOldSelf();
    return { type: scope.oldSelf, run: ({ oldSelf }) => oldSelf ?? null };
  }
  const type = typeByName(name);
  if (type !== undefined) return constant(TYPE, type);
  throw new CompileError(`undeclared reference to '${name}' (in container '')`, ast.start);
}

function compileNegation(ast: ASTNode, at: number, scope: Scope): Expression {
  const operand = compile(ast, scope);
  if (typeof operand.constant === 'bigint') return constant(INT, -operand.constant);
  return compileOperator('-_', at, [operand]);
}

function compileList(asts: readonly ASTNode[], scope: Scope): Expression {
  const items = asts.map((ast) => compile(ast, scope));
  const type: CelType = { kind: 'list', of: joinAll(items, asts) };
  const values = items.flatMap(({ constant: value }) => (value === undefined ? [] : [value]));
  if (values.length === items.length) return constant(type, values);
  return { type, run: (frame) => items.map(({ run }) => run(frame)) };
}

/** A list literal whose elements may be of any types: what `format` takes. */
function compileMixedList(asts: readonly ASTNode[], scope: Scope): Expression {
  const items = asts.map((ast) => compile(ast, scope));
  return { type: { kind: 'list', of: DYN }, run: (frame) => items.map(({ run }) => run(frame)) };
}

function compileMap(entries: readonly (readonly [ASTNode, ASTNode])[], scope: Scope): Expression {
  const keys = entries.map(([key]) => compile(key, scope));
  const values = entries.map(([, value]) => compile(value, scope));
  const key = joinAll(
    keys,
    entries.map(([ast]) => ast),
  );
  const of = joinAll(
    values,
    entries.map(([, ast]) => ast),
  );
  const run: Run = (frame) => new Map(keys.map((one, index) => [one.run(frame), values[index]?.run(frame) ?? null]));
  return { type: { kind: 'map', key, of }, run };
}

/** The one type of all elements, as the API server demands it of literals. */
function joinAll(items: readonly Expression[], asts: readonly ASTNode[]): CelType {
  let joined: CelType = items[0]?.type ?? DYN;
  for (const [index, { type }] of items.entries()) {
    const next = joinTypes(joined, type);
    if (next === undefined) {
      const found = `expected type '${renderType(joined)}' but found '${renderType(type)}'`;
      throw new CompileError(found, asts[index]?.start ?? 0);
    }
    joined = next;
  }
  return joined;
}
