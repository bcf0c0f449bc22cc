/**
 * An evaluation that failed, in cel-go's words. It is no Error: noting where each was made took longer than all evaluations of a large object. It
 * never leaves this folder.
 */
export class EvaluationError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** Whether a rule took too long, after which no other is asked. */
export function isOverBudget({ message }: EvaluationError): boolean {
  return message === OVER_BUDGET;
}

const OVER_BUDGET = 'operation cancelled: actual cost limit exceeded';
const MAX_STEPS = 1_000_000;
let left = MAX_STEPS;

/** Gives an evaluation its budget. Evaluations do not nest. */
export function startBudget(): void {
  left = MAX_STEPS;
}

/** Takes the elements that are looked at from the budget: the API server counts more finely, and stops at the same order of magnitude. */
export function spend(steps: number): void {
  left -= steps;
  if (left < 0) throw new EvaluationError(OVER_BUDGET);
}

/** A rule that does not compile: where in the text, and why. */
export class CompileError extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** A rule that compiles, but of which a part that is constant fails: cel-go finds it when it makes a program of the rule. */
export class ProgramError extends Error {}

/** As cel-go shows it, with the line and a mark below the place. */
export function renderCompileError(error: CompileError, source: string): string {
  const before = source.slice(0, error.at).split('\n');
  const column = [...(before.at(-1) ?? '')].length;
  const line = (source.split('\n')[before.length - 1] ?? '').replaceAll('\t', ' ');
  const runes = [...line];
  const marks = runes.slice(0, column).map((rune) => (isWide(rune) ? '．' : '.'));
  const mark = isWide(runes[column] ?? '') ? '＾' : '^';
  return `ERROR: <input>:${before.length}:${column + 1}: ${error.message}\n | ${line}\n | ${marks.join('')}${mark}`;
}

function isWide(rune: string): boolean {
  return (rune.codePointAt(0) ?? 0) > 0x7f;
}

export function noSuchOverload(): EvaluationError {
  return new EvaluationError('no such overload');
}
