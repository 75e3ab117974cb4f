"""What decides whether a step has run before: canonical values, and the keys made of them."""
