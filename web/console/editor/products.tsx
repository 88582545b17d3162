import { Field } from '../parts/field.tsx'
import type { Errors } from './check.ts'
import { newProduct, type ProductDraft, slug } from './draft.ts'

/** The products of a sale, a group of fields each. `fixed`: which of them may not be changed any more. */
export function ProductsEditor({
  products,
  errors,
  onChange,
}: {
  products: readonly ProductDraft[]
  errors: Errors
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
            errorOf={(field) => errors[`products.${i}.${field}`]}
            change={(changed) => change(product.key, changed)}
          />
          {products.length > 1 ? (
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
      <button
        type="button"
        class="quiet"
        onClick={() => onChange([...products, newProduct(products.at(-1)?.currency)])}
      >
        Add a product
      </button>
    </>
  )
}

function ProductFields({
  product,
  errorOf,
  change,
}: {
  product: ProductDraft
  errorOf: (field: string) => string | undefined
  change: (changed: Partial<ProductDraft>) => void
}) {
  const rename = (name: string) =>
    change({ name, ...(product.id === slug(product.name) ? { id: slug(name) } : {}) })
  return (
    <div class="grid">
      <Field label="Name" value={product.name} onInput={rename} error={errorOf('name')} maxLength={200} />
      <Field
        label="Id"
        value={product.id}
        onInput={(id) => change({ id })}
        error={errorOf('id')}
        hint="In the product page's address."
      />
      <Field
        label="Price"
        value={product.price}
        onInput={(price) => change({ price })}
        error={errorOf('amount')}
        inputMode="decimal"
      />
      <Field
        label="Currency"
        value={product.currency}
        onInput={(currency) => change({ currency: currency.toUpperCase() })}
        error={errorOf('currency')}
        maxLength={3}
      />
      <Field
        label="Units"
        value={product.units}
        onInput={(units) => change({ units })}
        error={errorOf('units')}
        inputMode="numeric"
        hint="As many as there really are."
      />
      <Field
        label="Most for each buyer"
        value={product.per_buyer_limit}
        onInput={(per_buyer_limit) => change({ per_buyer_limit })}
        error={errorOf('per_buyer_limit')}
        inputMode="numeric"
      />
      <div class="whole">
        <Field
          label="Description"
          value={product.description}
          onInput={(description) => change({ description })}
          error={errorOf('description')}
          lines={2}
          maxLength={5000}
          optional
        />
      </div>
    </div>
  )
}
