import { mount } from '../app.tsx'

mount()
