import type { ASTNode } from '@marcbachmann/cel-js';
import { CompileError, EvaluationError, isOverBudget, noSuchOverload } from './errors.ts';
import { type Compile, type Expression, positionAfter, type Run, type Scope } from './expression.ts';
import { BOOL, type CelType, joinTypes, renderType } from './types.ts';
import type { Value } from './values.ts';

/** `condition ? yes : no`. */
export function compileChoice(
  [ast, yes, no]: readonly [ASTNode, ASTNode, ASTNode],
  scope: Scope,
  compile: Compile,
): Expression {
  const condition = compile(ast, scope);
  const left = compile(yes, scope);
  const right = compile(no, scope);
  const type = joinTypes(left.type, right.type);
  if (!isBool(condition.type) || type === undefined) {
    const types = [condition, left, right].map((one) => renderType(one.type)).join(', ');
    const at = positionAfter(ast, '?', scope);
    throw new CompileError(`found no matching overload for '_?_:_' applied to '(${types})'`, at);
  }
  const run: Run = (frame) => {
    const chosen = condition.run(frame);
    if (typeof chosen !== 'boolean') throw noSuchOverload();
    return chosen ? left.run(frame) : right.run(frame);
  };
  return { type, run };
}

/** `||` decides with the first true, `&&` with the first false, whichever side it is on: an error of the other side does not count then. */
export function compileLogic(
  [a, b]: readonly [ASTNode, ASTNode],
  scope: Scope,
  compile: Compile,
  decisive: boolean,
): Expression {
  const left = compile(a, scope);
  const right = compile(b, scope);
  for (const [{ type }, ast] of [[left, a] as const, [right, b] as const]) {
    if (!isBool(type)) throw new CompileError(`expected type 'bool' but found '${renderType(type)}'`, ast.start);
  }
  const run: Run = (frame) => {
    let problem: unknown;
    let first: Value | undefined;
    try {
      first = left.run(frame);
    } catch (error) {
      if (!(error instanceof EvaluationError) || isOverBudget(error)) throw error;
      problem = error;
    }
    if (first === decisive) return decisive;
    const second = right.run(frame);
    if (second === decisive) return decisive;
    if (problem !== undefined) throw problem;
    if (typeof first !== 'boolean' || typeof second !== 'boolean') throw noSuchOverload();
    return !decisive;
  };
  return { type: BOOL, run };
}

function isBool({ kind }: CelType): boolean {
  return kind === 'bool' || kind === 'dyn' || kind === 'param';
}
