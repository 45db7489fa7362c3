"""The bundled plugins: worked examples of what a third party can write."""
