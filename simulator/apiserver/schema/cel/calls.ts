import type { ASTNode } from '@marcbachmann/cel-js';
import { qualifiedName } from './access.ts';
import { CompileError, EvaluationError, noSuchOverload, ProgramError } from './errors.ts';
import { type Compile, constant, type Expression, positionAfter, type Run, type Scope } from './expression.ts';
import { findFormatProblem } from './functions/format.ts';
import { findFunction } from './functions/index.ts';
import type { Overload } from './functions/overload.ts';
import { type Bindings, type CelType, DYN, hasDyn, isAssignable, renderType, substitute } from './types.ts';
import { boxed, isListValue, isMapValue, typeNameOf, type Value } from './values.ts';

/** A call of a function: `size(a)`. */
export function compileCall(ast: Extract<ASTNode, { op: 'call' }>, scope: Scope, compile: Compile): Expression {
  const [name, args] = ast.args;
  const at = scope.source.indexOf('(', ast.start);
  const overloads = findOverloads(name, at);
  return compileOverloads(
    name,
    overloads,
    args.map((arg) => compile(arg, scope)),
    { at, isMethod: false, lastAt: args.at(-1)?.start ?? at },
  );
}

/** A call on a receiver, `a.size()`, or of a function with a dot in its name, `sets.contains(a, b)`. */
export function compileMethod(
  ast: Extract<ASTNode, { op: 'rcall' }>,
  scope: Scope,
  compile: Compile,
  compileMixed: (items: readonly ASTNode[], scope: Scope) => Expression,
): Expression {
  const [name, receiver, asts] = ast.args;
  const at = positionAfter(receiver, '(', scope);
  const prefix = qualifiedName(receiver);
  const qualified = `${prefix}.${name}`;
  const args = () => asts.map((arg) => compile(arg, scope));
  const lastAt = asts.at(-1)?.start ?? at;
  if (prefix !== undefined && (findFunction(qualified) !== undefined || UNSUPPORTED.has(qualified))) {
    return compileOverloads(qualified, findOverloads(qualified, at), args(), { at, isMethod: false, lastAt });
  }
  const target = compile(receiver, scope);
  const [list] = asts;
  if (name === 'format' && asts.length === 1 && list?.op === 'list') {
    checkFormat(target.constant, list.args.length, at);
    const mixed = [target, compileMixed(list.args, scope)];
    return compileOverloads(name, findOverloads(name, at), mixed, { at, isMethod: true, lastAt });
  }
  return compileOverloads(name, findOverloads(name, at), [target, ...args()], { at, isMethod: true, lastAt });
}

/** A format that is written in a rule is looked at when the rule is compiled. */
function checkFormat(format: Value | undefined, size: number, at: number): void {
  const problem = typeof format === 'string' ? findFormatProblem(format, size) : undefined;
  if (problem !== undefined) throw new CompileError(problem, at);
}

/** An operator, by cel-go's name for it: `_+_`. */
export function compileOperator(name: string, at: number, args: readonly Expression[]): Expression {
  return compileOverloads(name, findFunction(name) ?? [], args, { at, isMethod: false, lastAt: at });
}

/** Functions that the API server has and this one refuses by name. */
const UNSUPPORTED: ReadonlySet<string> = new Set([
  ...['semver', 'isSemver', 'format.named', 'authorizer', 'jsonpatch.escapeKey', 'sortBy', 'first', 'last', 'validate'],
  ...['transformList', 'transformMap', 'transformMapEntry', 'isGreaterThan', 'major', 'minor', 'patch'],
]);

function findOverloads(name: string, at: number): readonly Overload[] {
  const overloads = findFunction(name);
  if (overloads !== undefined) return overloads;
  if (UNSUPPORTED.has(name)) throw new CompileError(`the embedded API server does not support '${name}'`, at);
  throw new CompileError(`undeclared reference to '${name}' (in container '')`, at);
}

/** Where a call is, and where its last argument is. */
type Place = { readonly at: number; readonly isMethod: boolean; readonly lastAt: number };

