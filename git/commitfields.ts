import type { Person } from './repository.ts';

const MAX_LENGTH = 200;

/** The identity without what git's own cannot hold: line breaks, control characters and angle brackets become spaces. */
export function cleanPerson({ name, email }: Person): Person {
  return { name: clean(name), email: clean(email).replaceAll(' ', '') };
}

/** A message as a commit holds it: valid Unicode without NUL. */
export function cleanMessage(message: string): string {
  return message.toWellFormed().replaceAll('\0', '');
}

function clean(text: string): string {
  const line = text
    .toWellFormed()
    .replaceAll(/[\p{Cc}<>\s]+/gu, ' ')
    .trim();
  return line.length <= MAX_LENGTH
    ? line
    : line
        .slice(0, MAX_LENGTH)
        .replace(/[\ud800-\udbff]$/, '')
        .trim();
}
