import { hex, PatternError, readEscapedRune, readSet, translateClass } from './regexclass.ts';

export { PatternError } from './regexclass.ts';

/**
 * Go's regular expressions (RE2) as JavaScript ones. What RE2 lacks (look-around, back-references, possessive repetition, more than 1000 repetitions)
 * is refused in Go's words; what JavaScript lacks or reads otherwise (`\A`, `\z`, `\Q...\E`, `[[:alpha:]]`, `(?i)` in the middle, `\pL`, `\s` without
 * Unicode's spaces, `.` that spares nothing but `\n`, lone brackets) is written anew.
 *
 * Differences that remain: matching takes the time of a backtracking engine, so that a pattern such as `(a+)+$` is slow on hostile input; and a match
 * is the first one of a backtracking engine, which is what Go's `regexp` promises too.
 */
export function compilePattern(pattern: string, flags = 'u'): RegExp {
  const source = translate(pattern);
  try {
    return new RegExp(source, flags);
  } catch {
    throw new PatternError('invalid character class range', pattern);
  }
}

type Flags = { readonly i: boolean; readonly m: boolean; readonly s: boolean; readonly U: boolean };
type Group = { readonly at: number; readonly outer: Flags; wraps: number };
type State = {
  readonly pattern: string;
  at: number;
  flags: Flags;
  out: string;
  readonly groups: Group[];
  /** Where the last thing that can be repeated starts in `out`; undefined where there is none. */
  atom: number | undefined;
  /** The repetition just written, which may not be repeated again. */
  repetition: string | undefined;
};

const NO_FLAGS: Flags = { i: false, m: false, s: false, U: false };

function translate(pattern: string): string {
  const root: Group = { at: -1, outer: NO_FLAGS, wraps: 0 };
  const state: State = {
    pattern,
    at: 0,
    flags: NO_FLAGS,
    out: '',
    groups: [root],
    atom: undefined,
    repetition: undefined,
  };
  while (state.at < pattern.length) step(state);
  if (state.groups.length > 1) throw new PatternError('missing closing )', pattern);
  closeWraps(state, root);
  return state.out;
}

function step(state: State): void {
  const char = state.pattern[state.at] ?? '';
  switch (char) {
    case '(':
      openGroup(state);
      return;
    case ')':
      closeGroup(state);
      return;
    case '|':
      alternate(state);
      return;
    case '*':
    case '+':
    case '?':
      repeat(state, char, char);
      return;
    case '{':
      repeatCounted(state);
      return;
    case '[':
      emit(state, translateClass(state));
      return;
    case '\\':
      translateEscape(state);
      return;
    default:
      state.at += char.length;
      emit(state, SINGLES[char]?.(state.flags) ?? literal(state, char));
  }
}

const SINGLES: Readonly<Record<string, (flags: Flags) => string>> = {
  '.': (flags) => (flags.s ? '[^]' : '[^\\n]'),
  '^': (flags) => (flags.m ? '(?<![^\\n])' : '^'),
  $: (flags) => (flags.m ? '(?![^\\n])' : '$'),
};

/** A character that stands for itself; the second half of a surrogate pair is taken along. */
function literal(state: State, char: string): string {
  const rune = String.fromCodePoint(state.pattern.codePointAt(state.at - char.length) ?? 0);
  state.at += rune.length - char.length;
  return SYNTAX.test(rune) ? `\\${rune}` : rune;
}

const SYNTAX = /^[\^$\\.*+?()[\]{}|/]$/;

function emit(state: State, text: string): void {
  state.atom = state.out.length;
  state.repetition = undefined;
  state.out += text;
}

