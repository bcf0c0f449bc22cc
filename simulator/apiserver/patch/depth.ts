import { badRequest } from '../status.ts';

/** Runs what walks through objects; refuses with 400 those that are nested so deeply that the walk would not end well. */
export function guardDepth<T>(walk: () => T): T {
  try {
    return walk();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw badRequest('the object is nested too deeply: exceeded max depth');
  }
}
