/** The screens of the operator's console by their paths: the server answers each with the same page, its script shows the screen. */
export const CONSOLE_SCREENS = {
  sales: '/',
  newSale: '/new-sale',
  live: '/sales/:sale',
  editSale: '/sales/:sale/edit',
  rehearse: '/sales/:sale/rehearse',
  orders: '/orders',
  order: '/orders/:order',
  deadLetters: '/dead-letters',
  reconciliation: '/reconciliation',
  oversell: '/oversell',
  oversoldItem: '/oversell/:item',
  notices: '/notices',
  audit: '/audit',
  operators: '/operators',
  account: '/account',
} as const

export type ConsoleScreen = keyof typeof CONSOLE_SCREENS
