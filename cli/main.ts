#!/usr/bin/env node
import { homedir } from 'node:os';
import { nameProgram } from './program.ts';
import { runCli } from './run.ts';
import { listenForStop } from './stop.ts';

const MOST_STDIN_CHARS = 16 * 1024 * 1024;

/** `sublet`: the roles of the platform and every user command in one program. `exit.ts` says what the exit codes mean. */
const deps = {
  out: (text: string) => void process.stdout.write(text),
  err: (text: string) => void process.stderr.write(text),
  env: process.env,
  cwd: process.cwd(),
  home: homedir(),
  isTerminal: process.stdout.isTTY === true,
  readStdin,
  signal: listenForStop(),
};
// Whoever reads through a pipe may stop reading, as head does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
process.exitCode = await runCli(deps, process.argv.slice(2), nameProgram(process.argv[1]));

async function readStdin(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MOST_STDIN_CHARS) throw new Error(`standard input has more than ${MOST_STDIN_CHARS} characters`);
  }
  return text;
}
