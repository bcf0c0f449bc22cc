import type { Command } from 'commander';
import { EXIT, type ExitCode } from './exit.ts';

/** What `--help` and the reference say of a command beyond its options. */
export type CommandDoc = {
  /** Paragraphs below the options, each of one line; the terminal wraps. */
  readonly details?: readonly string[] | undefined;
  /** A command line and what it does, of which the first is the one to try. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** What the codes mean here. */
  readonly exitCodes: Readonly<Partial<Record<ExitCode, string>>>;
};

const DOCS = new WeakMap<Command, CommandDoc>();

/** Adds details, examples and exit codes to a command's help, and keeps them for the reference. */
export function documentCommand(command: Command, doc: CommandDoc): Command {
  DOCS.set(command, doc);
  return command.addHelpText('after', ({ command: asked }) => `\n${renderDoc(doc, rootName(asked))}`);
}

export function docOf(command: Command): CommandDoc | undefined {
  return DOCS.get(command);
}

/** The codes of a command that runs until it is stopped. */
export const SERVER_CODES = {
  [EXIT.done]: 'it stopped as asked',
  [EXIT.refused]: 'it failed, or a setting is wrong; the last line says why',
  [EXIT.usage]: 'the command line is wrong',
} as const satisfies CommandDoc['exitCodes'];

function rootName(command: Command): string {
  return command.parent === null ? command.name() : rootName(command.parent);
}

function renderDoc({ details = [], examples, exitCodes }: CommandDoc, name: string): string {
  const parts = [
    ...(details.length === 0 ? [] : [details.join('\n')]),
    `Examples:\n${examples.map(([line, what]) => `  ${line.replaceAll(/\bsublet(?= [a-z])/g, name)}\n      ${what}`).join('\n')}`,
    `Exit codes:\n${Object.entries(exitCodes)
      .map(([code, what]) => `  ${code}  ${what}`)
      .join('\n')}`,
  ];
  return parts.join('\n\n');
}
