import type { ASTNode } from '@marcbachmann/cel-js';
import { elementsOf, findInMap, numberOf } from './compare.ts';
import { CompileError, EvaluationError, noSuchOverload } from './errors.ts';
import { type Compile, constant, type Expression, positionAfter, type Run, type Scope } from './expression.ts';
import { findJson } from './json.ts';
import { BOOL, type CelType, DYN, isAssignable, renderType, TYPE } from './types.ts';
import { type Boxed, boxed, isListValue, isMapValue, NONE, type Value } from './values.ts';

type Access = Extract<ASTNode, { op: '.' | '.?' | '[]' | '[?]' }>;

/** `a.b`, `a[b]`, and their optional forms `a.?b` and `a[?b]`. On an optional they all give an optional. */
export function compileAccess(ast: Access, scope: Scope, compile: Compile): Expression {
  const name = ast.op === '.' ? qualifiedName(ast) : undefined;
  const named = name === undefined ? undefined : typeByName(name);
  if (named !== undefined) return constant(TYPE, named);
  const operand = compile(ast.args[0], scope);
  const target = operand.type.kind === 'optional' ? operand.type.of : operand.type;
  const isOptional = ast.op === '.?' || ast.op === '[?]' || operand.type.kind === 'optional';
  const { type, find } = compileMember(ast, target, scope, compile);
  const read = (value: Value, frame: Parameters<Run>[0]) => find(value, frame, isOptional);
  if (!isOptional) return { type, run: (frame) => required(read(operand.run(frame), frame)) };
  const run: Run = (frame) => {
    const value = operand.run(frame);
    const outer = boxed(value, 'optional');
    const inner = outer === undefined ? value : outer.value;
    const found = inner === undefined ? undefined : read(inner, frame);
    return found === undefined ? NONE : { type: 'optional', value: found };
  };
  return { type: { kind: 'optional', of: type }, run };
}

/** `has(a.b)`: whether the field is there; an absent `a` is an error. */
export function compileHas(ast: Extract<ASTNode, { op: 'call' }>, scope: Scope, compile: Compile): Expression {
  const [argument, ...rest] = ast.args[1];
  if (argument === undefined || rest.length > 0 || argument.op !== '.') {
    throw new CompileError('invalid argument to has() macro', argument?.start ?? ast.start);
  }
  const [left, name] = argument.args;
  const operand = compile(left, scope);
  const target = operand.type.kind === 'optional' ? operand.type.of : operand.type;
  fieldType(target, name, positionAfter(left, '.', scope));
  const run: Run = (frame) => {
    const value = operand.run(frame);
    const outer = boxed(value, 'optional');
    const inner = outer === undefined ? value : outer.value;
    return inner !== undefined && findField(inner, name) !== undefined;
  };
  return { type: BOOL, run };
}

/** Names that mean a type, such as `int` in `type(self) == int`. */
export function typeByName(name: string): Boxed | undefined {
  return TYPE_NAMES.has(name) ? { type: 'type', name } : undefined;
}

const TYPE_NAMES: ReadonlySet<string> = new Set([
  ...['bool', 'int', 'uint', 'double', 'string', 'bytes', 'list', 'map', 'null_type', 'type', 'optional_type'],
  ...['google.protobuf.Duration', 'google.protobuf.Timestamp', 'kubernetes.Quantity', 'kubernetes.URL'],
  ...['net.IP', 'net.CIDR'],
]);

/** `a.b.c` as a text; undefined where it is no chain of names. */
export function qualifiedName(ast: ASTNode): string | undefined {
  if (ast.op === 'id') return ast.args;
  if (ast.op !== '.') return undefined;
  const head = qualifiedName(ast.args[0]);
  return head === undefined ? undefined : `${head}.${ast.args[1]}`;
}

type Find = (value: Value, frame: Parameters<Run>[0], isOptional: boolean) => Value | undefined;

function compileMember(
  ast: Access,
  target: CelType,
  scope: Scope,
  compile: Compile,
): { readonly type: CelType; readonly find: Find } {
  if (ast.op === '.' || ast.op === '.?') {
    const [left, name] = ast.args;
    const type = fieldType(target, name, positionAfter(left, '.', scope));
    return { type, find: (value, _, isOptional) => findField(value, name) ?? missing(isOptional, name) };
  }
  const [left, right] = ast.args;
  const index = compile(right, scope);
  const type = elementType(target, index.type, positionAfter(left, '[', scope));
  return { type, find: (value, frame, isOptional) => findElement(value, index.run(frame), isOptional) };
}

function fieldType(target: CelType, name: string, at: number): CelType {
  switch (target.kind) {
    case 'object': {
      const type = target.fields.get(name);
      if (type === undefined) throw new CompileError(`undefined field '${name}'`, at);
      return type;
    }
    case 'map':
      return target.of;
    case 'dyn':
    case 'param':
      return DYN;
    default:
      throw new CompileError(`type '${renderType(target)}' does not support field selection`, at);
  }
}

function elementType(target: CelType, index: CelType, at: number): CelType {
  if (target.kind === 'dyn' || target.kind === 'param') return DYN;
  if (target.kind === 'list' && isAssignable(index, { kind: 'int' }, new Map())) return target.of;
  if (target.kind === 'map' && isAssignable(index, target.key, new Map())) return target.of;
  const types = `${renderType(target)}, ${renderType(index)}`;
  throw new CompileError(`found no matching overload for '_[_]' applied to '(${types})'`, at);
}

function findField(value: Value, name: string): Value | undefined {
  if (typeof value === 'object' && value !== null && 'object' in value) return findJson(value, name);
  if (isMapValue(value)) return findInMap(value, name);
  throw noSuchOverload();
}

function findElement(value: Value, index: Value, isOptional: boolean): Value | undefined {
  if (isMapValue(value)) return findInMap(value, index) ?? missing(isOptional, renderKey(index));
  const at = numberOf(index);
  if (!isListValue(value) || at === undefined) throw noSuchOverload();
  const elements = elementsOf(value);
  const found = Number.isInteger(Number(at)) ? elements[Number(at)] : undefined;
  if (found === undefined && !isOptional) throw new EvaluationError(`index out of bounds: ${at}`);
  return found;
}

function missing(isOptional: boolean, key: string): undefined {
  if (!isOptional) throw new EvaluationError(`no such key: ${key}`);
}

function renderKey(key: Value): string {
  return typeof key === 'object' ? String(numberOf(key) ?? '') : String(key);
}

function required(value: Value | undefined): Value {
  if (value === undefined) throw noSuchOverload();
  return value;
}
