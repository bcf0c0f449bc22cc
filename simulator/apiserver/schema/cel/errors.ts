/** An evaluation that failed, in cel-go's words. */
export class EvaluationError extends Error {}

/** A rule that does not compile: where in the text, and why. */
export class CompileError extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

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
