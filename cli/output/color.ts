import type { CliDeps } from '../deps.ts';

export type Color = 'red' | 'green' | 'yellow' | 'bold';
export type Paint = (color: Color, text: string) => string;

const CODES: Readonly<Record<Color, readonly [number, number]>> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  bold: [1, 22],
};

/** Colours for a person at a terminal, and none for whoever set `NO_COLOR` to anything, or reads through a pipe. */
export function createPaint({ isTerminal, env }: Pick<CliDeps, 'isTerminal' | 'env'>): Paint {
  const isPlain = !isTerminal || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
  if (isPlain) return (_color, text) => text;
  return (color, text) => `\u001b[${CODES[color][0]}m${text}\u001b[${CODES[color][1]}m`;
}
