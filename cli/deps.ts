/** What commands get from the process that runs them. */
export type CliDeps = {
  /** Text for standard output: results, which other programs may read. */
  readonly out: (text: string) => void;
  /** Text for standard error: progress, summaries and complaints. */
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  /** Whether standard output is a terminal that a person looks at. */
  readonly isTerminal: boolean;
  /** All of standard input, as text. Rejects when it is unreasonably long. */
  readonly readStdin: () => Promise<string>;
  /** Aborts when the process is told to stop. */
  readonly signal: AbortSignal;
};
