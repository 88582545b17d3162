import { byId, showOnly } from '../lib/dom.ts'

const SCENES = ['loading', 'no-pass', 'choose', 'order'] as const

/** Shows one of the checkout's scenes and hides the others. */
export function showScene(name: (typeof SCENES)[number]): void {
  showOnly(
    SCENES.map((scene) => byId(`scene-${scene}`)),
    byId(`scene-${name}`),
  )
}

/** Without a pass that is still good there is nothing to do here but to queue. */
export function showNoPass(title: string, detail: string, queueUrl: string): void {
  byId('no-pass-title').textContent = title
  byId('no-pass-detail').textContent = detail
  byId('to-queue').setAttribute('href', queueUrl)
  showScene('no-pass')
}
