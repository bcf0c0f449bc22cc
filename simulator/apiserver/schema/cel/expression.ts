import type { ASTNode } from '@marcbachmann/cel-js';
import type { CompileError } from './errors.ts';
import type { CelType } from './types.ts';
import type { Value } from './values.ts';

/** What an evaluation works on. `vars` holds the variables of macros, by their slot. */
export type Frame = { readonly self: Value; readonly oldSelf: Value | undefined; readonly vars: Value[] };
export type Run = (frame: Frame) => Value;

/** A compiled part of an expression. `constant` is set where it does not depend on the frame. */
export type Expression = { readonly type: CelType; readonly run: Run; readonly constant?: Value };

/** What names mean at a place. */
export type Scope = {
  readonly source: string;
  readonly self: CelType;
  readonly oldSelf: CelType;
  readonly variables: ReadonlyMap<string, { readonly slot: number; readonly type: CelType }>;
  /** What is wrong so far: compiling goes on behind an error, to tell of all. */
  readonly errors: CompileError[];
  /** Told when the expression reads `oldSelf`. */
  readonly onOldSelf: () => void;
};

export type Compile = (ast: ASTNode, scope: Scope) => Expression;

export function constant(type: CelType, value: Value): Expression {
  return { type, constant: value, run: () => value };
}

/** Where the token behind a node starts: an operator, a dot, a bracket. */
export function positionAfter(node: ASTNode, token: string, scope: Scope): number {
  const at = scope.source.indexOf(token, node.end);
  return at === -1 ? node.start : at;
}
