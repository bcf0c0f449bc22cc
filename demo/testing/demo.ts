import { execFile } from 'node:child_process';
import path from 'node:path';
import { expect } from 'vitest';

export const ROOT = path.resolve(import.meta.dirname, '../..');

const STATES: readonly string[] = ['Accepted', 'Committed', 'Applied', 'Ready'];

export type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** What `npm run demo` runs. */
export function demo(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const all = [path.join(ROOT, 'launch.mjs'), 'demo/main.ts', ...args];
    const options = { cwd: ROOT, env: { ...process.env, ...env } };
    const child = execFile(process.execPath, all, options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? 1, stdout, stderr }),
    );
  });
}

/**
 * Holds that one command was shown as its user types it, then the states of its change in their order, then the commit that carries it out, whole: its author, its subject, its
 * trailers and its file. And that the handshake came after all of it.
 */
export function expectOrderByCommand(stderr: string, { command, subject }: { command: string; subject: string }): void {
  const lines = stderr.split('\n').map((line) => line.replace(/^ *\d+\.\d s/, '').trim());
  const from = lines.indexOf(`$ sublet ${command}`);
  expect(from, stderr).toBeGreaterThan(-1);
  const git = lines.findIndex((line) => /^\$ git pull && git log -1 --stat -- tenants\/\w+\/t-acme--bob$/.test(line));
  const handshake = lines.findIndex((line) => /^RDP handshake with 127\.\S+: the server selected \w+$/.test(line));
  expect(from < git && git < handshake, stderr).toBe(true);

  const said = lines.slice(from + 1, git).map((line) => line.replace(/: .*/, ''));
  const states = said.filter((line) => STATES.includes(line));
  // States that follow each other fast are heard of as the last of them.
  expect(states).toEqual(STATES.filter((state) => states.includes(state)));
  expect(states.at(-1)).toBe('Ready');
  const changeId = said.find((line) => line.startsWith('change/'))?.replace('change/', '') ?? '';
  expect(changeId).toMatch(/^I[0-9a-f]{40}$/);

  const shown = lines.slice(git + 1, handshake);
  expect(shown[0]).toMatch(/^commit [0-9a-f]{40}$/);
  expect(shown[1]).toMatch(/^Author: oidc:anna .*<\S+>$/);
  expect(shown).toContain(subject);
  for (const trailer of [`Change-Id: ${changeId}`, 'Requested-By: oidc:anna']) expect(shown).toContain(trailer);
  expect(shown).toContainEqual(expect.stringMatching(/^Request-Id: \S+$/));
  expect(shown).toContainEqual(expect.stringMatching(/^tenants\/\w+\/t-acme--bob\/\S+\.yaml \| +\d+ [+-]+$/));
  expect(shown).toContainEqual(expect.stringMatching(/^1 file changed, /));
}
