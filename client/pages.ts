/** A page as every list of the API gives it. */
export type Page<T> = { readonly items: readonly T[]; readonly next?: string | undefined };

/** All items of a list, page after page as they are asked for. `fetchPage` gets the cursor of the page, undefined for the first. */
export async function* listAll<T>(fetchPage: (cursor: string | undefined) => Promise<Page<T>>): AsyncGenerator<T> {
  let cursor: string | undefined;
  do {
    const page = await fetchPage(cursor);
    yield* page.items;
    if (page.next !== undefined && page.next === cursor)
      throw new Error('the server gives the same page again and again');
    cursor = page.next;
  } while (cursor !== undefined);
}

/** The items of a list, at most `most` of them. */
export async function takeAll<T>(items: AsyncIterable<T>, most = Number.POSITIVE_INFINITY): Promise<readonly T[]> {
  const taken: T[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length >= most) break;
  }
  return taken;
}
