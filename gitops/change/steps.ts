import type { Difference, Step } from '../intent.ts';

/** A path as people read it: `spec.price[name=base].recurring.amount`. */
export function renderSteps(path: readonly Step[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'string') return text === '' ? step : `${text}.${step}`;
    const key = Object.entries(step).map(([name, value]) => `${name}=${value}`);
    return `${text}[${key.join(',')}]`;
  }, '');
}

/** What is absent is left out. */
export function buildDifference(path: readonly Step[], values: Omit<Difference, 'path'>): Difference {
  const stated = Object.entries(values).filter(([, value]) => value !== undefined);
  return { path: renderSteps(path), ...Object.fromEntries(stated) };
}
