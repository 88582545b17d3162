import type { Database } from '../../platform/postgres.ts'
import { selectOperator, spendStep, updateOperator } from './accounts-sql.ts'
import type { Session, SessionParts } from './sessions.ts'
import { deleteSessionsOf } from './sessions-sql.ts'
import type { Limited } from './sign-in-limits.ts'
import { insertAudit } from '../sql.ts'
import { newTotpSecret, totpStep, totpUri } from './totp.ts'

type Done = { readonly kind: 'done' }
type WrongPassword = { readonly kind: 'wrong_password' }

/** What people change of their own accounts, signed in with them. */
export interface OwnAccount {
  /** Ends the account's other sessions. */
  changePassword(
    session: Session,
    given: { readonly current: string; readonly password: string },
    address: string,
  ): Promise<Done | WrongPassword | Limited>
  /** A secret for an authenticator app; in force once a code of it has been shown. */
  offerTotp(session: Session): Promise<{ readonly secret: string; readonly uri: string } | 'in_force'>
  acceptTotp(session: Session, code: string): Promise<'done' | 'wrong_code' | 'not_offered'>
  removeTotp(session: Session, password: string, address: string): Promise<Done | WrongPassword | Limited>
}

export function createOwnAccount(parts: SessionParts): OwnAccount {
  const { database, clock } = parts
  const audit = (sql: Pick<Database, 'query'>, name: string, command: string) =>
    insertAudit(sql, { operator: name, command, target: name, reason: 'own account', detail: {} })

  /** Whoever finds a console open must not be able to guess its password there. */
  const confirmed = ({ name }: Session, password: string, address: string) =>
    parts.limits.attempt(
      { name, address },
      async (): Promise<Done | WrongPassword> => {
        const row = await selectOperator(database, name)
        if (await parts.passwords.verify(password, row?.password_hash)) return { kind: 'done' }
        await audit(database, name, 'session.password-refused')
        return { kind: 'wrong_password' }
      },
      ({ kind }) => kind === 'wrong_password',
    )

  return {
    changePassword: async (session, { current, password }, address) => {
      const outcome = await confirmed(session, current, address)
      if (outcome.kind !== 'done') return outcome
      const password_hash = await parts.passwords.hash(password)
      await database.transaction(async (sql) => {
        await audit(sql, session.name, 'session.password')
        await updateOperator(sql, session.name, { password_hash })
        await deleteSessionsOf(sql, session.name, session.id)
      })
      return outcome
    },
    offerTotp: async (session) => {
      if (session.totp) return 'in_force'
      const secret = newTotpSecret()
      await updateOperator(database, session.name, { totp_offered: secret })
      return { secret, uri: totpUri(session.name, secret) }
    },
    acceptTotp: (session, code) =>
      database.transaction(async (sql) => {
        const secret = (await selectOperator(sql, session.name))?.totp_offered ?? undefined
        if (secret === undefined) return 'not_offered'
        const step = totpStep(secret, code, clock.now())
        if (step === undefined || !(await spendStep(sql, session.name, step))) return 'wrong_code'
        await audit(sql, session.name, 'session.totp-on')
        await updateOperator(sql, session.name, { totp_secret: secret, totp_offered: null })
        return 'done'
      }),
    removeTotp: async (session, password, address) => {
      const outcome = await confirmed(session, password, address)
      if (outcome.kind !== 'done') return outcome
      await database.transaction(async (sql) => {
        await audit(sql, session.name, 'session.totp-off')
        await updateOperator(sql, session.name, { totp_secret: null, totp_offered: null })
      })
      return outcome
    },
  }
}
