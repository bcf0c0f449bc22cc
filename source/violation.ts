/** Why a folder is not accepted, in words for the person who wrote the file. */
export type Violation = {
  /** File name inside the folder; empty when the folder itself is at fault. */
  readonly file: string;
  /** 1-based; 0 when no line can be named. */
  readonly line: number;
  /** Short stable name of the rule or limit. */
  readonly rule: string;
  readonly message: string;
};

/** One line a violation, as compilers print them: `desk.yaml:7: unknown-field: ...`. At most `most` of them, then how many more. */
export function renderViolations(violations: readonly Violation[], most = 10): string {
  const lines = violations.slice(0, most).map(renderViolation);
  const more = violations.length - lines.length;
  return (more > 0 ? [...lines, `and ${more} more`] : lines).join('\n');
}

function renderViolation({ file, line, rule, message }: Violation): string {
  const where = file === '' ? '' : line > 0 ? `${file}:${line}: ` : `${file}: `;
  const text = `${where}${rule}: ${message}`;
  return text.length > 600 ? `${text.slice(0, 600)}...` : text;
}
