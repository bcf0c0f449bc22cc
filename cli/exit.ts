/**
 * What an exit code says, in every command. `refused`: the command did its work and the answer is no (a finding, a change that failed, a call that the server
 * turned down). `later`: nothing is wrong with what was asked, and trying again may help.
 */
export const EXIT = { done: 0, refused: 1, usage: 2, later: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with a code. The message goes to standard error; without one, what was printed already says it all. */
export class CliExit extends Error {
  readonly code: ExitCode;

  constructor(code: ExitCode, message = '', options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'CliExit';
    this.code = code;
  }
}
