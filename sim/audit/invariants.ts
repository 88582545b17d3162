/** Section 10 of the design by number; 0 is about the run itself. */
export const INVARIANTS: readonly {
  readonly number: number
  readonly name: string
  readonly says: string
}[] = [
  { number: 0, name: 'lawful_ends', says: 'every buyer who kept the rules came to a lawful end' },
  { number: 1, name: 'stock_balances', says: 'available >= 0, available + held + sold = total' },
  { number: 2, name: 'never_oversold', says: 'sold <= total in SQL alone' },
  { number: 3, name: 'buyer_limit', says: 'at most the limit of active claims per buyer and item' },
  {
    number: 4,
    name: 'no_claim_lost',
    says: 'every acknowledged claim ends PAID, or FAILED with its unit back',
  },
  {
    number: 5,
    name: 'lost_answers_resolve',
    says: 'a claim whose answer was lost is wholly there or wholly not',
  },
  { number: 6, name: 'one_claim_one_order', says: "one claim, one event, one order, on the buyer's shard" },
  { number: 7, name: 'restocked_once', says: 'a unit comes back at most once per claim, never for PAID' },
  { number: 8, name: 'money_matches', says: 'the price was taken exactly when PAID, once' },
  { number: 9, name: 'holds_on_time', says: 'no hold outlives its deadline, none ends early' },
  { number: 10, name: 'pass_used_once', says: 'every claim carries a valid pass, used once' },
  { number: 11, name: 'admission_rate', says: 'admissions in any window <= rate * t + burst' },
  { number: 12, name: 'order_of_arrival', says: 'admission order is position order is arrival order' },
  { number: 13, name: 'sold_out_honest', says: '"sold out" is not shown while something is available' },
  { number: 14, name: 'all_terminal', says: 'everything becomes terminal in time' },
]