function openGroup(state: State): void {
  const { pattern, at } = state;
  const outer = state.flags;
  state.atom = undefined;
  state.repetition = undefined;
  if (/^\(\?P?</.test(pattern.slice(at))) {
    const [text, name = ''] = /^\(\?P?<(?:([^>]*)>)?/.exec(pattern.slice(at)) ?? [''];
    const isClosed = text.endsWith('>');
    if (!isClosed || !/^\w+$/.test(name))
      throw new PatternError('invalid named capture', isClosed ? text : pattern.slice(at));
    state.at += text.length;
  } else if (pattern.startsWith('(?', at)) {
    if (!readFlags(state)) return;
  } else {
    state.at += 1;
  }
  state.groups.push({ at: state.out.length, outer, wraps: 0 });
  state.out += '(?:';
  if (state.flags.i !== outer.i) wrap(state);
}

/** Reads `(?i-s)` and `(?i-s:`; false when no group was opened. */
function readFlags(state: State): boolean {
  const found = /^\(\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(state.pattern.slice(state.at));
  if (found === null) {
    const shown = /^\(\?[imsU-]*[\s\S]?/u.exec(state.pattern.slice(state.at));
    throw new PatternError('invalid or unsupported Perl syntax', shown?.[0] ?? '(?');
  }
  const [text, on = '', off = '', end] = found;
  state.at += text.length;
  const before = state.flags;
  const set = (flag: keyof Flags) => !off.includes(flag) && (on.includes(flag) || before[flag]);
  state.flags = { i: set('i'), m: set('m'), s: set('s'), U: set('U') };
  if (end === ':') return true;
  if (state.flags.i !== before.i) wrap(state);
  return false;
}

/** Lets the rest of the alternative be read with the flag for case, as JavaScript can only for a group. */
function wrap(state: State): void {
  const group = state.groups.at(-1);
  if (group === undefined) return;
  group.wraps += 1;
  state.out += state.flags.i ? '(?i:' : '(?-i:';
}

function closeWraps(state: State, group: Group): void {
  state.out += ')'.repeat(group.wraps);
  group.wraps = 0;
}

function alternate(state: State): void {
  const group = state.groups.at(-1);
  state.at += 1;
  state.atom = undefined;
  state.repetition = undefined;
  if (group === undefined) return;
  closeWraps(state, group);
  state.out += '|';
  if (state.flags.i !== group.outer.i) wrap(state);
}

function closeGroup(state: State): void {
  const group = state.groups.pop();
  if (group === undefined || state.groups.length === 0) throw new PatternError('unexpected )', state.pattern);
  closeWraps(state, group);
  state.out += ')';
  state.at += 1;
  state.flags = group.outer;
  state.atom = group.at;
  state.repetition = undefined;
}

function repeatCounted(state: State): void {
  const found = /^\{(\d+)(?:(,)(\d*))?\}/.exec(state.pattern.slice(state.at));
  if (found === null) {
    state.at += 1;
    emit(state, '\\{');
    return;
  }
  const [text, least = '', comma, most = ''] = found;
  const isInvalid =
    Number(least) > MAX_REPEAT || Number(most) > MAX_REPEAT || (most !== '' && Number(most) < Number(least));
  if (isInvalid) throw new PatternError('invalid repeat count', text);
  repeat(
    state,
    text,
    comma === undefined ? `{${Number(least)}}` : `{${Number(least)},${most === '' ? '' : Number(most)}}`,
  );
}

const MAX_REPEAT = 1000;

function repeat(state: State, text: string, operator: string): void {
  state.at += text.length;
  const isLazy = state.pattern[state.at] === '?';
  if (isLazy) state.at += 1;
  const shown = isLazy ? `${text}?` : text;
  if (state.repetition !== undefined) {
    throw new PatternError('invalid nested repetition operator', `${state.repetition}${shown}`);
  }
  if (state.atom === undefined) throw new PatternError('missing argument to repetition operator', shown);
  const atom = state.out.slice(state.atom);
  const lazy = isLazy !== state.flags.U ? '?' : '';
  state.out = `${state.out.slice(0, state.atom)}(?:${atom})${operator}${lazy}`;
  state.repetition = shown;
}

function translateEscape(state: State): void {
  const { pattern, at } = state;
  const next = pattern[at + 1];
  if (next === undefined) throw new PatternError('trailing backslash at end of expression', '');
  if (next === 'Q') {
    quote(state);
    return;
  }
  const assertion = ASSERTIONS[next];
  if (assertion !== undefined) {
    state.at += 2;
    emit(state, assertion);
    return;
  }
  const set = readSet(state);
  emit(state, set ?? hex(readEscapedRune(state)));
}

const ASSERTIONS: Readonly<Record<string, string>> = { A: '^', z: '$', b: '\\b', B: '\\B' };

/** `\Q...\E`: everything in between stands for itself. */
function quote(state: State): void {
  const end = state.pattern.indexOf('\\E', state.at + 2);
  const stop = end === -1 ? state.pattern.length : end;
  for (const rune of state.pattern.slice(state.at + 2, stop)) emit(state, SYNTAX.test(rune) ? `\\${rune}` : rune);
  state.at = end === -1 ? stop : stop + 2;
}
