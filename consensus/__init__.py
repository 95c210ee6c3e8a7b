"""The rules, as pure functions on values: what counts as playing, who attests, what is paid, what is owned."""
