import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { mailOf, startTestMailbox, type TestMailbox } from '../../../test/support/mail.ts'
import { readEml } from './eml.ts'
import { findMail, listMails } from './mailbox.ts'
import { createMailboxPage } from './page.ts'

let mailbox: TestMailbox
beforeAll(async () => {
  mailbox = await startTestMailbox()
})
afterAll(() => mailbox[Symbol.asyncDispose]())

/** Speaks to the server line by line as a mail program does; answers what it said. */
async function speak(lines: readonly string[], end: 'quit' | 'break off' = 'quit'): Promise<string> {
  const socket = connect(mailbox.port, '127.0.0.1')
  let said = ''
  socket.on('data', (chunk: Buffer) => (said += chunk.toString()))
  socket.on('error', () => undefined)
  const reply = async (count: number) => {
    for (let turns = 0; said.split('\r\n').filter((line) => /^\d{3} /.test(line)).length < count; turns++) {
      if (turns > 600) throw new Error(`no reply ${count}: ${said}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  await reply(1)
  let replies = 1
  for (const line of lines) {
    socket.write(line)
    if (/^(EHLO|MAIL|RCPT|DATA|\.)/.test(line)) await reply(++replies)
  }
  if (end === 'quit') {
    socket.write('QUIT\r\n')
    await reply(replies + 1)
  }
  socket.destroy()
  return said
}
const envelope = ['EHLO me\r\n', 'MAIL FROM:<a@example.com>\r\n', 'RCPT TO:<b@example.com>\r\n', 'DATA\r\n']

describe('the server', () => {
  test('keeps a mail as it came but for the dots of the wire, for our eyes only', async () => {
    const said = await speak([...envelope, 'Subject: raw\r\n\r\n..\r\n...two\r\nend\r\n', '.\r\n'])
    expect(said).toMatch(/^250 .*\r\n221 /m)
    const raw = (await mailbox.raws()).at(-1)
    expect(raw?.toString()).toBe('Subject: raw\r\n\r\n.\r\n..two\r\nend\r\n')
    const [name = ''] = await readdir(mailbox.folder)
    expect(name).toMatch(/^\d{4}-\d\d-\d\dT[\d-]+\.\d{3}Z-\d{6}\.eml$/)
    expect((await stat(join(mailbox.folder, name))).mode & 0o777).toBe(0o600)
  })

  test('keeps nothing of a mail that is broken off or too large, and goes on', async () => {
    const before = (await mailbox.raws()).length
    await speak([...envelope, 'Subject: half\r\n\r\nhalf of it'], 'break off')
    const said = await speak([...envelope, `Subject: large\r\n\r\n${'x'.repeat(1024 * 1024)}\r\n`, '.\r\n'])
    expect(said).toContain('\r\n552 ')
    expect(await speak([...envelope, 'Subject: after\r\n\r\n', '.\r\n'])).toContain('\r\n250 ')
    expect(await mailbox.raws()).toHaveLength(before + 1)
    expect((await readdir(mailbox.folder)).filter((name) => !name.endsWith('.eml'))).toEqual([])
  })
})

describe('reading', () => {
  test('a mail of another program: base64, folded headers, encoded words in both spellings', () => {
    const raw = [
      'Subject: =?utf-8?B?R3LDvMOfZQ==?=',
      ' =?UTF-8?Q?_an_alle?= !',
      'To: =?utf-8?Q?J=C3=B6?= <j@example.com>',
      'Content-Type: multipart/mixed;',
      ' boundary="a b"',
      '',
      'preamble',
      '--a b',
      'Content-Type: multipart/alternative; boundary=inner',
      '',
      '--inner',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from('Schöne Grüße').toString('base64'),
      '--inner',
      'Content-Type: text/html; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      '<p>Sch=C3=B6ne=20',
      'Gr=C3=BC=C3=9F=',
      'e</p>',
      '--inner--',
      '--a b--',
      '',
    ].join('\r\n')
    expect(readEml(Buffer.from(raw))).toMatchObject({
      subject: 'Grüße an alle !',
      to: 'Jö <j@example.com>',
      text: 'Schöne Grüße',
      html: '<p>Schöne \nGrüße</p>',
    })
  })

  test('what is no mail is shown without an error', () => {
    for (const text of ['', 'x', '\r\n\r\n', 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b'])
      expect(readEml(Buffer.from(text))).toMatchObject({ subject: '' })
  })

  test('the newest first, as many as asked for; nothing outside the folder', async () => {
    const server = mailbox.connect()
    for (const subject of ['first', 'second', 'third']) await server.send(mailOf({ subject }))
    server.close()
    const mails = await listMails(mailbox.folder, 2)
    expect(mails.map(({ subject }) => subject)).toEqual(['third', 'second'])
    const outside = join(mailbox.folder, '..', 'outside.eml')
    await writeFile(outside, 'Subject: outside\r\n\r\n')
    for (const name of ['../outside.eml', '..%2foutside.eml', 'none.eml', '', 'x'])
      expect(await findMail(mailbox.folder, name)).toBeUndefined()
    await rm(outside)
    expect(await listMails(join(mailbox.folder, 'nowhere'), 10)).toEqual([])
  })

  test('on the page a mail is shown, and nothing of it runs', async () => {
    const server = mailbox.connect()
    const script = '<script>alert(1)</script>'
    await server.send(mailOf({ subject: script, text: script, html: `<b>bold</b>${script}` }))
    server.close()
    const page = createMailboxPage(mailbox.folder)
    const get = async (path: string) => {
      const answer = await page.fetch(new Request(`http://127.0.0.1${path}`))
      return {
        status: answer.status,
        text: await answer.text(),
        policy: answer.headers.get('content-security-policy'),
      }
    }
    const [newest] = await listMails(mailbox.folder, 1)
    for (const path of ['/mailbox', '/mailbox/', `/mailbox/${newest?.name}`]) {
      const { status, text, policy } = await get(path)
      expect({ path, status }).toEqual({ path, status: 200 })
      expect(text).toContain('&lt;script&gt;')
      expect(text).not.toContain(script)
      expect(policy).toStartWith("default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'")
    }
    const html = await get(`/mailbox/${newest?.name}/html`)
    expect(html).toMatchObject({
      status: 200,
      policy: expect.stringContaining("default-src 'none'") as string,
    })
    for (const path of ['/mailbox/none.eml', '/mailbox/none.eml/html', '/mailbox/..%2Fsecrets.json'])
      expect((await get(path)).status).toBe(404)
  })
})
