import type { z } from 'zod';
import { ForgeError } from './forge.ts';

/** The answer by its schema. One of another form says that this is not the forge that it was taken for. */
export function parseAnswer<S extends z.ZodType>(schema: S, json: unknown): z.output<S> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ForgeError(
    'Unreachable',
    `the forge's answer is not as expected at ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  );
}

/** The address with further parts, each escaped. */
export function joinUrl(url: string, parts: readonly string[]): string {
  return [url.replace(/\/+$/, ''), ...parts.map(encodeURIComponent)].join('/');
}
