import { stripVTControlCharacters } from 'node:util';

export type Column<T> = {
  readonly title: string;
  readonly cell: (row: T) => string;
  readonly align?: 'left' | 'right' | undefined;
  /** Shown by `-o wide` only. */
  readonly wide?: boolean | undefined;
};

const GAP = '   ';

/** A table as kubectl prints one: upper-case titles, columns as wide as their widest cell, nothing after the last. */
export function renderTable<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ cell }) => cell(row)))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => width(line[index] ?? ''))));
  const text = lines.map((line) =>
    line
      .map((cell, index) => {
        const padding = ' '.repeat((widths[index] ?? 0) - width(cell));
        return columns[index]?.align === 'right' ? padding + cell : cell + padding;
      })
      .join(GAP)
      .trimEnd(),
  );
  return text.map((line) => `${line}\n`).join('');
}

/** Columns of a terminal that a text takes: wide characters of East Asia and emoji take two, marks that combine none. */
function width(text: string): number {
  return [...stripVTControlCharacters(text)].reduce(
    (sum, char) => sum + (COMBINING.test(char) ? 0 : WIDE.test(char) ? 2 : 1),
    0,
  );
}

const COMBINING = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const WIDE =
  /^[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]$/u;
