"""Past complaints from a file of another system: read, mapped, checked row by row (`amends import`)."""
