import type { Random } from '../../../kube/clock.ts';

const UPPER = 'ABCDEFGHJKLMNPQR';
const LOWER = 'abcdefghijkmnpqr';
const DIGIT = '23456789';
const ANY = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789-_+=.:@';

const LENGTH = 20;

/**
 * A new password of 20 characters, at least 100 bits of `random`: letters and digits that are not mistaken for one another,
 * and signs that no shell, XML or YAML treats specially inside quotes. Holds an upper-case letter, a lower-case letter, a digit
 * and a hyphen, so that Windows' complexity rule accepts it. Every alphabet's size is a power of two, so no value is favoured.
 */
export function generatePassword(random: Random): string {
  const bytes = random.bytes(LENGTH);
  const alphabets = Array.from({ length: LENGTH }, (_, index) => [UPPER, LOWER, DIGIT, '-'][index] ?? ANY);
  return alphabets.map((alphabet, index) => alphabet[(bytes[index] ?? 0) % alphabet.length]).join('');
}
