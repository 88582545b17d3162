import type { Sale, Stock } from '../../src/contracts/shapes.ts'
import { problemText } from '../../src/contracts/words/problem.ts'
import { stockText } from '../../src/contracts/words/stock.ts'
import { config } from '../lib/config.ts'
import { byId, setText } from '../lib/dom.ts'
import { inChosenLanguage, say } from '../lib/words.ts'
import type { Refusal } from './attempt.ts'
import { type Action, drawMark, type Message, showMessage } from './scenes.ts'
import type { Stocks } from './stocks.ts'

type Way = 'again' | 'choose'

const again: Action<Way> = { label: say('checkout.try_again'), press: 'again' }
const toOrders: Action<Way> = { label: say('common.my_orders'), href: '/orders' }
const toShop: Action<Way> = { label: say('common.to_shop'), href: '/' }
const room = (sale: string) => inChosenLanguage(`${config.queue_url}/${sale}`)
/** A new place, at the end of the line: the one that led here is used up. */
const rejoin = (sale: string): Action<Way> => ({
  label: say('checkout.rejoin'),
  href: `${room(sale)}#new`,
})

/** Says what a claim was refused for; resolves with what the buyer does about it while the pass is good. */
export function showRefusal(refusal: Refusal, item: string, sale: Sale, stocks: Stocks): Promise<Way> {
  const others: readonly Action<Way>[] =
    sale.products.length > 1 ? [{ label: say('checkout.choose_other'), press: 'choose' }] : []
  return new Promise((resolve) => {
    let leave = () => {}
    const press = (way: Way, button: HTMLButtonElement) => {
      leave()
      button.disabled = true
      resolve(way)
    }
    if (refusal.problem.code !== 'held_out') return showMessage(wordsOf(refusal, others, sale.id), press)
    const { title, text } = { title: say('checkout.held.title'), text: say('checkout.held.text') }
    showMessage(
      { mark: 'held', tone: 'note', title, text, actions: [again, ...others, rejoin(sale.id)] },
      press,
    )
    // The page looks on, and says when something comes back or is gone for good.
    leave = stocks.watch(item, (stock) => {
      if (stock.state !== 'sold_out') return drawReturns(stock)
      leave()
      showMessage(wordsOf({ ...refusal, kind: 'not_this_time' }, others, sale.id), press)
    })
  })
}

/** The focus stays where it is: the button may be about to be pressed. */
function drawReturns(stock: Stock): void {
  const back = stock.state === 'available'
  const key = back ? 'checkout.held.back' : 'checkout.held'
  const [title, text] = [say(back ? 'checkout.held.back' : 'checkout.held.title'), say(`${key}.text`)]
  drawMark('message', back ? 'check' : 'held', back ? 'good' : 'note')
  setText(byId('message-title'), title)
  setText(byId('message-text'), text)
  setText(byId('answer'), `${title}. ${text}`)
  const line = byId('message-stock')
  line.hidden = false
  line.dataset['state'] = stock.state
  setText(line, stockText(say, stock))
}

function wordsOf({ kind, problem }: Refusal, others: readonly Action<Way>[], sale: string): Message<Way> {
  if (kind === 'not_this_time') {
    const text = [say('checkout.sold_out.text'), others.length > 0 ? say('checkout.sold_out.others') : '']
    return {
      ...{ mark: 'cross', tone: 'calm', title: say('checkout.sold_out.title'), text: text.join(' ').trim() },
      // The waiting room tells it by numbers, once everything is gone.
      actions:
        others.length > 0
          ? [...others, toShop]
          : [toShop, { label: say('checkout.sold_out.why'), href: room(sale) }],
    }
  }
  if (kind === 'held')
    return {
      ...{ mark: 'alert', tone: 'note', title: say('checkout.few.title'), text: say('checkout.few.text') },
      actions: [{ label: say('checkout.choose_number'), press: 'choose' }],
    }
  if (problem.code === 'limit_reached')
    return {
      ...{
        mark: 'alert',
        tone: 'note',
        title: say('checkout.limit.title'),
        text: say('checkout.limit.text'),
      },
      actions: [toOrders, ...others, toShop],
    }
  const { title, detail } = problemText(say, problem)
  return {
    ...{ mark: 'clock', tone: 'note', title, text: `${detail} ${say('checkout.pass_good')}`.trim() },
    actions: [again, ...others],
  }
}

/** Nothing can be claimed with this pass any more, or there is none. */
export function showNoPass({ title, detail }: { title: string; detail: string }, queueUrl: string): void {
  const label = say(queueUrl.endsWith('#new') ? 'checkout.rejoin' : 'checkout.to_queue')
  showMessage({
    ...{ mark: 'door', tone: 'calm', title, text: detail },
    actions: [{ label, href: inChosenLanguage(queueUrl) }, toOrders],
  })
}

/** This browser has no such order: mistyped, or made with another one. */
export function showNoOrder(): void {
  const [title, text] = [say('problems.unknown_order'), say('problems.unknown_order.text')]
  showMessage({ mark: 'cross', tone: 'calm', title, text, actions: [toOrders, toShop] })
}