function compileOverloads(
  name: string,
  overloads: readonly Overload[],
  args: readonly Expression[],
  { at, isMethod, lastAt }: Place,
): Expression {
  const types = args.map(({ type }) => type);
  const matching = overloads.flatMap((overload) => {
    const bindings: Bindings = new Map();
    const fits = overload.isMethod === isMethod && areAssignable(types, overload.params, bindings);
    return fits ? [{ overload, result: substitute(overload.result, bindings) }] : [];
  });
  const [first] = matching;
  if (first === undefined) {
    const shown = renderSignature(types, isMethod);
    throw new CompileError(`found no matching overload for '${name}' applied to '${shown}'`, at);
  }
  checkLiteral(name, first.overload, args, lastAt);
  const isSame = matching.every(({ result }) => renderType(result) === renderType(first.result));
  const candidates = matching.map(({ overload }) => overload);
  const isStatic =
    candidates.length === 1 ? candidates.every(({ params }) => areCertain(types, params)) : !types.some(hasDyn);
  const call = isStatic ? first.overload.call : chooseAtCall(name, candidates);
  return fold(name, { type: isSame ? first.result : DYN, run: buildRun(call, args) }, args);
}

/** Whether no argument has to be looked at when it is there: it is known, or anything goes. */
function areCertain(types: readonly CelType[], params: readonly CelType[]): boolean {
  return params.every((param, index) => {
    const type = types[index];
    return param.kind === 'param' || param.kind === 'dyn' || (type !== undefined && !hasDyn(type));
  });
}

function areAssignable(types: readonly CelType[], params: readonly CelType[], bindings: Bindings): boolean {
  return (
    types.length === params.length && types.every((type, index) => isAssignable(type, params[index] ?? DYN, bindings))
  );
}

function renderSignature(types: readonly CelType[], isMethod: boolean): string {
  const texts = types.map(renderType);
  if (!isMethod) return `(${texts.join(', ')})`;
  const [receiver, ...rest] = texts;
  return `${receiver}.(${rest.join(', ')})`;
}

/** Patterns, durations and instants that are written in a rule are looked at when the rule is compiled. */
function checkLiteral(name: string, overload: Overload, args: readonly Expression[], at: number): void {
  const literal = args.at(-1)?.constant;
  if (!LITERALS.has(name) || typeof literal !== 'string') return;
  try {
    overload.call(...(name === 'matches' ? ['', literal] : [literal]));
  } catch (error) {
    if (error instanceof EvaluationError) throw new CompileError(`invalid ${name} argument`, at);
    throw error;
  }
}

const LITERALS: ReadonlySet<string> = new Set(['matches', 'duration', 'timestamp']);

function buildRun(call: Overload['call'], args: readonly Expression[]): Run {
  const [a, b, ...rest] = args.map(({ run }) => run);
  if (a === undefined) return () => call();
  if (b === undefined) return (frame) => call(a(frame));
  if (rest.length === 0) return (frame) => call(a(frame), b(frame));
  return (frame) => call(a(frame), b(frame), ...rest.map((run) => run(frame)));
}

/** Makes a call with nothing but constants once. One that fails is left to fail when it is made, unless it converts a type. */
function fold(name: string, expression: Expression, args: readonly Expression[]): Expression {
  if (args.some((arg) => arg.constant === undefined)) return expression;
  try {
    return constant(expression.type, expression.run({ self: null, oldSelf: undefined, vars: [] }));
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    if (CONVERSIONS.has(name)) throw new ProgramError(`program instantiation failed: ${error.message}`);
    return expression;
  }
}

const CONVERSIONS: ReadonlySet<string> = new Set(['bool', 'bytes', 'double', 'int', 'string', 'uint']);

function chooseAtCall(name: string, candidates: readonly Overload[]): Overload['call'] {
  return (...args) => {
    const chosen = candidates.find(({ params }) =>
      params.every((param, index) => isOfType(args[index] ?? null, param)),
    );
    if (chosen !== undefined) return chosen.call(...args);
    if (!/^\w+$/.test(name) || name.startsWith('_')) throw noSuchOverload();
    throw new EvaluationError(`no such overload: ${name}(${args.map(typeNameOf).join(', ')})`);
  };
}

function isOfType(value: Value, type: CelType): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'param':
      return true;
    case 'list':
      return isListValue(value);
    case 'map':
      return isMapValue(value);
    case 'null':
      return value === null;
    case 'optional':
      return boxed(value, 'optional') !== undefined;
    case 'opaque':
      return typeNameOf(value) === type.name;
    case 'duration':
    case 'timestamp':
    case 'uint':
    case 'type':
      return boxed(value, type.kind) !== undefined;
    case 'object':
      return false;
    default:
      return typeNameOf(value) === type.kind;
  }
}
