import { beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectPath } from './project.ts'
import { readTemplates, type Templates } from './templates.ts'

let templates: Templates
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'doorbuster-templates-'))
  writeFileSync(join(folder, 'one.html'), '<p title="{{title}}">{{text}}</p>\n')
  writeFileSync(join(folder, 'list.html'), '<ul>{{items}}</ul>\n')
  templates = readTemplates(folder)
})

test('everything from outside is text, in attributes too; what a template made is markup', () => {
  const one = templates.render('one', {
    title: `" onclick='x' &`,
    text: '<script>alert(1)</script> {{title}}',
  })
  expect(one.markup).toBe(
    '<p title="&quot; onclick=&#39;x&#39; &amp;">&lt;script&gt;alert(1)&lt;/script&gt; {{title}}</p>',
  )
  expect(templates.render('list', { items: [one, one] }).markup).toBe(`<ul>${one.markup}\n${one.markup}</ul>`)
})

test('a hole without a value, and an unknown template, are mistakes', () => {
  expect(() => templates.render('one', { title: 'x' })).toThrow(RangeError)
  expect(() => templates.render('two')).toThrow(RangeError)
})

test('the real ones have nothing inline that the policy of the pages forbids', () => {
  const real = readTemplates(projectPath('web/plain'))
  const values = new Proxy({}, { get: () => 'x', has: () => true })
  for (const name of [
    'layout',
    'door',
    'wait',
    'items',
    'item',
    'claim',
    'order',
    'pay',
    'message',
    'quantity',
  ])
    expect(real.render(name, values).markup).not.toMatch(/<script|<style|\sstyle=|\son\w+=/)
})
