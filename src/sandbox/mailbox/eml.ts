/** A mail of the local mailbox, decoded as far as people read it. */
export interface ReadMail {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly date: string
  readonly message_id: string
  readonly text: string
  readonly html: string
}

interface Part {
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/**
 * Reads what our own adapter writes (MIME with quoted-printable, base64 or 7-bit parts in UTF-8), which is all that ever
 * lies in the mailbox. Anything else is shown as it came.
 */
export function readEml(raw: Buffer): ReadMail {
  // One character a byte until a part says how its bytes are to be read.
  const mail = split(raw.toString('latin1'))
  const header = (name: string) => decodeWords(mail.headers.get(name) ?? '')
  const leaves = partsOf(mail)
  const of = (type: string) => {
    const part = leaves.find(({ headers }) => (headers.get('content-type') ?? 'text/plain').startsWith(type))
    return part === undefined ? '' : decodeBody(part)
  }
  return {
    from: header('from'),
    to: header('to'),
    subject: header('subject'),
    date: header('date'),
    message_id: header('message-id'),
    text: of('text/plain'),
    html: of('text/html'),
  }
}

function split(text: string): Part {
  const end = /\r?\n\r?\n/.exec(text)
  const head = end === null ? text : text.slice(0, end.index)
  const lines = head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)
  const headers = lines.flatMap((line): [string, string][] => {
    const colon = line.indexOf(':')
    return colon < 1 ? [] : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]]
  })
  return {
    headers: new Map(headers.reverse()), // the first of a name counts
    body: end === null ? '' : text.slice(end.index + end[0].length),
  }
}

function partsOf(part: Part): Part[] {
  const type = part.headers.get('content-type') ?? ''
  const boundary = /^multipart\/.*boundary="?([^";]+)"?/i.exec(type)?.[1]
  if (boundary === undefined) return [part]
  const pieces = part.body.split(`--${boundary}`).slice(1, -1)
  return pieces.flatMap((piece) => partsOf(split(piece.replace(/^\r?\n/, '').replace(/\r?\n$/, ''))))
}

function decodeBody({ headers, body }: Part): string {
  const encoding = (headers.get('content-transfer-encoding') ?? '7bit').toLowerCase()
  const bytes =
    encoding === 'base64'
      ? Buffer.from(body, 'base64')
      : Buffer.from(encoding === 'quoted-printable' ? quotedPrintable(body) : body, 'latin1')
  return bytes.toString('utf8').replaceAll('\r\n', '\n')
}

function quotedPrintable(text: string): string {
  return text
    .replace(/[ \t]+(?=\r?\n)/g, '')
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
}

/** Encoded words of a header (RFC 2047). */
function decodeWords(text: string): string {
  return text
    .replace(/(=\?[^?]+\?[bq]\?[^?]*\?=)\s+(?==\?)/gi, '$1')
    .replace(/(?:=\?utf-8\?[bq]\?[^?]*\?=)+/gi, (words) =>
      Buffer.concat(
        [...words.matchAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi)].map(([, kind = '', word = '']) =>
          kind.toLowerCase() === 'b'
            ? Buffer.from(word, 'base64')
            : Buffer.from(quotedPrintable(word.replaceAll('_', ' ')), 'latin1'),
        ),
      ).toString('utf8'),
    )
}
