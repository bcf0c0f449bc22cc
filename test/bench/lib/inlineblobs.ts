/**
 * What `git fast-export` gives, with each blob where it is used instead of in a command of its own before it: the same objects with less work for
 * `git fast-import`. For streams of commits and plain files.
 */
export function* inlineBlobs(stream: Buffer): Generator<Buffer> {
  const blobs = new Map<string, Buffer>();
  let at = 0;
  const line = (): string => {
    const end = stream.indexOf(NEWLINE, at);
    const text = stream.toString('utf8', at, end);
    at = end + 1;
    return text;
  };
  const data = (command: string): Buffer => {
    const start = at;
    at += Number(command.slice(DATA.length));
    return stream.subarray(start, at);
  };
  while (at < stream.length) {
    const command = line();
    const modify = /^M ([0-7]{6}) (:[0-9]+) (.+)$/.exec(command);
    if (command === 'blob') {
      const mark = line().slice('mark '.length);
      blobs.set(mark, data(line()));
      if (stream[at] === NEWLINE) at += 1;
    } else if (modify !== null) {
      const [, mode = '', mark = '', path = ''] = modify;
      const blob = blobs.get(mark) ?? Buffer.alloc(0);
      yield Buffer.concat([Buffer.from(`M ${mode} inline ${path}\ndata ${blob.length}\n`), blob, Buffer.from('\n')]);
    } else if (command.startsWith(DATA)) yield Buffer.concat([Buffer.from(`${command}\n`), data(command)]);
    else yield Buffer.from(`${command}\n`);
  }
}

const NEWLINE = 10;
const DATA = 'data ';
