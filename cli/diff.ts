import { type Command, Option } from 'commander';
import type { CliDeps } from './deps.ts';
import { CliExit, EXIT } from './exit.ts';
import type { FleetDiff } from './fleet/diff.ts';
import { documentCommand } from './help.ts';
import { createPaint } from './output/color.ts';

const FORMATS = ['table', 'json', 'yaml', 'markdown'] as const;

type DiffOptions = {
  readonly base: string;
  readonly head: string;
  readonly environment?: string;
  readonly strict: boolean;
  readonly output: (typeof FORMATS)[number];
};

/** `sublet diff`: what a branch of the fleet changes, for whoever reviews it. */
export function addDiffCommand(program: Command, deps: CliDeps): void {
  const command = program
    .command('diff')
    .description('say what a branch of a fleet repository changes: resources, limits, and what everybody pays')
    .argument('[folder]', 'a clone of the fleet repository', '.')
    .requiredOption('--base <revision>', 'the branch that it is to go into, such as main or origin/main')
    .option('--head <revision>', 'the branch itself', 'HEAD')
    .option('-e, --environment <name>', 'look only at tenants/<name>/')
    .option('--strict', 'let warnings count as problems', false)
    .addOption(new Option('-o, --output <format>', 'how it is printed').choices(FORMATS).default('table'))
    .action((folder: string, options: DiffOptions) => runDiff(deps, folder, options));
  documentCommand(command, {
    details: [
      'Compares the commits at which the two parted and at which the branch ends, from Git objects: nothing is checked out, and what is not committed does not count.',
      'Prices are those of a whole month with everything Ready: retail for what a tenant has itself, wholesale for what its customers bought; metered items are left out.',
      'Limits are the lower of Plan and Quota; what is used includes what is passed on to customers.',
    ],
    examples: [
      ['sublet diff --base main', 'what the current branch changes'],
      [
        'sublet diff --base origin/main --head feature -o json fleet',
        'any two revisions of the clone in fleet/, for programs',
      ],
      ['sublet diff --base origin/main -o markdown > comment.md', 'a comment for the pull request'],
    ],
    exitCodes: {
      [EXIT.done]: 'printed; nothing that the branch brings would be held or refused',
      [EXIT.refused]:
        'printed; something that the branch brings would be held or refused (with --strict: or there are warnings)',
      [EXIT.usage]: 'the command line is wrong, or the repository cannot be read',
    },
  });
}

async function runDiff(deps: CliDeps, folder: string, options: DiffOptions): Promise<void> {
  const { resolve } = await import('node:path');
  const { findMergeBase, openGit, resolveCommit } = await import('./fleet/git.ts');
  const { createBreath } = await import('./fleet/breath.ts');
  const { readCommit } = await import('./fleet/commit.ts');
  const { diffFleets } = await import('./fleet/diff.ts');
  const git = openGit(resolve(deps.cwd, folder), deps.signal);
  const head = await resolveCommit(git, options.head);
  const base = await findMergeBase(git, await resolveCommit(git, options.base), head);
  const [before, after] = [await readCommit(git, base), await readCommit(git, head)];
  if (before.files.length + after.files.length === 0) {
    throw new CliExit(
      EXIT.usage,
      `neither ${options.base} nor ${options.head} has files below tenants/; is ${folder} a fleet repository?`,
    );
  }
  const diff = await diffFleets(before, after, { only: options.environment, breathe: createBreath(deps.signal) });
  await printDiff(deps, { base, head, ...diff }, options.output);
  if (diff.errors > 0 || (options.strict && diff.warnings > 0)) throw new CliExit(EXIT.refused);
}

async function printDiff(
  deps: CliDeps,
  diff: FleetDiff & { readonly base: string; readonly head: string },
  format: DiffOptions['output'],
): Promise<void> {
  if (format === 'json') return deps.out(`${JSON.stringify(diff, null, 2)}\n`);
  if (format === 'yaml') return deps.out((await import('yaml')).stringify(diff));
  const { renderDiff, renderMarkdown } = await import('./fleet/renderdiff.ts');
  deps.out(format === 'markdown' ? renderMarkdown(diff) : renderDiff(diff, createPaint(deps)));
}
