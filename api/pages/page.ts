import { createHash } from 'node:crypto';
import type { Answer } from '../route.ts';

/** A page of ours: texts are escaped when they are put in. */
export type Page = { readonly title: string; readonly body: string };

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#1c1c1e;background:#fff}
code,output{font:15px ui-monospace,monospace;background:#f2f2f4;padding:.15em .4em;border-radius:4px;overflow-wrap:anywhere}
button{font:inherit;padding:.5em 1.2em;border:0;border-radius:6px;background:#1456b8;color:#fff;cursor:pointer}
a{color:#1456b8}summary{cursor:pointer;padding:.4em 0 .4em 1.2em;text-indent:-1.2em}dt{font-weight:600}dd{margin:0 0 .6em}
.method{display:inline-block;min-width:4.5em;font-weight:600;text-indent:0}.details{margin:0 0 1.5em 1.2em}.details h3{font-size:1em;margin:1em 0 .4em}
@media(prefers-color-scheme:dark){body{color:#e8e8ea;background:#1c1c1e}code,output{background:#2c2c2e}a{color:#8ab4f8}}`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

/** Pages load nothing and run nothing: no script, no foreign host, one style that the policy names by its hash. */
export function buildPage({ title, body }: Page): Pick<Answer, 'type' | 'headers' | 'body'> {
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>${body}</body></html>\n`;
  return { type: 'text/html; charset=utf-8', headers: { 'content-security-policy': POLICY }, body: html };
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}

/** The same for a text in which `backticks` mark code, as the description's texts have them. */
export function renderText(text: string): string {
  return escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}
