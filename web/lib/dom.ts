/** The element with this id; the page's HTML and its script are written together, so a missing one is a mistake. */
export function byId(id: string): HTMLElement
export function byId<Found extends HTMLElement>(id: string, type: new () => Found): Found
export function byId(id: string, type: new () => HTMLElement = HTMLElement): HTMLElement {
  const found = document.getElementById(id)
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} #${id}`)
  return found
}

type Attributes = Readonly<Record<string, string | boolean>>

/** An element with attributes and children; text stays text, so nothing from outside becomes markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes))
    if (value !== false) made.setAttribute(name, value === true ? '' : value)
  made.append(...children)
  return made
}

/** Sets text only where it changed: screen readers announce every write to a live region. */
export function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text
}

/** Shows one of a page's alternative sections and hides the others. */
export function showOnly(sections: readonly HTMLElement[], shown: HTMLElement | undefined): void {
  for (const section of sections) section.hidden = section !== shown
}

/** Fills a list of labels and values where it changed. */
export function drawFacts(list: HTMLElement, facts: readonly (readonly [string, string])[]): void {
  const text = facts.flat().join('\n')
  if (list.dataset['text'] === text) return
  list.dataset['text'] = text
  list.replaceChildren(
    ...facts.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
  )
}

/** Shows a notice, or hides it; one that says the same already stays as it is, so that it is not announced again. */
export function notice(target: HTMLElement, message: { title: string; detail: string } | undefined): void {
  target.hidden = message === undefined
  if (message === undefined) return target.replaceChildren()
  if (target.textContent === `${message.title} ${message.detail}`) return
  target.replaceChildren(element('strong', {}, message.title), ' ', message.detail)
}
