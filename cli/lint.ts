import { type Command, Option } from 'commander';
import type { CliDeps } from './deps.ts';
import { CliExit, EXIT } from './exit.ts';
import type { LintReport } from './fleet/lint.ts';
import { documentCommand } from './help.ts';
import { createPaint } from './output/color.ts';
import { count } from './output/text.ts';

const FORMATS = ['text', 'json', 'yaml', 'github'] as const;

type LintOptions = {
  readonly environment?: string;
  readonly allowedGitHost?: readonly string[];
  readonly strict: boolean;
  readonly output: (typeof FORMATS)[number];
};

/** `sublet lint`: what the fleet source would hold and the operator refuse, before anybody commits it. */
export function addLintCommand(program: Command, deps: CliDeps): void {
  const command = program
    .command('lint')
    .description('check a checkout of a fleet repository, without a cluster')
    .argument('[folder]', 'the folder that holds tenants/', '.')
    .option('-e, --environment <name>', 'check only tenants/<name>/')
    .option(
      '--allowed-git-host <host...>',
      "hosts inside that tenants' own repositories may be on: the fleet source's setting allowedGitHosts",
    )
    .option('--strict', 'let warnings count as errors', false)
    .addOption(new Option('-o, --output <format>', 'how findings are printed').choices(FORMATS).default('text'))
    .addOption(new Option('--format <format>', 'the same as --output').choices(FORMATS).hideHelp())
    .action(async (folder: string, options: LintOptions & { readonly format?: LintOptions['output'] }) =>
      runLint(deps, folder, { ...options, output: options.format ?? options.output }),
    );
  documentCommand(command, {
    details: [
      'Judges by the code of the fleet source and the schemas and rules of the resources. An error is what the fleet source would hold or never see; a warning is what',
      'the operator would refuse or wait for, as far as the repository tells: a plan that the seller does not have, a quota that is exceeded.',
      'Reads files on disk, committed or not, below tenants/ and nowhere else; follows no symbolic link.',
    ],
    examples: [
      ['sublet lint', 'check the fleet in this folder'],
      [
        'sublet lint --environment production --strict fleet',
        'one environment of the checkout in fleet/; warnings fail, too',
      ],
      ['sublet lint -o json | jq .findings', 'for programs'],
      ['sublet lint --format github', 'in a workflow: findings appear at their lines in the pull request'],
    ],
    exitCodes: {
      [EXIT.done]: 'nothing is wrong; there may be warnings, unless --strict was given',
      [EXIT.refused]: 'something is wrong',
      [EXIT.usage]: 'the command line is wrong, or the folder cannot be read',
    },
  });
}

async function runLint(deps: CliDeps, folder: string, options: LintOptions): Promise<void> {
  const { resolve } = await import('node:path');
  const { createBreath } = await import('./fleet/breath.ts');
  const { readCheckout } = await import('./fleet/checkout.ts');
  const { lintFleet } = await import('./fleet/lint.ts');
  const tree = await readCheckout(resolve(deps.cwd, folder));
  const report = await lintFleet(tree, {
    only: options.environment,
    allowedGitHosts: options.allowedGitHost ?? [],
    breathe: createBreath(deps.signal),
  });
  if (report.environments.length === 0) {
    const what =
      options.environment === undefined
        ? 'holds no environment'
        : `has no environment ${JSON.stringify(options.environment)}`;
    throw new CliExit(EXIT.usage, `${folder} ${what}: a fleet is tenants/<environment>/<namespace>/*.yaml`);
  }
  await printReport(deps, report, options.output);
  if (report.errors > 0 || (options.strict && report.warnings > 0)) throw new CliExit(EXIT.refused);
}

async function printReport(deps: CliDeps, report: LintReport, format: LintOptions['output']): Promise<void> {
  if (format === 'json') return deps.out(`${JSON.stringify(report, null, 2)}\n`);
  if (format === 'yaml') return deps.out((await import('yaml')).stringify(report));
  const { renderAnnotation, renderFinding } = await import('./fleet/renderfindings.ts');
  const paint = createPaint(deps);
  for (const finding of report.findings)
    deps.out(`${format === 'github' ? renderAnnotation(finding) : renderFinding(finding, paint)}\n`);
  deps.err(`${renderSummary(report)}\n`);
}

function renderSummary({ environments, folders, resources, errors, warnings }: LintReport): string {
  const looked = `${count(resources, 'resource')} in ${count(folders, 'folder')} of ${environments.join(', ')}`;
  if (errors + warnings === 0) return `nothing is wrong: ${looked}`;
  return `${count(errors, 'error')}, ${count(warnings, 'warning')}: ${looked}`;
}
