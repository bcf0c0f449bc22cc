import { parseArgs } from 'node:util';

/** One option of a benchmark. */
export type OptionSpec =
  | {
      readonly kind: 'integer';
      readonly help: string;
      readonly fallback: number;
      readonly min: number;
      readonly max: number;
    }
  | { readonly kind: 'text'; readonly help: string; readonly hint: string };

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** The values by the options' names; a text option that was not given is absent. */
export type OptionValues<S extends OptionSpecs> = {
  readonly [K in keyof S]: S[K] extends { readonly kind: 'integer' } ? number : string | undefined;
};

/** What is wrong with a command line, in words for the person who typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Parses `--name value`. Throws UsageError on anything that the specs do not allow. */
export function parseOptions<S extends OptionSpecs>(specs: S, args: readonly string[]): OptionValues<S> {
  const options = Object.fromEntries(Object.keys(specs).map((name) => [name, { type: 'string' } as const]));
  const values = readValues(args, options);
  const entries = Object.entries(specs).map(([name, spec]) => {
    const text = values[name];
    return [name, spec.kind === 'text' ? text : parseInteger(name, spec, text)];
  });
  return Object.fromEntries(entries);
}

/** The options, one a line, for `--help`. */
export function renderOptions(specs: OptionSpecs): string {
  const lines = Object.entries(specs).map(([name, spec]) => {
    const usage = spec.kind === 'integer' ? `--${name} N` : `--${name} ${spec.hint}`;
    const fallback = spec.kind === 'integer' ? ` (default ${spec.fallback})` : '';
    return `  ${usage.padEnd(24)} ${spec.help}${fallback}`;
  });
  return lines.join('\n');
}

function readValues(
  args: readonly string[],
  options: Readonly<Record<string, { readonly type: 'string' }>>,
): Readonly<Record<string, string | undefined>> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: false, strict: true }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parseInteger(name: string, spec: OptionSpec & { readonly kind: 'integer' }, text: string | undefined): number {
  if (text === undefined) return spec.fallback;
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < spec.min || value > spec.max) {
    throw new UsageError(`--${name} takes a whole number from ${spec.min} to ${spec.max}, not ${JSON.stringify(text)}`);
  }
  return value;
}
