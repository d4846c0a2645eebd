"""An order before it is placed: steps, answers, options and terms."""
