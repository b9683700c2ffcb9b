/** Prints a Markdown table on stdout. */
export function printTable(heading: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  process.stdout.write(`${line(heading) + line(heading.map(() => '---')) + rows.map(line).join('')}\n`);
}

/** Milliseconds as seconds with one decimal. */
export function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}
