/** One server-sent event. `data` joins its data lines. */
export type ServerEvent = { readonly id: string | undefined; readonly event: string; readonly data: string };

/** Longer than any event of ours; a stream that goes on without an end of line is cut there. */
const MOST_EVENT_CHARS = 1024 * 1024;

/** Events of a `text/event-stream` as they arrive; comments and retry hints are left out. Throws when one is too long. */
export async function* parseEvents(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let text = '';
  let lines: string[] = [];
  let chars = 0;
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    // A CR at the end may be half of a CRLF.
    for (
      let match = LINE_END.exec(text);
      match !== null && !(match[0] === '\r' && match.index === text.length - 1);
      match = LINE_END.exec(text)
    ) {
      const line = text.slice(0, match.index);
      text = text.slice(match.index + match[0].length);
      chars += line.length;
      if (line !== '') lines.push(line);
      else {
        const event = buildEvent(lines);
        lines = [];
        chars = 0;
        if (event !== undefined) yield event;
      }
    }
    if (chars + text.length > MOST_EVENT_CHARS)
      throw new Error(`an event has more than ${MOST_EVENT_CHARS} characters`);
  }
}

const LINE_END = /\r\n|\n|\r/;

function buildEvent(lines: readonly string[]): ServerEvent | undefined {
  const fields = lines.map((line) => {
    const colon = line.indexOf(':');
    return colon < 0
      ? { name: line, value: '' }
      : { name: line.slice(0, colon), value: line.slice(colon + 1).replace(/^ /, '') };
  });
  const data = fields.filter(({ name }) => name === 'data');
  if (data.length === 0) return undefined;
  const last = (wanted: string) => fields.findLast(({ name }) => name === wanted)?.value;
  return { id: last('id'), event: last('event') ?? 'message', data: data.map(({ value }) => value).join('\n') };
}
