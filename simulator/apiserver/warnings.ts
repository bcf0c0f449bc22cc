const MAX_RUNES = 4 * 1024;
const MAX_TRUNCATED_RUNES = 256;

/** Values of `Warning` headers, each once. When they become too long they are cut, and then the last ones left out. */
export function renderWarnings(warnings: readonly string[]): readonly string[] {
  const texts = [...new Set(warnings)].filter((text) => text !== '');
  const total = texts.reduce((sum, text) => sum + [...text].length, 0);
  if (total <= MAX_RUNES) return texts.map(render);
  const cut: string[] = [];
  let runes = 0;
  for (const text of texts) {
    if (runes >= MAX_RUNES) break;
    const short = [...text].slice(0, MAX_TRUNCATED_RUNES);
    runes += short.length;
    cut.push(render(short.join('')));
  }
  return cut;
}

function render(text: string): string {
  return `299 - "${text.replaceAll(/[\\"]/g, '\\$&')}"`;
}
