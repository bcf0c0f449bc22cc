import { isArray, isObject, type Json } from './json.ts';
import type { Entry } from './transcript.ts';

/** One member in which two answers differ. */
export type Difference = {
  /** The step in which it is. */
  readonly step: string;
  /** Where in the answer: `body.metadata.labels`, `lines.2.type`. */
  readonly path: string;
  readonly real: Json | undefined;
  readonly embedded: Json | undefined;
};

/** Every difference between two normalised transcripts of the same case. */
export function compareEntries(real: readonly Entry[], embedded: readonly Entry[]): readonly Difference[] {
  const found: Difference[] = [];
  for (let i = 0; i < Math.max(real.length, embedded.length); i++) {
    const step = real[i]?.step ?? embedded[i]?.step ?? '';
    compareJson(real[i]?.answer, embedded[i]?.answer, '', (path, left, right) =>
      found.push({ step, path, real: left, embedded: right }),
    );
  }
  return found;
}

export function renderDifference({ step, path, real, embedded }: Difference): string {
  return `step ${step}\n  at ${path}\n    real:     ${renderValue(real)}\n    embedded: ${renderValue(embedded)}`;
}

type Report = (path: string, real: Json | undefined, embedded: Json | undefined) => void;

function compareJson(real: Json | undefined, embedded: Json | undefined, path: string, report: Report): void {
  const under = (name: string) => (path === '' ? name : `${path}.${name}`);
  if (isObject(real) && isObject(embedded)) {
    for (const name of new Set([...Object.keys(real), ...Object.keys(embedded)])) {
      compareJson(ownMember(real, name), ownMember(embedded, name), under(name), report);
    }
  } else if (isArray(real) && isArray(embedded)) {
    for (let i = 0; i < Math.max(real.length, embedded.length); i++) {
      compareJson(real[i], embedded[i], under(String(i)), report);
    }
  } else if (real !== embedded) report(path, real, embedded);
}

function ownMember(value: { readonly [name: string]: Json }, name: string): Json | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

const MAX_SHOWN = 1_500;

function renderValue(value: Json | undefined): string {
  const text = value === undefined ? '(absent)' : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}... (${text.length} characters)` : text;
}
