import { Field } from '../parts/field.tsx'
import type { Errors } from './check.ts'
import { newProduct, type ProductDraft, slug } from './draft.ts'

/** What of the products may not be changed any more. */
export interface FixedProducts {
  readonly fields: ReadonlySet<string>
  readonly noMore: boolean
}

/** The products of a sale, a group of fields each. */
export function ProductsEditor({
  products,
  errors,
  fixed,
  onChange,
}: {
  products: readonly ProductDraft[]
  errors: Errors
  fixed: FixedProducts
  onChange: (products: readonly ProductDraft[]) => void
}) {
  const change = (key: number, changed: Partial<ProductDraft>) =>
    onChange(products.map((product) => (product.key === key ? { ...product, ...changed } : product)))
  return (
    <>
      {errors['products'] ? <p class="error">{errors['products']}</p> : null}
      {products.map((product, i) => (
        <fieldset key={product.key} class="product-row">
          <legend>{product.name.trim() === '' ? `Product ${i + 1}` : product.name}</legend>
          <ProductFields
            product={product}
            isFixed={(field) => product.existing && (field === 'id' || fixed.fields.has(field))}
            errorOf={(field) => errors[`products.${i}.${field}`]}
            change={(changed) => change(product.key, changed)}
          />
          {products.length > 1 && !product.existing ? (
            <button
              type="button"
              class="link danger-text"
              onClick={() => onChange(products.filter(({ key }) => key !== product.key))}
            >
              Remove this product
            </button>
          ) : null}
        </fieldset>
      ))}
      {fixed.noMore ? null : (
        <button
          type="button"
          class="quiet"
          onClick={() => onChange([...products, newProduct(products.at(-1)?.currency)])}
        >
          Add a product
        </button>
      )}
    </>
  )
}

function ProductFields({
  product,
  errorOf,
  isFixed,
  change,
}: {
  product: ProductDraft
  errorOf: (field: string) => string | undefined
  isFixed: (field: string) => boolean
  change: (changed: Partial<ProductDraft>) => void
}) {
  const rename = (name: string) =>
    change({ name, ...(!product.existing && product.id === slug(product.name) ? { id: slug(name) } : {}) })
  return (
    <div class="grid">
      <Field
        label="Name"
        value={product.name}
        onInput={rename}
        error={errorOf('name')}
        disabled={isFixed('name')}
        maxLength={200}
      />
      <Field
        label="Id"
        value={product.id}
        onInput={(id) => change({ id })}
        error={errorOf('id')}
        disabled={isFixed('id')}
        hint="In the product page's address."
      />
      <Field
        label="Price"
        value={product.price}
        onInput={(price) => change({ price })}
        error={errorOf('amount')}
        disabled={isFixed('amount')}
        inputMode="decimal"
      />
      <Field
        label="Currency"
        value={product.currency}
        onInput={(currency) => change({ currency: currency.toUpperCase() })}
        error={errorOf('currency')}
        disabled={isFixed('currency')}
        maxLength={3}
      />
      <Field
        label="Units"
        value={product.units}
        onInput={(units) => change({ units })}
        error={errorOf('units')}
        disabled={isFixed('units')}
        inputMode="numeric"
        hint="As many as there really are."
      />
      <Field
        label="Most for each buyer"
        value={product.per_buyer_limit}
        onInput={(per_buyer_limit) => change({ per_buyer_limit })}
        error={errorOf('per_buyer_limit')}
        disabled={isFixed('per_buyer_limit')}
        inputMode="numeric"
      />
      <div class="whole">
        <Field
          label="Description"
          value={product.description}
          onInput={(description) => change({ description })}
          error={errorOf('description')}
          disabled={isFixed('description')}
          lines={2}
          maxLength={5000}
          optional
        />
      </div>
    </div>
  )
}
