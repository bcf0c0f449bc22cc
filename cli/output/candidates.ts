import type { Argument, Command, Option } from 'commander';

export type Candidate = { readonly value: string; readonly description: string };

/** What could stand in place of the last word. `files`: a path could, too. */
export type Candidates = { readonly candidates: readonly Candidate[]; readonly files: boolean };

/** `words` is the command line without the program's name; the last one is being written and may be empty. */
export function computeCandidates(program: Command, words: readonly string[]): Candidates {
  const typed = words.at(-1) ?? '';
  const { command, pending, given, operands } = walk(program, words.slice(0, -1));
  if (pending !== undefined) return completeValue(pending, typed);
  if (operands !== 'options-ended' && typed.startsWith('-')) {
    const equals = typed.indexOf('=');
    const named = equals > 0 ? findOption(command, typed.slice(0, equals)) : undefined;
    if (named !== undefined) {
      const { candidates, files } = completeValue(named, typed.slice(equals + 1));
      return {
        candidates: candidates.map((one) => ({ ...one, value: `${typed.slice(0, equals)}=${one.value}` })),
        files,
      };
    }
    return { candidates: listOptions(command, given).filter(({ value }) => value.startsWith(typed)), files: false };
  }
  const subcommands = command
    .createHelp()
    .visibleCommands(command)
    .map((one) => ({ value: one.name(), description: one.description() }));
  if (subcommands.length > 0)
    return { candidates: subcommands.filter(({ value }) => value.startsWith(typed)), files: false };
  const count = typeof operands === 'number' ? operands : 0;
  const argument = command.registeredArguments[Math.min(count, command.registeredArguments.length - 1)];
  if (argument === undefined || (count >= command.registeredArguments.length && !argument.variadic))
    return { candidates: [], files: false };
  return completeValue(argument, typed);
}

type Walk = {
  readonly command: Command;
  /** An option that still wants its value. */
  readonly pending: Option | undefined;
  readonly given: ReadonlySet<string>;
  readonly operands: number | 'options-ended';
};

function walk(program: Command, words: readonly string[]): Walk {
  let command = program;
  let pending: Option | undefined;
  let operands: Walk['operands'] = 0;
  const given = new Set<string>();
  for (const word of words) {
    if (pending !== undefined) {
      pending = undefined;
      continue;
    }
    if (word === '--') {
      operands = 'options-ended';
      continue;
    }
    if (word.startsWith('-') && operands !== 'options-ended') {
      const option = findOption(command, word.split('=')[0] ?? word);
      if (option !== undefined) given.add(option.attributeName());
      pending = option?.required === true && !word.includes('=') ? option : undefined;
      continue;
    }
    const sub = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (sub === undefined) operands = typeof operands === 'number' ? operands + 1 : operands;
    else command = sub;
  }
  return { command, pending, given, operands };
}

function findOption(command: Command, flag: string): Option | undefined {
  for (let at: Command | null = command; at !== null; at = at.parent) {
    const found = at.options.find(({ short, long }) => flag === short || flag === long);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What was given once is not offered again, unless it may be repeated. */
function listOptions(command: Command, given: ReadonlySet<string>): readonly Candidate[] {
  const help = command.createHelp();
  const options = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
  return options
    .filter((option) => option.variadic || !given.has(option.attributeName()))
    .map(({ long, short, description }) => ({ value: long ?? short ?? '', description }));
}

function completeValue(what: Option | Argument, typed: string): Candidates {
  const choices = what.argChoices;
  if (choices === undefined) return { candidates: [], files: true };
  return {
    candidates: choices.filter((value) => value.startsWith(typed)).map((value) => ({ value, description: '' })),
    files: false,
  };
}
