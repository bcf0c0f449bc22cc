import type { Paint } from '../output/color.ts';
import { type Column, renderTable } from '../output/table.ts';
import { count, showText } from '../output/text.ts';
import type { EnvironmentDiff, FleetDiff, PriceChange, QuotaChange, ResourceChange } from './diff.ts';
import type { FieldChange } from './fields.ts';
import { renderFinding } from './renderfindings.ts';

const SIGNS = { added: '+', changed: '~', removed: '-' } as const;
const COLORS = { added: 'green', changed: 'yellow', removed: 'red' } as const;

/** For a terminal: resources with their fields, limits, prices, problems. */
export function renderDiff(diff: FleetDiff, paint: Paint): string {
  if (diff.environments.length === 0) return 'The branch changes nothing that is sold.\n';
  return diff.environments.map((environment) => renderEnvironment(environment, paint)).join('\n');
}

function renderEnvironment({ name, resources, quotas, prices, problems }: EnvironmentDiff, paint: Paint): string {
  const parts = [
    ...(name === '' ? [] : [`${paint('bold', name)}\n`]),
    ...resources.map((resource) => renderResource(resource, paint)),
    ...(quotas.length === 0 ? [] : [`\n${paint('bold', 'Limits')}\n`, renderTable(QUOTA_COLUMNS, quotas)]),
    ...(prices.length === 0
      ? []
      : [`\n${paint('bold', 'Recurring price a month')}\n`, renderTable(PRICE_COLUMNS, prices)]),
    ...(problems.length === 0
      ? []
      : [`\n${paint('bold', 'Problems')}\n`, ...problems.map((problem) => `${renderFinding(problem, paint)}\n`)]),
  ];
  return parts.join('');
}

function renderResource({ action, kind, namespace, name, fields }: ResourceChange, paint: Paint): string {
  const head = paint(COLORS[action], `${SIGNS[action]} ${kind} ${namespace}/${name}`);
  const lines = action === 'removed' ? [] : fields.map((field) => `      ${renderField(field, action)}\n`);
  return `  ${head}\n${lines.join('')}`;
}

function renderField({ path, before, after }: FieldChange, action: ResourceChange['action']): string {
  if (action === 'added') return `${showText(path)}: ${renderValue(after)}`;
  return `${showText(path)}: ${renderValue(before)} -> ${renderValue(after)}`;
}

const MOST_VALUE_CHARS = 200;

function renderValue(value: unknown): string {
  if (value === undefined) return '(absent)';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return showText(text.length > MOST_VALUE_CHARS ? `${text.slice(0, MOST_VALUE_CHARS)}...` : text);
}

const QUOTA_COLUMNS: readonly Column<QuotaChange>[] = [
  { title: 'TENANT', cell: ({ tenant }) => tenant },
  { title: 'LIMIT', cell: ({ limit }) => limit },
  { title: 'BEFORE', cell: ({ before }) => renderOf(before) },
  { title: 'AFTER', cell: ({ after }) => renderOf(after) },
  { title: '', cell: ({ exceeded }) => (exceeded ? 'exceeded' : '') },
];

function renderOf({ used, hard }: QuotaChange['before']): string {
  return `${used} of ${hard ?? 'any'}`;
}

const PRICE_COLUMNS: readonly Column<PriceChange>[] = [
  { title: 'TENANT', cell: ({ tenant }) => tenant },
  { title: 'PAYS', cell: ({ seller }) => seller },
  { title: 'LEVEL', cell: ({ level }) => level },
  { title: 'CURRENCY', cell: ({ currency }) => currency },
  { title: 'BEFORE', align: 'right', cell: ({ before }) => before },
  { title: 'AFTER', align: 'right', cell: ({ after }) => after },
  { title: 'DIFFERENCE', align: 'right', cell: ({ difference }) => difference },
];

/** For a comment on a pull request. Longer than a forge takes is cut, and says so. */
export function renderMarkdown(diff: FleetDiff): string {
  if (diff.environments.length === 0) return '### Sublet\n\nThis change touches nothing that is sold.\n';
  const text = `### Sublet\n\n${diff.environments.map(renderMarkdownEnvironment).join('\n')}`;
  return text.length <= MOST_COMMENT_CHARS
    ? text
    : `${text.slice(0, MOST_COMMENT_CHARS)}\n\n... and more: run \`sublet diff\` in a checkout.\n`;
}

/** GitHub takes 65 536 characters. */
const MOST_COMMENT_CHARS = 60_000;

function renderMarkdownEnvironment({ name, resources, quotas, prices, problems }: EnvironmentDiff): string {
  const parts = [
    ...(name === '' ? [] : [`#### ${escapeMarkdown(name)}\n`]),
    ...(problems.length === 0
      ? []
      : [
          `**${count(problems.length, 'problem')}**\n`,
          ...problems.map(
            ({ file, line, rule, message }) =>
              `- ${code(line > 0 ? `${file}:${line}` : file)} **${escapeMarkdown(rule)}**: ${escapeMarkdown(message)}`,
          ),
          '',
        ]),
    ...(prices.length === 0 ? [] : ['Recurring price a month:\n', renderMarkdownTable(PRICE_COLUMNS, prices)]),
    ...(quotas.length === 0 ? [] : ['Limits:\n', renderMarkdownTable(QUOTA_COLUMNS, quotas)]),
    ...(resources.length === 0
      ? []
      : [
          `<details><summary>${count(resources.length, 'resource')}</summary>\n`,
          ...resources.map(renderMarkdownResource),
          '\n</details>\n',
        ]),
  ];
  return `${parts.join('\n')}\n`;
}

function renderMarkdownResource({ action, kind, namespace, name, fields }: ResourceChange): string {
  const head = `- ${action} ${code(`${kind} ${namespace}/${name}`)}`;
  if (action === 'removed') return head;
  return [head, ...fields.map((field) => `  - ${code(renderField(field, action))}`)].join('\n');
}

function renderMarkdownTable<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ title }) => title.toLowerCase())),
    line(columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
    ...rows.map((row) => line(columns.map(({ cell }) => escapeMarkdown(cell(row))))),
    '',
  ].join('\n');
}

/** Text that a branch's author chose is shown as text: no mention, link, image, tag or table cell comes of it. */
function escapeMarkdown(text: string): string {
  return showText(text).replace(/[\\`*_{}[\]()#|<>~&@$]/g, (char) => (char === '@' ? '@&#8203;' : `\\${char}`));
}

/** A code span, with as many backticks around it as it needs. */
function code(text: string): string {
  const shown = showText(text);
  const longest = Math.max(0, ...(shown.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const space = shown.startsWith('`') || shown.endsWith('`') ? ' ' : '';
  return `${fence}${space}${shown}${space}${fence}`;
}
