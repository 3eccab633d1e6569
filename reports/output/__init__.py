"""A report in words and in formats, in any language of the catalogues."""
