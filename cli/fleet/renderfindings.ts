import type { Paint } from '../output/color.ts';
import { showText } from '../output/text.ts';
import type { Finding } from './findings.ts';

/** As compilers print it: `file:line: rule: message`. */
export function renderFinding({ severity, file, line, rule, message }: Finding, paint: Paint): string {
  const where = line > 0 ? `${file}:${line}` : file;
  const name = paint(severity === 'error' ? 'red' : 'yellow', rule);
  return `${showText(where)}: ${name}: ${showText(message)}${severity === 'warning' ? ' (warning)' : ''}`;
}

/** A workflow command of GitHub Actions, which shows the finding at its line in a pull request; Gitea's and Forgejo's runners read the same. */
export function renderAnnotation({ severity, file, line, rule, message }: Finding): string {
  const properties = [
    `file=${escapeProperty(file)}`,
    ...(line > 0 ? [`line=${line}`] : []),
    `title=${escapeProperty(rule)}`,
  ];
  return `::${severity} ${properties.join(',')}::${escapeData(message)}`;
}

/** What would end the command or begin another one is escaped, so that no file name says anything to the runner. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
