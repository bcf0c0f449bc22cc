import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from './exit.ts';
import { docOf } from './help.ts';
import { buildProgram, nameProgram } from './program.ts';
import { listCommands, pathOf, renderCliReference } from './reference.ts';
import { run } from './testing/run.ts';

const deps = {
  out: () => {},
  err: () => {},
  env: {},
  cwd: '/',
  home: '/',
  isTerminal: false,
  readStdin: async () => '',
  signal: new AbortController().signal,
};
const program = buildProgram(deps);
const commands = listCommands(program);
const leaves = commands.filter((command) => command.commands.length === 0);

describe('every command', () => {
  it('is found', () => {
    expect(leaves.length).toBeGreaterThan(5);
  });

  it.each(commands.map((command) => [pathOf(command), command] as const))(
    '%s explains itself',
    async (name, command) => {
      const doc = docOf(command);
      expect(command.description()).toMatch(/^\S.{8,}[^.]$/);
      for (const option of command.options) expect(option.description, option.flags).not.toBe('');
      for (const argument of command.registeredArguments) expect(argument.description, argument.name()).not.toBe('');
      expect(doc?.examples.length).toBeGreaterThan(0);
      expect(doc?.examples[0]?.[0]).toContain(name);
      for (const [, what] of doc?.examples ?? []) expect(what).not.toBe('');
      expect(Object.keys(doc?.exitCodes ?? {})).toEqual(expect.arrayContaining([String(EXIT.done)]));
      const { code, out, err } = await run([...name.split(' ').slice(1), '--help']);
      expect([code, err]).toEqual([0, '']);
      for (const part of [`Usage: ${name}`, 'Examples:', 'Exit codes:']) expect(out).toContain(part);
    },
  );
});

describe('the program', () => {
  it('shows the commands when it is called with nothing, which is no use of it', async () => {
    const { code, err } = await run([]);
    expect(code).toBe(2);
    for (const command of program.createHelp().visibleCommands(program)) expect(err).toContain(command.name());
  });

  it.each([
    [['lnt'], "unknown command 'lnt'\n(Did you mean lint?)"],
    [['lint', '--strikt'], "unknown option '--strikt'\n(Did you mean --strict?)"],
    [['lint', 'a', 'b'], 'too many arguments'],
  ])('exits 2 for %j and says what was meant', async (args, message) => {
    const { code, err } = await run(args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('speaks as kubectl sublet where it is called so', async () => {
    expect([
      nameProgram('/usr/local/bin/kubectl-sublet'),
      nameProgram('/x/cli/main.ts'),
      nameProgram(undefined),
    ]).toEqual(['kubectl sublet', 'sublet', 'sublet']);
    const { out } = await run(['lint', '--help'], { name: 'kubectl sublet' });
    expect(out).toContain('Usage: kubectl sublet lint');
    expect(out).toContain('\n  kubectl sublet lint --environment production');
    expect(out).not.toMatch(/^ {2}sublet /m);
  });

  it('is what docs/reference/cli.md says; npm run generate writes it anew', async () => {
    const file = path.join(import.meta.dirname, '..', 'docs', 'reference', 'cli.md');
    expect(await readFile(file, 'utf8')).toBe(renderCliReference(program));
  });
});
