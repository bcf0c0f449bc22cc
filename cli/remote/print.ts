import type { CliDeps } from '../deps.ts';
import { type Column, renderTable } from '../output/table.ts';
import { showText } from '../output/text.ts';
import type { OutputFormat } from './options.ts';

/** How things of one sort are shown. */
export type Shown<T> = {
  /** `desktop/anna-desk`, for scripts. */
  readonly name: (row: T) => string;
  readonly columns: readonly Column<T>[];
  /** What is said instead of an empty table. */
  readonly none: string;
};

/** Many: a table, or a list for programs. */
export async function printList<T>(
  deps: CliDeps,
  format: OutputFormat,
  rows: readonly T[],
  shown: Shown<T>,
): Promise<void> {
  if (format === 'json') return deps.out(`${JSON.stringify({ items: rows }, null, 2)}\n`);
  if (format === 'yaml') return deps.out((await import('yaml')).stringify({ items: rows }));
  if (format === 'name') return deps.out(rows.map((row) => `${shown.name(row)}\n`).join(''));
  if (rows.length === 0) return deps.err(`${shown.none}\n`);
  deps.out(renderTable(columnsOf(shown, format), rows));
}

/** One: a table of one line, or itself for programs. */
export async function printOne<T>(deps: CliDeps, format: OutputFormat, row: T, shown: Shown<T>): Promise<void> {
  if (format === 'json') return deps.out(`${JSON.stringify(row, null, 2)}\n`);
  if (format === 'yaml') return deps.out((await import('yaml')).stringify(row));
  return printList(deps, format, [row], shown);
}

function columnsOf<T>({ columns }: Shown<T>, format: OutputFormat): readonly Column<T>[] {
  const kept = columns.filter(({ wide }) => format === 'wide' || wide !== true);
  return kept.map((column) => ({ ...column, cell: (row) => showText(column.cell(row)) }));
}

/** The largest unit that says enough, as kubectl shows ages. `nowMs` is milliseconds since the epoch. */
export function renderAge(since: string | undefined, nowMs: number): string {
  const seconds = since === undefined ? Number.NaN : Math.floor((nowMs - Date.parse(since)) / 1_000);
  if (Number.isNaN(seconds)) return '';
  if (seconds < 120) return `${Math.max(0, seconds)}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
