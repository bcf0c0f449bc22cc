/** An XML element as a value. Attribute order is kept. */
export type XmlElement = {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly children: string | readonly XmlElement[];
};

/**
 * A whole document with its declaration. Text and attributes are escaped, so that no value can add markup. Throws
 * RangeError on a character that XML 1.0 cannot hold at all (section 2.2), naming the element.
 */
export function renderXml(root: XmlElement): string {
  return `<?xml version="1.0" encoding="utf-8"?>\n${renderElement(root, '')}\n`;
}

function renderElement(element: XmlElement, indent: string): string {
  const attributes = Object.entries(element.attributes ?? {})
    .map(([name, value]) => ` ${name}="${escapeText(value, element.name)}"`)
    .join('');
  const open = `${indent}<${element.name}${attributes}>`;
  if (typeof element.children === 'string') {
    return `${open}${escapeText(element.children, element.name)}</${element.name}>`;
  }
  const children = element.children.map((child) => renderElement(child, `${indent}  `));
  return [open, ...children, `${indent}</${element.name}>`].join('\n');
}

const NOT_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

function escapeText(text: string, element: string): string {
  if (NOT_XML.test(text)) throw new RangeError(`${element}: holds a character that XML cannot carry`);
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;')
    .replaceAll('\t', '&#9;')
    .replaceAll('\n', '&#10;')
    .replaceAll('\r', '&#13;');
}
