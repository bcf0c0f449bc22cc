import type { ASTNode } from '@marcbachmann/cel-js';
import { elementsOf } from './compare.ts';
import { CompileError, EvaluationError, isOverBudget, noSuchOverload, spend } from './errors.ts';
import { type Compile, type Expression, type Frame, positionAfter, type Run, type Scope } from './expression.ts';
import { asBool } from './functions/operators.ts';
import { escapeName } from './names.ts';
import { BOOL, type CelType, DYN, renderType } from './types.ts';
import { boxed, isListValue, isMapValue, NONE, type Value } from './values.ts';

type MethodCall = Extract<ASTNode, { op: 'rcall' }>;

/** `all`, `exists`, `exists_one`, `map`, `filter`, `optMap` and `optFlatMap`; undefined for other calls. */
export function compileMacro(ast: MethodCall, scope: Scope, compile: Compile): Expression | undefined {
  const [name, receiver, args] = ast.args;
  const [variable, ...bodies] = args;
  const at = positionAfter(receiver, '(', scope);
  const counts = BODIES[name];
  if (counts === undefined || variable === undefined) return undefined;
  if (bodies.length === 2 && variable.op === 'id' && bodies[0]?.op === 'id' && TWO_VARIABLES.has(name)) {
    throw new CompileError(`the embedded API server does not support '${name}' with two variables`, at);
  }
  if (!counts.includes(bodies.length)) return undefined;
  if (variable.op !== 'id') throw new CompileError('argument must be a simple name', variable.start);
  const range = compile(receiver, scope);
  const isOptional = name === 'optMap' || name === 'optFlatMap';
  const type = isOptional ? optionalElement(range.type, at) : rangeElement(range.type, receiver.start);
  const slot = scope.variables.size;
  const inner = { ...scope, variables: new Map([...scope.variables, [variable.args, { slot, type }]]) };
  const compiled = bodies.map((body) => compile(body, inner));
  if (isOptional) return compileOptional(name, range, compiled, slot);
  return compileLoop({ name, range, bodies: compiled, asts: bodies, type, slot });
}

/** Macros by how many expressions follow the variable. */
const BODIES: Readonly<Record<string, readonly number[]>> = {
  all: [1],
  exists: [1],
  exists_one: [1],
  existsOne: [1],
  filter: [1],
  map: [1, 2],
  optMap: [1],
  optFlatMap: [1],
};
const TWO_VARIABLES: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'existsOne']);

function rangeElement(type: CelType, at: number): CelType {
  if (type.kind === 'list') return type.of;
  if (type.kind === 'map') return type.key;
  if (type.kind === 'dyn' || type.kind === 'param') return DYN;
  const what = `expression of type '${renderType(type)}' cannot be range of a comprehension`;
  throw new CompileError(`${what} (must be list, map, or dynamic)`, at);
}

function optionalElement(type: CelType, at: number): CelType {
  if (type.kind === 'optional') return type.of;
  if (type.kind === 'dyn' || type.kind === 'param') return DYN;
  throw new CompileError(`expected type 'optional_type(dyn)' but found '${renderType(type)}'`, at);
}

function compileOptional(name: string, range: Expression, [body]: readonly Expression[], slot: number): Expression {
  const type: CelType = name === 'optMap' ? { kind: 'optional', of: body?.type ?? DYN } : (body?.type ?? DYN);
  const run: Run = (frame) => {
    const outer = boxed(range.run(frame), 'optional');
    if (outer === undefined) throw noSuchOverload();
    if (outer.value === undefined || body === undefined) return NONE;
    frame.vars[slot] = outer.value;
    const mapped = body.run(frame);
    return name === 'optMap' ? { type: 'optional', value: mapped } : mapped;
  };
  return { type, run };
}

type Loop = {
  readonly name: string;
  readonly range: Expression;
  readonly bodies: readonly Expression[];
  readonly asts: readonly ASTNode[];
  /** Of the variable. */
  readonly type: CelType;
  readonly slot: number;
};

function compileLoop({ name, range, bodies, asts, type, slot }: Loop): Expression {
  const [first, second] = bodies;
  const [ast] = asts;
  if (first === undefined || ast === undefined) throw new CompileError(`${name}: no expression`, 0);
  const isPredicate = name !== 'map' || second !== undefined;
  if (isPredicate && !['bool', 'dyn', 'param'].includes(first.type.kind)) {
    throw new CompileError(`expected type 'bool' but found '${renderType(first.type)}'`, ast.start);
  }
  const each = (frame: Frame, value: Value, run: Run) => {
    frame.vars[slot] = value;
    return run(frame);
  };
  const test = (frame: Frame, value: Value) => asBool(each(frame, value, first.run));
  const values = (frame: Frame) => iterate(range.run(frame));
  switch (name) {
    case 'all':
      return { type: BOOL, run: (frame) => decide(values(frame), (value) => test(frame, value), false) };
    case 'exists':
      return { type: BOOL, run: (frame) => decide(values(frame), (value) => test(frame, value), true) };
    case 'exists_one':
    case 'existsOne':
      return { type: BOOL, run: (frame) => values(frame).filter((value) => test(frame, value)).length === 1 };
    case 'filter':
      return { type: { kind: 'list', of: type }, run: (frame) => values(frame).filter((value) => test(frame, value)) };
    default:
      return compileMap(first, second, values, each);
  }
}

function compileMap(
  first: Expression,
  second: Expression | undefined,
  values: (frame: Frame) => readonly Value[],
  each: (frame: Frame, value: Value, run: Run) => Value,
): Expression {
  if (second === undefined) {
    const run: Run = (frame) => values(frame).map((value) => each(frame, value, first.run));
    return { type: { kind: 'list', of: first.type }, run };
  }
  const run: Run = (frame) => {
    return values(frame).flatMap((value) => (asBool(each(frame, value, first.run)) ? [second.run(frame)] : []));
  };
  return { type: { kind: 'list', of: second.type }, run };
}

/** Whether one element decides; errors count only where none does. */
function decide(values: readonly Value[], test: (value: Value) => boolean, decisive: boolean): boolean {
  let problem: unknown;
  for (const value of values) {
    try {
      if (test(value) === decisive) return decisive;
    } catch (error) {
      if (!(error instanceof EvaluationError) || isOverBudget(error)) throw error;
      problem ??= error;
    }
  }
  if (problem !== undefined) throw problem;
  return !decisive;
}

/** Elements of a list, keys of a map. */
function iterate(value: Value): readonly Value[] {
  if (isListValue(value)) return elementsOf(value);
  if (!isMapValue(value)) throw noSuchOverload();
  if (!('object' in value)) return [...value.keys()];
  const { object, node } = value;
  const keys = Object.keys(object);
  spend(keys.length);
  if (node.properties === undefined) return keys;
  return keys.filter((key) => node.properties?.has(key)).map((key) => escapeName(key) ?? key);
}
