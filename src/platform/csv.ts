import { stringify } from 'csv-stringify/sync'

export type Cell = string | number | null

/**
 * Lines of a CSV file (RFC 4180: commas, CRLF, doubled quotes). A text that a spreadsheet would take for a formula gets an
 * apostrophe in front.
 */
export const csvLines = (rows: readonly (readonly Cell[])[]): string =>
  stringify(rows as Cell[][], { record_delimiter: 'windows', escape_formulas: true })
