/** What the story needs of a world, whichever cluster is behind it. */
export type DemoWorld = {
  readonly environment: string;
  /** A clone of the fleet repository. */
  readonly checkout: string;
  readonly kubeconfigPath: string;
  /** Sublet's own API: orders go through it. */
  readonly api: { readonly url: string; tokenFor(user: string): Promise<string> };
  /** Commits whatever changed in the checkout and pushes it; gives the commit. */
  push(message: string): Promise<string>;
  /** Git in the checkout; gives what it printed. */
  git(...args: readonly string[]): Promise<string>;
  /** The object at a path of the API; undefined where nothing is. */
  read(path: string): Promise<unknown>;
  /** The last words of the roles, for when the story does not go on. */
  logTail(): string | Promise<string>;
  stop(): Promise<void>;
};

export type DemoDeps = {
  readonly step: (text: string) => void;
  /** A line below the current step. */
  readonly detail: (text: string) => void;
};
