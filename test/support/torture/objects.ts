/** The namespace of an object by its number. */
export function namespaceOf(object: number): string {
  return `t-n${Math.floor(object / 200) % 10}`;
}

/** Its file before anybody changed it. */
export function renderObject(object: number): string {
  return `# Object ${object}\napiVersion: sublet.dev/v1alpha1\nkind: Plan\nmetadata:\n  name: o${object}\nspec:\n  title: begin\n  offers: Desktop\n  currency: USD\n`;
}
