import { z } from '@hono/zod-openapi'
import { Millis } from './http.ts'
import { Reason } from './operator-http.ts'
import { OPERATOR_NAME, OPERATOR_NAME_RULE, PASSWORD_LENGTH, ROLES } from './operators.ts'

/** Shapes of sign-in and of the operators' accounts; as strict as those of http.ts. */
const Role = z.enum(ROLES)
/** One that somebody types to show who they are. */
const Password = z.string().min(1).max(PASSWORD_LENGTH.most)
const ChosenPassword = z
  .string()
  .min(PASSWORD_LENGTH.least, `a password has at least ${PASSWORD_LENGTH.least} characters`)
  .max(PASSWORD_LENGTH.most, `a password has at most ${PASSWORD_LENGTH.most} characters`)
const Code = z.string().regex(/^\d{3} ?\d{3}$/, 'the six digits that the authenticator app shows')

export const SignInRequest = z
  .strictObject({
    name: z
      .string()
      .trim()
      .toLowerCase()
      .min(1)
      .max(100)
      .refine((name) => !name.includes('\0'), 'no NUL characters'),
    password: Password,
    code: Code.optional().describe('Of the authenticator app, for accounts that have one'),
  })
  .openapi('SignInRequest')

export const OperatorSession = z
  .object({
    name: z.string(),
    role: Role,
    expires_at: Millis.describe('When the session ends if nothing is done until then'),
    totp: z.boolean().describe('Whether a code of an authenticator app is asked for at sign-in'),
  })
  .openapi('OperatorSession')

export const PasswordRequest = z
  .strictObject({ current: Password, password: ChosenPassword })
  .openapi('PasswordRequest')

export const TotpOffer = z
  .object({
    secret: z.string().describe('Base32, to be typed where there is no camera'),
    uri: z.string().describe('otpauth:// URI, to be shown as a QR code'),
  })
  .openapi('TotpOffer')
export const TotpRequest = z.strictObject({ code: Code }).openapi('TotpRequest')
export const TotpOffRequest = z.strictObject({ password: Password }).openapi('TotpOffRequest')

export const OperatorName = z.string().regex(OPERATOR_NAME, OPERATOR_NAME_RULE)
export const OperatorParam = z.object({
  name: OperatorName.openapi({ param: { name: 'name', in: 'path' } }),
})

export const OperatorAccount = z
  .object({
    name: z.string(),
    role: Role,
    totp: z.boolean(),
    disabled: z.boolean(),
    created_at: Millis,
    last_sign_in_at: Millis.nullable(),
  })
  .openapi('OperatorAccount')

export const NewOperator = z
  .strictObject({ name: OperatorName, role: Role, password: ChosenPassword, reason: Reason })
  .openapi('NewOperator')

export const OperatorChangeRequest = z
  .strictObject({
    role: Role.optional(),
    disabled: z.boolean().optional(),
    password: ChosenPassword.optional(),
    totp: z.literal(false).optional().describe('For somebody who has lost the authenticator app'),
    reason: Reason,
  })
  .openapi('OperatorChangeRequest')
