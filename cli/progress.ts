const QUIET_MS = 1_000;

/** Tells a person what is going on: one line a step with the time since the start, and a sign of life every second of silence. */
export type Progress = {
  step(text: string): void;
  /** Nothing is under way: no more signs of life until the next step. */
  rest(): void;
  /** A line below the current step. Its time is left out where it is that of the line above. */
  readonly detail: (text: string) => void;
  stop(): void;
};

export function createProgress(startedAtMs: number, write: (line: string) => void): Progress {
  let current = '';
  let spokenAtMs = Date.now();
  const elapsed = () => `${((Date.now() - startedAtMs) / 1_000).toFixed(1).padStart(6)} s`;
  let shown = '';
  const say = (text: string, isDetail = false): void => {
    spokenAtMs = Date.now();
    const time = elapsed();
    write(`${isDetail && time === shown ? ' '.repeat(time.length) : time}${text}`.trimEnd());
    shown = time;
  };
  const timer = setInterval(() => {
    if (current !== '' && Date.now() - spokenAtMs >= 5 * QUIET_MS) say(`    still ${current}`);
  }, QUIET_MS);
  timer.unref();
  return {
    step(text) {
      current = text;
      say(`  ${text}`);
    },
    rest: () => {
      current = '';
    },
    detail: (text) => say(`    ${text}`, true),
    stop: () => clearInterval(timer),
  };
}
