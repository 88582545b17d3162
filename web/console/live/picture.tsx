import { useId, useState } from 'preact/hooks'
import { CommandDialog } from '../parts/command.tsx'
import { Field } from '../parts/field.tsx'
import type { Product } from '../shapes.ts'

const TYPES = 'image/png,image/jpeg,image/webp,image/avif'
const MOST_BYTES = 1024 * 1024

/** What buyers see of a product: a file, or one that is drawn from the name. */
export function ChangePicture({
  product,
  onDone,
  onClose,
}: {
  product: Product
  onDone: () => void
  onClose: () => void
}) {
  const [file, setFile] = useState<File>()
  const [alt, setAlt] = useState(product.picture.alt)
  const id = useId()
  const wrong =
    file === undefined
      ? undefined
      : file.size > MOST_BYTES
        ? 'At most 1 MB.'
        : TYPES.split(',').includes(file.type)
          ? undefined
          : 'A PNG, JPEG, WebP or AVIF file.'
  return (
    <CommandDialog<Product>
      title={`Picture of ${product.name}`}
      explain="Buyers see it in the shop at once. PNG, JPEG, WebP or AVIF, at most 1 MB."
      method="PUT"
      path={`/products/${product.id}/picture?alt=${encodeURIComponent(alt.trim())}`}
      file={file}
      valid={file !== undefined && wrong === undefined}
      button="Use this picture"
      effect={() => `${product.name} has a new picture.`}
      onDone={onDone}
      onClose={onClose}
    >
      <div class={wrong ? 'field wrong' : 'field'}>
        <label for={id}>File</label>
        <input
          id={id}
          type="file"
          accept={TYPES}
          aria-invalid={wrong ? true : undefined}
          aria-describedby={wrong ? `${id}-error` : undefined}
          onChange={(event) => setFile(event.currentTarget.files?.[0])}
        />
        {wrong ? (
          <p class="error" id={`${id}-error`}>
            {wrong}
          </p>
        ) : null}
      </div>
      <Field
        label="What it shows"
        value={alt}
        onInput={setAlt}
        maxLength={300}
        optional
        hint="For who can not see it. Empty: the product's name."
      />
    </CommandDialog>
  )
}
