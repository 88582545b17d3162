/** What may be chosen of `ROLES`, in words. */
export const ROLE_CHOICES = [
  { value: 'viewer', label: 'Viewer: looks at everything, changes nothing' },
  { value: 'operator', label: 'Operator: runs sales' },
  { value: 'admin', label: 'Admin: also manages accounts' },
] as const
